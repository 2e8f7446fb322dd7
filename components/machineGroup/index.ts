import * as pulumi from "@pulumi/pulumi";
import { AffinityGroup } from "../../provider/affinityGroup";
import type { OperationTimeouts } from "../../provider/timeouts";
import type { OnTemplateChange, OnUserDataChange, VirtualMachineArgs } from "../../provider/virtualMachine";
import { VirtualMachine } from "../../provider/virtualMachine";
import { Volume } from "../../provider/volume";
import { throwProblems } from "../problems";
import { checkMachineGroup } from "./check";

/** What one machine of a group has for itself. */
export interface GroupMachineArgs {
    /** The machine's name, which is its host name. @default `<stack>-<group>-<key>` */
    name?: pulumi.Input<string>;
    /** A fixed address. @default one that CloudStack picks @example "10.1.1.21" */
    ipAddress?: pulumi.Input<string>;
    /** User data as text. @default the group's */
    userData?: pulumi.Input<string>;
    /** User data as base64. @default the group's */
    userDataBase64?: pulumi.Input<string>;
    /** The size of this machine. @default the group's */
    serviceOffering?: pulumi.Input<string>;
}

/** A data disk that each machine of a group has, and that outlives the machine. */
export interface DataVolumeArgs {
    /** The name or id of a disk offering. @example "Custom" */
    diskOffering: pulumi.Input<string>;
    /** The size in GiB, for offerings of custom size. It grows in place. @default the offering's @example 20 */
    sizeGiB?: pulumi.Input<number>;
    /** Whether the engine refuses to delete the disk, with the whole stack or alone. @default false */
    protect?: boolean;
    /** Whether a change of zone or project may replace the disk by an empty one; see {@link VolumeArgs.allowDataLoss}. @default false */
    allowDataLoss?: pulumi.Input<boolean>;
}

/** How the machines of a group are spread over the cloud's hosts. */
export type Spread = "preferred" | "strict" | "none";

/** The arguments of a {@link MachineGroup}. */
export interface MachineGroupArgs {
    /**
     * The machines, by a key that stays theirs: a letter or digit first, then letters, digits and hyphens. Taking one
     * key out removes that machine and touches no other. `machineKeys(3)` gives the keys "0", "1" and "2".
     *
     * @example { a: { ipAddress: "10.1.1.21" }, b: { ipAddress: "10.1.1.22" } }
     */
    machines: Record<string, GroupMachineArgs>;
    /** The size of the machines. A change stops and starts them. */
    serviceOffering: pulumi.Input<string>;
    /** The template of the machines. */
    template: pulumi.Input<string>;
    /** The name or id of the zone. @default `cloudstack:zone` */
    zone?: pulumi.Input<string>;
    /** The name or id of the project. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** The name or id of the network. @default the zone's only network */
    network?: pulumi.Input<string>;
    /** Ids of security groups. @default the account's `default` group @example [web.id] */
    securityGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /** Names of SSH key pairs. @default none @example [key.name] */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /** User data as text for machines that have none of their own. @default none */
    userData?: pulumi.Input<string>;
    /** What a change of user data does; see {@link VirtualMachineArgs.onUserDataChange}. @default "update" */
    onUserDataChange?: pulumi.Input<OnUserDataChange>;
    /** What a change of the template does. @default "replace" */
    onTemplateChange?: pulumi.Input<OnTemplateChange>;
    /**
     * Any text: another one reinstalls the machines; see {@link VirtualMachineArgs.reinstallTrigger}.
     *
     * @default none
     * @example "nginx 1.28"
     */
    reinstallTrigger?: pulumi.Input<string>;
    /** The longest user data that the cloud takes, in characters of base64. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
    /** The root disk's size in GiB. @default the template's */
    rootDiskSizeGiB?: pulumi.Input<number>;
    /** A data disk for each machine. @default none @example { diskOffering: "Custom", sizeGiB: 100 } */
    dataVolume?: DataVolumeArgs;
    /**
     * Whether the machines avoid each other's hosts: `strict` fails where there are too few hosts, `preferred` shares
     * them then. A change stops and starts the machines; that is why a group of one has it, too: it may grow.
     *
     * @default "preferred"
     */
    spread?: Spread;
    /**
     * Whether machines are made and changed one after another, in the order of the keys, instead of all at once.
     *
     * @default false
     */
    ordered?: boolean;
    /**
     * Any text: machines with the same text are changed one at a time, though made and deleted side by side; see
     * {@link VirtualMachineArgs.rollingGroup}. @default none: all at once
     * @example "database"
     */
    rollingGroup?: pulumi.Input<string>;
    /** Whether a change may take running machines down; see {@link VirtualMachineArgs.allowRestart}. @default true */
    allowRestart?: pulumi.Input<boolean>;
    /**
     * Whether a change may erase root disks; see {@link VirtualMachineArgs.allowDataLoss}. What is on the data disks stays in any case.
     *
     * @default true, and false in a group whose machines would be erased at once: one that is not `ordered` and has no `rollingGroup`
     */
    allowDataLoss?: pulumi.Input<boolean>;
    /** Tags of every machine. @default none @example { team: "payments" } */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** How long each operation on a machine may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
    /**
     * Changes the arguments of a machine at the last moment: for what this group has no argument for.
     *
     * @default none
     * @example (args, key) => ({ ...args, displayName: "Database " + key })
     */
    transform?: (args: VirtualMachineArgs, key: string) => VirtualMachineArgs;
}

