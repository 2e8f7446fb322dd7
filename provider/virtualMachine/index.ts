import * as pulumi from "@pulumi/pulumi";
import { computedOutputs } from "./computed";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";
import type { NodeArguments } from "../kubernetes/resources";
import type { OperationTimeouts } from "../timeouts";
import { urnOf } from "../urn";

/** What a change of the user data does to a machine that exists. */
export type OnUserDataChange = "ignore" | "update" | "restart" | "reinstall" | "replace";

/** What a change of the template does to a machine that exists. */
export type OnTemplateChange = "replace" | "reinstall";

/** The arguments of a {@link VirtualMachine}. */
export interface VirtualMachineArgs {
    /**
     * The size, as the name or id of a service offering. A change stops the machine, scales it and starts it again.
     *
     * @example "Medium Instance"
     */
    serviceOffering: pulumi.Input<string>;
    /**
     * The name or id of the template that the root disk is created from. If several templates have the name, the newest
     * ready one is used. A template that is registered later under the same name does not change existing machines.
     *
     * @example "Debian 12"
     */
    template: pulumi.Input<string>;
    /**
     * The machine's name, which is its host name: letters, digits and hyphens, a letter first, at most 63 characters,
     * unique in its network (CloudStack reserves the name of a destroyed machine until it is expunged). A change stops
     * and starts the machine.
     *
     * @default `<stack>-<resource name>`
     */
    name?: pulumi.Input<string>;
    /** The name that CloudStack's user interface shows. Changed in place. @default the name */
    displayName?: pulumi.Input<string>;
    /**
     * The name or id of the zone. A change replaces the machine; a change of the default zone does not.
     *
     * @default `cloudstack:zone`, or the only zone that there is
     */
    zone?: pulumi.Input<string>;
    /** The name or id of the project. A change replaces the machine. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /**
     * The name or id of the network. A change replaces the machine.
     *
     * @default the zone's shared network where security groups rule; elsewhere it has to be given
     */
    network?: pulumi.Input<string>;
    /**
     * A fixed IPv4 address inside of the network's range. A change replaces the machine.
     *
     * @default one that CloudStack picks
     * @example "10.1.1.40"
     */
    ipAddress?: pulumi.Input<string>;
    /**
     * Ids of security groups. A change stops the machine, sets them and starts it again.
     *
     * @default the account's `default` group
     * @example [web.id]
     */
    securityGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Ids of affinity groups. A change stops the machine, sets them and starts it again.
     *
     * @default none
     * @example [spread.id]
     */
    affinityGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Names of SSH key pairs. A change stops the machine, sets them and starts it again.
     *
     * @default none
     * @example [key.name]
     */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * User data as text: a cloud-config document, a script, … Not together with `userDataBase64`.
     *
     * @default none
     * @example "#cloud-config\npackages: [nginx]\n"
     */
    userData?: pulumi.Input<string>;
    /**
     * User data as base64, for any bytes, such as a gzip of a cloud-config. Not together with `userData`.
     *
     * @default none
     * @example zlib.gzipSync(document).toString("base64")
     */
    userDataBase64?: pulumi.Input<string>;
    /**
     * The longest user data that the cloud accepts, in characters of base64: CloudStack's setting
     * `vm.userdata.max.length`.
     *
     * @default 32768
     */
    userDataMaxLength?: pulumi.Input<number>;
    /**
     * What a change of the user data does: `ignore` it; `update` what is stored (cloud-init reads it at first boot
     * only); `restart` the machine after storing it; `reinstall` the root disk from its template (same id, name,
     * address, groups and data volumes); `replace` the machine.
     *
     * @default "update"
     * @example "reinstall"
     */
    onUserDataChange?: pulumi.Input<OnUserDataChange>;
    /**
     * What a change of the template does: `replace` the machine, or `reinstall` its root disk (same id, address and
     * volumes).
     *
     * @default "replace"
     * @example "reinstall"
     */
    onTemplateChange?: pulumi.Input<OnTemplateChange>;
    /**
     * Any text. A change of it reinstalls the root disk from the template (same id, name, address, groups and data
     * volumes), after a change of the user data was stored. Use it for settings that only the first boot applies, such
     * as a program's version.
     * @default none
     * @example "nginx 1.28"
     */
    reinstallTrigger?: pulumi.Input<string>;
    /** The root disk's size in GiB. It grows in place; CloudStack cannot shrink it. @default the template's size */
    rootDiskSizeGiB?: pulumi.Input<number>;
    /** Whether the machine runs. A machine that was stopped by hand is started by the next `up`. @default true */
    running?: pulumi.Input<boolean>;
    /**
     * Whether a change may interrupt a running machine. With `false`, a change that needs a stop, a reinstallation or a
     * replacement is an error at preview. What a preview cannot know yet is announced there, and is an error of the
     * update before anything is changed. `running: false`, `pulumi up --replace` and removing the machine from the
     * program request the interruption explicitly and are not refused.
     *
     * @default true
     */
    allowRestart?: pulumi.Input<boolean>;
    /**
     * Whether a change may erase the root disk, which a reinstallation or a replacement does. The preview says so in
     * one line ("root disk of web (8 GiB) is erased"); with `false` it is an error there, under the same conditions as
     * `allowRestart`.
     *
     * @default true
     */
    allowDataLoss?: pulumi.Input<boolean>;
    /**
     * Any text. Changes stop, reinstall or replace at most one at a time of the machines of a stack with the same text.
     * If one fails, the others are not changed. Machines of a group are still created and deleted concurrently.
     *
     * @default none: all at once
     * @example "web"
     */
    rollingGroup?: pulumi.Input<string>;
    /**
     * How many machines of the `rollingGroup` may be down at once when this one is taken down, itself included.
     *
     * @default 1
     * @example 2
     */
    maxUnavailable?: pulumi.Input<number>;
    /**
     * CloudStack's own protection against deletion. Changed in place. It must be off before the machine can be deleted.
     * @default false
     */
    deleteProtection?: pulumi.Input<boolean>;
    /** The name of the instance group. Changed in place. @default none */
    group?: pulumi.Input<string>;
    /** Tags. Changed in place; tags that others set are left alone. @default none @example { team: "payments" } */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /**
     * Details (`rootDiskController`, `cpuNumber` of a custom offering, …). Changed in place; those of others are left
     * alone.
     *
     * @default none
     * @example { cpuNumber: "4", memory: "8192" }
     */
    details?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /**
     * How long each operation may take, in seconds.
     *
     * @default create 900, update 900, delete 600
     * @example { create: 1800 }
     */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /**
     * A profile of cmk's or cs's configuration file, for a program that uses several clouds.
     *
     * @default the stack's cloud
     * @example "staging"
     */
    profile?: pulumi.Input<string>;
}

