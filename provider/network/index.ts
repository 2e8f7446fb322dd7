import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of a {@link Network}. */
export interface NetworkArgs {
    /**
     * The network's name, changed in place. Names of networks need not be unique; this package identifies a network by
     * an owner mark, which it adds to the display text.
     *
     * @default `<stack>-<resource name>`
     */
    name?: pulumi.Input<string>;
    /** A text that CloudStack shows with the network, changed in place. @default none */
    displayText?: pulumi.Input<string>;
    /**
     * The name or id of the network offering, which defines what the network has: isolated with a virtual router, or
     * only layer 2; persistent or not. Another offering of the same type is changed in place if CloudStack can; another
     * type replaces the network.
     *
     * @default "DefaultIsolatedNetworkOfferingWithSourceNatService"
     * @example "DefaultL2NetworkOffering"
     */
    networkOffering?: pulumi.Input<string>;
    /**
     * The addresses of the network, which must be private ones. A change replaces the network.
     *
     * @default one that CloudStack chooses
     * @example "10.1.1.0/24"
     */
    cidr?: pulumi.Input<string>;
    /**
     * The address of the virtual router in the network. A change replaces the network.
     *
     * @default the first address of `cidr`
     * @example "10.1.1.254"
     */
    gateway?: pulumi.Input<string>;
    /**
     * The domain of the machines' names, changed in place.
     *
     * @default one that CloudStack chooses
     * @example "app.internal"
     */
    networkDomain?: pulumi.Input<string>;
    /**
     * One or two name servers that the network's DNS forwards to, changed in place.
     *
     * @default those of the zone
     * @example ["9.9.9.9"]
     */
    dns?: pulumi.Input<pulumi.Input<string>[]>;
    /** Tags. Changed in place; tags that others set are left alone. @default none @example { team: "payments" } */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** The name or id of the zone. A change replaces the network. @default `cloudstack:zone`, or the only zone */
    zone?: pulumi.Input<string>;
    /** The name or id of the project. A change replaces the network. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * A network of the account: isolated, with a virtual router for addresses, names and connections to the outside, or of
 * layer 2 only.
 *
 * Unless its offering is persistent, the virtual router starts with the first machine, and the network has no address
 * for connections to the outside before.
 *
 * A network can be deleted when all of its machines are expunged. Where the account may not expunge machines, CloudStack
 * does that about a day after they were destroyed, and `pulumi destroy` leaves the network until then and says so. The
 * next run in this account that deletes or creates a network removes it.
 *
 * @example A network and a machine in it
 * ```ts
 * const network = new cloudstack.Network("app", { cidr: "10.1.1.0/24" });
 * new cloudstack.VirtualMachine("app", { serviceOffering: "Small", template: "debian-13", network: network.id });
 * ```
 */
export class Network extends CloudStackResource {
    /** The name. */
    declare readonly name: pulumi.Output<string>;
    /** `Isolated`, `L2` or `Shared`, according to the offering. */
    declare readonly type: pulumi.Output<string>;
    /** The addresses, such as `10.1.1.0/24`; `undefined` in a network of layer 2. */
    declare readonly cidr: pulumi.Output<string | undefined>;
    /** The address of the gateway; `undefined` in a network of layer 2. */
    declare readonly gateway: pulumi.Output<string | undefined>;
    /** The netmask, such as `255.255.255.0`; `undefined` in a network of layer 2. */
    declare readonly netmask: pulumi.Output<string | undefined>;
    /** The domain of the machines' names; `undefined` in a network of layer 2. */
    declare readonly networkDomain: pulumi.Output<string | undefined>;
    /** Whether the virtual router runs without machines, too. */
    declare readonly persistent: pulumi.Output<boolean>;
    /** Whether machines may connect to the outside without egress rules. */
    declare readonly egressAllowed: pulumi.Output<boolean>;
    /** The zone that it is in. */
    declare readonly zoneId: pulumi.Output<string>;
    /** Its current offering. */
    declare readonly networkOfferingId: pulumi.Output<string>;
    /** The cloud and account that the network belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: NetworkArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super(
            "Network",
            "network",
            name,
            { ...args, ...namedIdentity("Network", name, args, opts) },
            [
                "type",
                "cidr",
                "gateway",
                "netmask",
                "networkDomain",
                "persistent",
                "egressAllowed",
                "zoneId",
                "networkOfferingId",
                "cloud",
            ],
            opts,
        );
    }
}
