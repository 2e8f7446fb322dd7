/**
 * Starts the machines that were running when the cloud stopped, and marks machines that end by themselves as stopped.
 */
import { record, type Cloud } from "../cloud";
import type { Machine } from "../state/records";
import { setState } from "./commands/machineRules";
import { applySecurityGroups, machinePlan } from "./plan";

/** How many machines are started at a time. */
const CONCURRENCY = 4;

export class Power {
    private readonly cloud: Cloud;
    private readonly log: (line: string) => void;
    /** Machines that have not been started yet. */
    private pending: Machine[] = [];
    private resuming: Promise<unknown> = Promise.resolve();
    private isStopping = false;

    constructor(cloud: Cloud, log: (line: string) => void) {
        this.cloud = cloud;
        this.log = log;
    }

    /** Does not wait until the machines are started. Running machines are not changed. */
    start(): void {
        const { store, hypervisor } = this.cloud;
        hypervisor.watch(({ id }) => this.hasEnded(id));
        this.pending = store.machines.filter(({ state, removed }) => state === "Running" && removed === undefined);
        const next = async (): Promise<void> => {
            for (let machine = this.pending.shift(); machine !== undefined; machine = this.pending.shift())
                await this.startMachine(machine);
        };
        this.resuming = Promise.all(Array.from({ length: CONCURRENCY }, next));
    }

    private async startMachine(machine: Machine): Promise<void> {
        try {
            await applySecurityGroups(this.cloud);
            await this.cloud.hypervisor.start(machinePlan(this.cloud, machine));
        } catch (error) {
            // A machine whose power was cut stays in state Running, and is started at the next start of the cloud.
            if (this.isStopping) return;
            this.log(`${machine.name} did not start: ${(error as Error).message}`);
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
        this.pending = [];
        await this.resuming;
        await this.cloud.hypervisor.close();
    }
}
