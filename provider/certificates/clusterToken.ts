import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** Arguments of {@link ClusterToken}. */
export interface ClusterTokenArgs {
    /**
     * The keys of the members that found the cluster; those of later runs do not count.
     *
     * @default none
     * @example ["a", "b", "c"]
     */
    members?: pulumi.Input<pulumi.Input<string>[]>;
    /** Any values; a change of one makes a new token: another cluster. @default none */
    keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * The birth of a cluster, fixed in the stack's state: a name that no other cluster has, when it was, and who was there.
 * Only founders may start a new cluster, and only within the bootstrap window that begins then; whoever comes later or
 * comes back without its data joins.
 *
 * @example
 * ```ts
 * const token = new ClusterToken("etcd", { members: ["a", "b", "c"] });
 * ```
 */
export class ClusterToken extends CloudStackResource {
    /** 16 hexadecimal digits. */
    declare readonly token: pulumi.Output<string>;
    /** Seconds since 1970. */
    declare readonly createdAt: pulumi.Output<number>;
    /** `members` as they were then, sorted. */
    declare readonly founders: pulumi.Output<string[]>;
    /** 2; undefined where version 0.1.0 made it, which noted nowhere whether the cluster had machines. */
    declare readonly format: pulumi.Output<number | undefined>;

    constructor(name: string, args: ClusterTokenArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super("ClusterToken", "clusterToken", name, { ...args }, ["token", "createdAt", "founders", "format"], opts);
    }
}