/** A network interface of a machine. */
export interface NetworkInterface {
    /** CloudStack's id of the interface (NIC). */
    id: string;
    /** The network that it is in. */
    networkId: string;
    /** The name of that network. */
    networkName: string;
    /** Its IPv4 address. */
    ipAddress: string;
    /** Its hardware address, such as `1e:00:d5:00:00:0b`. */
    macAddress: string;
    /** Whether the default route leads through it. */
    isDefault: boolean;
}

/**
 * A virtual machine.
 *
 * Most changes are made in place, and a preview describes in one line what happens to the machine ("web stops and
 * starts: serviceOffering Small -> Medium"). If a step of a change fails, a machine that was running is started again
 * before the error is reported.
 *
 * @example A machine with a key and a group
 * ```ts
 * const web = new cloudstack.VirtualMachine("web", {
 *     serviceOffering: "Small",
 *     template: "debian-13",
 *     securityGroups: [group.id],
 *     sshKeyPairs: [key.name],
 *     userData: "#cloud-config\npackages: [nginx]\n",
 * });
 * export const address = web.ipAddress;
 * ```
 *
 * @example A machine whose disk is reinstalled whenever its user data changes, and that keeps its address
 * ```ts
 * new cloudstack.VirtualMachine("runner", {
 *     serviceOffering: "Large",
 *     template: "debian-13",
 *     ipAddress: "10.1.1.40",
 *     userData: fs.readFileSync("runner.yaml", "utf8"),
 *     onUserDataChange: "reinstall",
 * });
 * ```
 *
 * @example A database that no change may stop or erase
 * ```ts
 * new cloudstack.VirtualMachine("db", {
 *     serviceOffering: "Large",
 *     template: "debian-13",
 *     allowRestart: false,
 *     allowDataLoss: false,
 *     deleteProtection: true,
 * });
 * ```
 */
export class VirtualMachine extends CloudStackResource {
    /** The machine's name, which is its host name. */
    declare readonly name: pulumi.Output<string>;
    /** The address of the default interface. */
    declare readonly ipAddress: pulumi.Output<string>;
    /** All interfaces, the default one first. */
    declare readonly networkInterfaces: pulumi.Output<NetworkInterface[]>;
    /** CloudStack's state of the machine: Running, Stopped, … */
    declare readonly state: pulumi.Output<string>;
    /** The password that CloudStack generated, if the template has passwords enabled (secret). */
    declare readonly password: pulumi.Output<string | undefined>;
    /** The number of virtual processors. */
    declare readonly cpuNumber: pulumi.Output<number>;
    /** Memory in MiB. */
    declare readonly memoryMiB: pulumi.Output<number>;
    /** The zone that it runs in. */
    declare readonly zoneId: pulumi.Output<string>;
    /** The template that its root disk was created from. */
    declare readonly templateId: pulumi.Output<string>;
    /** Its current service offering. */
    declare readonly serviceOfferingId: pulumi.Output<string>;
    /** SHA-256 of the user data's bytes, in hexadecimal; empty without user data. */
    declare readonly userDataHash: pulumi.Output<string>;
    /** When it was created (ISO 8601). */
    declare readonly created: pulumi.Output<string>;
    /** The cloud and account that the machine belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: VirtualMachineArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "VirtualMachine",
            "virtualMachine",
            name,
            { ...args, ...nodeOf(name, args, opts), ...namedIdentity("VirtualMachine", name, args, opts) },
            ["ipAddress", ...computedOutputs],
            // The name is unique, so the old machine is deleted first, also with `pulumi up --replace`, where `diff` is
            // not called.
            pulumi.mergeOptions({ deleteBeforeReplace: true }, opts),
            ["password"],
        );
    }
}

/** The argument `kubernetesNode` of `NodeArguments`, with the machine's URN for messages of progress. */
function nodeOf(name: string, args: VirtualMachineArgs, opts: pulumi.CustomResourceOptions | undefined) {
    const { kubernetesNode } = args as NodeArguments;
    if (kubernetesNode === undefined) return {};
    const urn = urnOf("VirtualMachine", name, opts?.parent);
    const withUrn = pulumi.all([kubernetesNode, urn]).apply(([node, text]) => node && { ...node, urn: text });
    return { kubernetesNode: withUrn };
}