/**
 * Machines made from one recipe: each with a key that stays its own, spread over hosts, with data disks that outlive
 * them, one after another where that matters.
 *
 * @example Three web servers
 * ```ts
 * new cloudstack.MachineGroup("web", {
 *     machines: cloudstack.machineKeys(3),
 *     serviceOffering: "Small",
 *     template: "debian-13",
 * });
 * ```
 *
 * @example A database with fixed addresses and disks, changed one machine at a time
 * ```ts
 * new cloudstack.MachineGroup("db", {
 *     machines: { a: { ipAddress: "10.1.1.21" }, b: { ipAddress: "10.1.1.22" } },
 *     serviceOffering: "Large",
 *     template: "debian-13",
 *     dataVolume: { diskOffering: "Custom", sizeGiB: 100 },
 *     ordered: true,
 * });
 * ```
 * @throws ArgumentError with every problem of the arguments
 */
export class MachineGroup extends pulumi.ComponentResource {
    /** Ids of the machines, by key. */
    declare readonly ids: pulumi.Output<Record<string, string>>;
    /** Names of the machines, by key. */
    declare readonly names: pulumi.Output<Record<string, string>>;
    /** Addresses of the machines, by key. */
    declare readonly addresses: pulumi.Output<Record<string, string>>;
    /** Ids of the data disks, by key; empty without any. */
    declare readonly volumeIds: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: MachineGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        throwProblems(`MachineGroup "${name}"`, checkMachineGroup(args));
        super("cloudstack:index:MachineGroup", name, {}, opts);
        const spread = affinity(name, args, this);
        const machines: Record<string, VirtualMachine> = {};
        const volumes: Record<string, Volume> = {};
        const first = this.before();
        let before: pulumi.Resource[] = [];
        for (const [key, machine] of Object.entries(args.machines)) {
            const made = makeMachine(name, key, machine, args, spread, {
                parent: this,
                dependsOn: [...first, ...before],
            });
            machines[key] = made;
            if (args.dataVolume !== undefined)
                volumes[key] = makeVolume(`${name}-${key}`, args, made.id, { parent: this });
            if (args.ordered === true) before = this.after(key, made, volumes[key]);
        }
        const outputs = {
            ids: byKey(machines, (machine) => machine.id),
            names: byKey(machines, (machine) => machine.name),
            addresses: byKey(machines, (machine) => machine.ipAddress),
            volumeIds: byKey(volumes, (volume) => volume.id),
        };
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
    }

    /** What all machines wait for. Called while the group is made, as `after` is. */
    protected before(): pulumi.Resource[] {
        return [];
    }

    /**
     * What the next machine of an ordered group waits for. A component that knows when one of its machines has done its part puts a gate
     * of its own here. Called while the group is made: it may use nothing of `this`.
     */
    protected after(_key: string, machine: VirtualMachine, volume: Volume | undefined): pulumi.Resource[] {
        return [machine, ...(volume === undefined ? [] : [volume])];
    }
}

/** Keys "0" to "count - 1", for machines that have nothing of their own. */
export function machineKeys(count: number): Record<string, GroupMachineArgs> {
    return Object.fromEntries(Array.from({ length: count }, (_, ordinal) => [String(ordinal), {}]));
}

function affinity(name: string, args: MachineGroupArgs, parent: pulumi.Resource): AffinityGroup | undefined {
    const spread = args.spread ?? "preferred";
    if (spread === "none") return undefined;
    const type = spread === "strict" ? "host anti-affinity" : "non-strict host anti-affinity";
    return new AffinityGroup(name, { type, project: args.project, profile: args.profile }, { parent });
}

function makeMachine(
    group: string,
    key: string,
    machine: GroupMachineArgs,
    args: MachineGroupArgs,
    spread: AffinityGroup | undefined,
    opts: pulumi.CustomResourceOptions,
): VirtualMachine {
    const {
        machines: _machines,
        dataVolume: _dataVolume,
        spread: _spread,
        ordered: _ordered,
        transform,
        userData,
        ...common
    } = args;
    const ownData = machine.userData !== undefined || machine.userDataBase64 !== undefined;
    const all: VirtualMachineArgs = {
        ...common,
        ...(ownData ? {} : { userData }),
        ...(spread === undefined ? {} : { affinityGroups: [spread.id] }),
        ...machine,
        allowDataLoss: args.allowDataLoss ?? (changesOneByOne(args) ? undefined : false),
        serviceOffering: machine.serviceOffering ?? args.serviceOffering,
    };
    return new VirtualMachine(`${group}-${key}`, transform === undefined ? all : transform(all, key), opts);
}

/** Whether no change takes more than one machine at a time. A group of one counts as what it is when it grows. */
function changesOneByOne(args: MachineGroupArgs): boolean {
    return args.ordered === true || args.rollingGroup !== undefined;
}

function makeVolume(
    name: string,
    args: MachineGroupArgs,
    virtualMachine: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): Volume {
    const { zone, project, profile, timeoutSeconds } = args;
    const { protect, ...disk } = args.dataVolume!;
    const all = { ...disk, virtualMachine, zone, project, profile, timeoutSeconds };
    return new Volume(name, all, protect === undefined ? opts : { ...opts, protect });
}

function byKey<T>(
    of: Record<string, T>,
    pick: (item: T) => pulumi.Output<string>,
): pulumi.Output<Record<string, string>> {
    return pulumi.output(Object.fromEntries(Object.entries(of).map(([key, item]) => [key, pick(item)])));
}
