/** The machines of all accounts, for `cloudstack-local ps`. */
import { DEFAULT_SETTINGS } from "../cloud";
import { none } from "../hypervisors/none";
import type { MachineState } from "../state/records";
import type { Store } from "../state/store";
import { machinePlan } from "./plan";

export interface ListedMachine {
    readonly id: string;
    readonly name: string;
    readonly instanceName: string;
    readonly state: MachineState;
    readonly addresses: readonly string[];
    readonly template: string;
    readonly cpuNumber: number;
    readonly memoryMiB: number;
    readonly volumeIds: readonly string[];
}

/** Includes destroyed machines that are not expunged yet, since they keep their addresses and disks. */
export function machineList(store: Store): ListedMachine[] {
    const cloud = { store, settings: DEFAULT_SETTINGS, hypervisor: none, now: Date.now };
    return store.machines
        .filter(({ removed }) => removed === undefined)
        .map((machine) => {
            const plan = machinePlan(cloud, machine);
            return {
                id: machine.id,
                name: machine.name,
                instanceName: plan.instanceName,
                state: machine.state,
                addresses: plan.nics.map(({ address }) => address),
                template: plan.templateName,
                cpuNumber: plan.cpuNumber,
                memoryMiB: plan.memoryMiB,
                volumeIds: plan.dataVolumes.map(({ id }) => id),
            };
        });
}
