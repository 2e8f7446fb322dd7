/**
 * Simulates a real server's timing if the setting `timing` is not 0: how long answers and jobs take, and the locks that
 * make them wait for each other.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../../cloud";
import type { Job } from "../../state/records";
import { contendsForLock, durationOf, durationOfJob, lockOfJob } from "./durations";
import { RowLocks } from "./locks";
import { Processor } from "./processor";

/** A job that may run now. */
export interface Turn {
    /** Its remaining duration, in seconds. */
    readonly seconds: number;
    /** Releases its lock. */
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

    /** Sleeps, and returns how many seconds it slept. Once the cloud stops, it returns immediately. */
    private async pause(seconds: number): Promise<number> {
        const scale = 1000 * this.cloud.settings.timing;
        const before = performance.now();
        await sleep(seconds * scale, undefined, { signal: this.stopping, ref: false }).catch(() => undefined);
        if (!this.stopping.aborted) return (performance.now() - before) / scale;
        // Yields to other tasks, since the caller may be polling in a loop.
        await new Promise((resolve) => setImmediate(resolve));
        return seconds;
    }

    /** Waits as long as a real request takes; the returned function must be called after the request was handled. */
    async request(command: string, isJob: boolean, accountId: string): Promise<() => void> {
        if (!this.isReal) return () => undefined;
        const { answer, lock, locked = answer } = durationOf(command, isJob);
        if (lock !== undefined) await this.processor.run(answer - locked);
        const release = lock === undefined ? undefined : await this.locks.take(`${lock} ${accountId}`);
        await this.processor.run(lock === undefined ? answer : locked);
        return () => release?.();
    }

    /** Jobs of one queue run one after the other; those on rules contend for the lock of their group or address instead. */
    queueOf(job: Job): string {
        return this.isReal && contendsForLock(job) ? job.id : job.queue;
    }

    /** Waits until the job may run. */
    async job(job: Job): Promise<Turn> {
        if (!this.isReal) return { seconds: 0, end: () => undefined };
        const { work, wait } = durationOfJob(this.cloud, job);
        await this.processor.run(work);
        const row = lockOfJob(this.cloud, job);
        const release = row === undefined ? undefined : await this.locks.take(row);
        return { seconds: wait * this.cloud.settings.timing, end: () => release?.() };
    }
}
