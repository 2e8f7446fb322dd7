import * as pulumi from "@pulumi/pulumi";
import { AffinityGroup } from "../../provider/affinityGroup";
import { VirtualMachine, type VirtualMachineArgs } from "../../provider/virtualMachine";
import { Volume } from "../../provider/volume";
import { throwProblems } from "../problems";
import type { GroupMachineArgs, MachineGroupArgs } from "./args";
import { checkMachineGroup } from "./check";

export type { DataVolumeArgs, GroupMachineArgs, MachineGateArgs, MachineGroupArgs, Spread } from "./args";

/**
 * A group of machines with common arguments: each has a permanent key, they are spread over hosts, and their data disks
 * survive the replacement of a machine. With `ordered` they are changed one after another.
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
    /** Ids of the data disks, by key; empty without `dataVolume`. */
    declare readonly volumeIds: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: MachineGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        throwProblems(`MachineGroup "${name}"`, checkMachineGroup(args));
        super("cloudstack:index:MachineGroup", name, {}, opts);
        const spread = affinity(name, args, this);
        const machines: Record<string, VirtualMachine> = {};
        const volumes: Record<string, Volume> = {};
        const { before = [], after = machineAndDisk } = args.gate ?? {};
        let previous: pulumi.Resource[] = [];
        for (const [key, machine] of Object.entries(args.machines)) {
            const made = makeMachine(name, key, machine, args, spread, {
                parent: this,
                dependsOn: [...before, ...previous],
            });
            machines[key] = made;
            if (args.dataVolume !== undefined)
                volumes[key] = makeVolume(`${name}-${key}`, args, made.id, { parent: this });
            if (args.ordered === true) previous = after(key, made, volumes[key]);
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
}

/** By default the next machine waits for the previous one and its data disk. */
function machineAndDisk(_key: string, machine: VirtualMachine, volume?: Volume): pulumi.Resource[] {
    return volume === undefined ? [machine] : [machine, volume];
}

/** Keys "0" to "count - 1", for machines without arguments of their own. */
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
        gate: _gate,
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

/** Whether machines are changed one at a time. The size of the group does not matter, since it may grow. */
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
