import type * as pulumi from "@pulumi/pulumi";
import type { OperationTimeouts } from "../provider/timeouts";
import type { Spread } from "./machineGroup/args";
import { boolean, fields, filled, list, needed, number, oneOf, plain, record, type Shape, text } from "./shape";

/** Where the machines of a cluster run, and the settings that they share. */
export interface PlacementArgs {
    /**
     * The name or id of the machines' template: Debian 12 or later, or Ubuntu 24.04, with cloud-init. A change
     * reinstalls them one by one.
     *
     * @example "Debian 13"
     */
    template: pulumi.Input<string>;
    /** The name or id of the zone. @default `cloudstack:zone`, or the only zone */
    zone?: pulumi.Input<string>;
    /** The name or id of the network. @default the shared network of a zone with security groups */
    network?: pulumi.Input<string>;
    /** The name or id of the project. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
    /**
     * Names of SSH key pairs of the machines. Port 22 is closed unless `sshCidrs` is set.
     *
     * @default none
     * @example [key.name]
     */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether security groups are created. Use `false` in zones without them (isolated networks, VPCs): there the
     * network's firewall applies, and the documentation lists the ports that must be open.
     *
     * @default true
     */
    securityGroups?: boolean;
    /** Host anti-affinity of the machines; see `MachineGroup`. @default "preferred" */
    spread?: Spread;
    /**
     * Whether a change may stop running machines. With `false`, a change that must do so is an error at preview.
     *
     * @default true
     */
    allowRestart?: pulumi.Input<boolean>;
    /** Tags of the machines. @default none */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** How long each operation on a machine may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
}

/** The placement arguments of a component, to pass to its machines. */
export function placementOf(args: PlacementArgs): Omit<PlacementArgs, "securityGroups"> {
    const { template, zone, network, project, profile, sshKeyPairs, spread, allowRestart, tags, timeoutSeconds } = args;
    return { template, zone, network, project, profile, sshKeyPairs, spread, allowRestart, tags, timeoutSeconds };
}

/** The shape of the arguments that all machines share. */
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

/** The shape of {@link PlacementArgs}. */
export const placementShape = { ...machineShape, securityGroups: plain(boolean) } satisfies Record<
    keyof PlacementArgs,
    Shape
>;

/** The shape of a service offering. */
export const offeringShape: Shape = needed(filled, "Give the name or id of a service offering");
