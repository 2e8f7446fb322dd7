/** Machines that ran when the cloud stopped run again when it starts, and those that end by themselves are stopped. */
import { record, type Cloud } from "../cloud";
import type { Machine } from "../state/records";
import { setState } from "./commands/machineRules";
import { enforceGroups, machinePlan } from "./plan";

/** How many machines come up at a time. */
const AT_ONCE = 4;

export class Power {
    private readonly cloud: Cloud;
    private readonly log: (line: string) => void;
    /** Machines that have not come up yet. */
    private waiting: Machine[] = [];
    private resuming: Promise<unknown> = Promise.resolve();
    private isStopping = false;

    constructor(cloud: Cloud, log: (line: string) => void) {
        this.cloud = cloud;
        this.log = log;
    }

    /** Does not wait until the machines are there. A machine that runs is left alone. */
    start(): void {
        const { store, hypervisor } = this.cloud;
        hypervisor.watch(({ id }) => this.hasEnded(id));
        this.waiting = store.machines.filter(({ state, removed }) => state === "Running" && removed === undefined);
        const next = async (): Promise<void> => {
            for (let machine = this.waiting.shift(); machine !== undefined; machine = this.waiting.shift())
                await this.raise(machine);
        };
        this.resuming = Promise.all(Array.from({ length: AT_ONCE }, next));
    }

    private async raise(machine: Machine): Promise<void> {
        try {
            await enforceGroups(this.cloud);
            await this.cloud.hypervisor.start(machinePlan(this.cloud, machine));
        } catch (error) {
            // One whose power was cut meanwhile comes up with the next start.
            if (this.isStopping) return;
            this.log(`${machine.name} does not come up: ${(error as Error).message}`);
            this.hasEnded(machine.id);
        }
    }

    private hasEnded(id: string): void {
        this.cloud.store.transaction(() => {
            const machine = this.cloud.store.machines.get(id);
            if (machine?.state !== "Running" || machine.removed !== undefined) return;
            setState(this.cloud, machine, "Stopped");
            record(this.cloud, {
                type: "VM.STOP",
                level: "INFO",
                description: `${machine.name} has ended by itself`,
                userId: machine.userId,
                accountId: machine.ownerId,
                resourceId: machine.id,
                resourceType: "VirtualMachine",
            });
        });
    }

    async stop(): Promise<void> {
        this.isStopping = true;
        this.waiting = [];
        await this.resuming;
        await this.cloud.hypervisor.close();
    }
}
