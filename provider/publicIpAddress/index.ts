import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, identity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of a {@link PublicIpAddress}. */
export interface PublicIpAddressArgs {
    /**
     * The id or name of the isolated network that the address is for. A change replaces the address.
     *
     * @example network.id
     */
    network: pulumi.Input<string>;
    /**
     * A certain address, which must be free. A change replaces the address.
     *
     * @default one that CloudStack chooses
     * @example "203.0.113.10"
     */
    ipAddress?: pulumi.Input<string>;
    /** Tags. Changed in place; tags that others set are left alone. @default none @example { team: "payments" } */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** The name or id of the project. A change replaces the address. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * A public IP address of an isolated network. Firewall, port forwarding and load balancer rules make machines reachable
 * at it.
 *
 * The first address of a network without a running virtual router becomes that of its source NAT: connections of the
 * machines to the outside come from it. CloudStack releases such an address only together with the network.
 *
 * @example An address for a network
 * ```ts
 * const network = new cloudstack.Network("app", { cidr: "10.1.1.0/24" });
 * const address = new cloudstack.PublicIpAddress("app", { network: network.id });
 * export const ip = address.ipAddress;
 * ```
 */
export class PublicIpAddress extends CloudStackResource {
    /** The address, such as `203.0.113.10`. */
    declare readonly ipAddress: pulumi.Output<string>;
    /** Whether it is the address of the network's source NAT. */
    declare readonly sourceNat: pulumi.Output<boolean>;
    /** The network that it is for. */
    declare readonly networkId: pulumi.Output<string>;
    /** The zone that it is in. */
    declare readonly zoneId: pulumi.Output<string>;
    /** When it was allocated. */
    declare readonly allocated: pulumi.Output<string>;
    /** The cloud and account that the address belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: PublicIpAddressArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "PublicIpAddress",
            "publicIpAddress",
            name,
            { ...args, ...identity("PublicIpAddress", name, opts) },
            ["ipAddress", "sourceNat", "networkId", "zoneId", "allocated", "cloud"],
            opts,
        );
    }
}
