import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of an {@link AffinityGroup}. */
export interface AffinityGroupArgs {
    /** The group's name, unique in the account. A change replaces the group. @default `<stack>-<resource name>` */
    name?: pulumi.Input<string>;
    /**
     * The type: `host anti-affinity` places the machines on different hosts, `host affinity` on the same host; the
     * non-strict types (`non-strict host anti-affinity`, …) do so if possible. A change replaces the group.
     *
     * @default "host anti-affinity"
     * @example "non-strict host anti-affinity"
     */
    type?: pulumi.Input<string>;
    /** A description. CloudStack cannot change it afterwards. @default none */
    description?: pulumi.Input<string>;
    /** The name or id of the project. A change replaces the group. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * An affinity group, which places machines on the same host or on different hosts.
 *
 * @example Three members of a database on three hosts
 * ```ts
 * const spread = new cloudstack.AffinityGroup("database");
 * for (const member of ["a", "b", "c"]) {
 *     new cloudstack.VirtualMachine(`db-${member}`, { serviceOffering: "Large", template: "debian-13", affinityGroups: [spread.id] });
 * }
 * ```
 */
export class AffinityGroup extends CloudStackResource {
    /** The full name. */
    declare readonly name: pulumi.Output<string>;
    /** The type, such as `host anti-affinity`. */
    declare readonly type: pulumi.Output<string>;
    /** The cloud and account that the group belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: AffinityGroupArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super(
            "AffinityGroup",
            "affinityGroup",
            name,
            { ...args, ...namedIdentity("AffinityGroup", name, args, opts) },
            ["cloud"],
            opts,
        );
    }
}
