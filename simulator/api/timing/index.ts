/**
 * The real server's time, where the cloud is told to take it: how long answers and jobs take, and the locks that make
 * them wait for each other.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../../cloud";
import type { Job } from "../../state/records";
import { durationOf, durationOfJob, lockOfJob, locksItsGroup } from "./durations";
import { RowLocks } from "./locks";
import { Processor } from "./processor";

/** A job that has its turn. */
export interface Turn {
    /** How long the rest of it takes, in seconds. */
    readonly seconds: number;
    /** Gives back what it holds. */
    end(): void;
}

export class Timing {
    private readonly cloud: Cloud;
    private readonly stopping: AbortSignal;
    private readonly processor: Processor;
    private readonly locks: RowLocks;

    constructor(cloud: Cloud, stopping: AbortSignal) {
        this.cloud = cloud;
        this.stopping = stopping;
        const pause = (seconds: number) => this.pause(seconds);
        this.processor = new Processor(pause);
        this.locks = new RowLocks(pause);
    }

    get isReal(): boolean {
        return this.cloud.settings.timing > 0;
    }

    /** Waits for so many seconds, and tells how many it were. When the cloud stops, nothing waits any more. */
    private async pause(seconds: number): Promise<number> {
        const scale = 1000 * this.cloud.settings.timing;
        const before = performance.now();
        await sleep(seconds * scale, undefined, { signal: this.stopping, ref: false }).catch(() => undefined);
        if (!this.stopping.aborted) return (performance.now() - before) / scale;
        // Whoever looks again at once lets the others end.
        await new Promise((resolve) => setImmediate(resolve));
        return seconds;
    }

    /** Waits as long as the request would; what it answers is to be called when it has been dealt with. */
    async request(command: string, isJob: boolean, accountId: string): Promise<() => void> {
        if (!this.isReal) return () => undefined;
        const { answer, lock } = durationOf(command, isJob);
        const release = lock === undefined ? undefined : await this.locks.take(`${lock} ${accountId}`);
        await this.processor.run(answer);
        return () => release?.();
    }

    /** Jobs of one queue run one after the other; those on a group's rules meet at its lock instead. */
    queueOf(job: Job): string {
        return this.isReal && locksItsGroup(job) ? job.id : job.queue;
    }

    /** Waits until the job has its turn. */
    async job(job: Job): Promise<Turn> {
        if (!this.isReal) return { seconds: 0, end: () => undefined };
        const { work, wait } = durationOfJob(this.cloud, job);
        await this.processor.run(work);
        const row = lockOfJob(this.cloud, job);
        const release = row === undefined ? undefined : await this.locks.take(row);
        return { seconds: wait * this.cloud.settings.timing, end: () => release?.() };
    }
}
