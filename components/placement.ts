import type * as pulumi from "@pulumi/pulumi";
import type { OperationTimeouts } from "../provider/timeouts";
import type { Spread } from "./machineGroup/args";
import { boolean, fields, filled, list, needed, number, oneOf, plain, record, type Shape, text } from "./shape";

/** Where the machines of a cluster stand, and what all of them are made from. */
export interface PlacementArgs {
    /**
     * The name or id of the machines' template: Debian 12 or later, or Ubuntu 24.04, with cloud-init. A change
     * reinstalls them one by one.
     *
     * @example "Debian 13"
     */
    template: pulumi.Input<string>;
    /** The name or id of the zone. @default `cloudstack:zone`, or the only zone that there is */
    zone?: pulumi.Input<string>;
    /** The name or id of the network. @default the zone's shared network where security groups rule */
    network?: pulumi.Input<string>;
    /** The name or id of the project. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
    /**
     * Names of SSH key pairs of the machines. ssh is closed all the same without `sshCidrs`.
     *
     * @default none
     * @example [key.name]
     */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether security groups are made. `false` is for zones without them (isolated networks, VPCs): there the
     * network's firewall rules, and what has to be open is in the documentation's table.
     *
     * @default true
     */
    securityGroups?: boolean;
    /** How the machines avoid each other's hosts; see `MachineGroup`. @default "preferred" */
    spread?: Spread;
    /**
     * Whether a change may stop running machines. With `false` one that has to is an error at preview.
     *
     * @default true
     */
    allowRestart?: pulumi.Input<boolean>;
    /** Tags of the machines. @default none */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** How long each operation on a machine may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
}

/** The placement among a component's arguments, to hand on to its machines. */
export function placementOf(args: PlacementArgs): Omit<PlacementArgs, "securityGroups"> {
    const { template, zone, network, project, profile, sshKeyPairs, spread, allowRestart, tags, timeoutSeconds } = args;
    return { template, zone, network, project, profile, sshKeyPairs, spread, allowRestart, tags, timeoutSeconds };
}

/** What machines have in common, alone or in a cluster. */
export const machineShape = {
    template: needed(filled, "Give the name or id of a template"),
    zone: text,
    network: text,
    project: text,
    profile: text,
    sshKeyPairs: list(text),
    spread: plain(oneOf("preferred", "strict", "none")),
    allowRestart: boolean,
    tags: record(text),
    timeoutSeconds: fields<OperationTimeouts>({ create: number, update: number, delete: number }),
} satisfies Record<keyof Omit<PlacementArgs, "securityGroups">, Shape>;

/** What {@link PlacementArgs} have to look like. */
export const placementShape = { ...machineShape, securityGroups: plain(boolean) } satisfies Record<keyof PlacementArgs, Shape>;

/** What a size has to look like. */
export const offeringShape: Shape = needed(filled, "Give the name or id of a service offering");
