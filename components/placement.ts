import type * as pulumi from "@pulumi/pulumi";

/** Where the machines of a cluster stand, and what all of them are made from. */
export interface PlacementArgs {
    /** The name or id of the machines' template: Debian 12 or later, or Ubuntu 24.04, with cloud-init. A change reinstalls them one by one. */
    template: pulumi.Input<string>;
    /** The name or id of the zone. @default `cloudstack:zone`, or the only zone that there is */
    zone?: pulumi.Input<string>;
    /** The name or id of the network. @default the zone's shared network where security groups rule */
    network?: pulumi.Input<string>;
    /** The name or id of the project. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
    /** Names of SSH key pairs of the machines. ssh is closed all the same without `sshCidrs`. @default none */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether security groups are made. `false` is for zones without them (isolated networks, VPCs): there the network's firewall rules, and
     * what has to be open is in the documentation's table.
     *
     * @default true
     */
    securityGroups?: boolean;
}

/** The placement among a component's arguments, to hand on to its machines. */
export function placementOf(args: PlacementArgs): Omit<PlacementArgs, "securityGroups"> {
    const { template, zone, network, project, profile, sshKeyPairs } = args;
    return { template, zone, network, project, profile, sshKeyPairs };
}
