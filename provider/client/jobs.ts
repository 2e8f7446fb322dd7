import { Durations, nextPoll, typicalDuration } from "./pollInterval";
import type { Clock } from "./types";

/** The state of a job as `queryAsyncJobResult` returns it. */
export interface JobAnswer {
    jobstatus: number;
    jobresult?: any;
}

/** The API calls of the poller; every call is one request. */
export interface JobSource {
    /** Ids of the caller's jobs that still run (`listAsyncJobs` lists only running ones). */
    running(): Promise<Set<string>>;
    query(jobId: string): Promise<JobAnswer>;
    /** Whether a call failed permanently (it was refused), so that a retry would fail, too. */
    isFinal(error: unknown): boolean;
}

/** How a wait ended. */
export type JobEnd =
    { kind: "ended"; answer: JobAnswer } | { kind: "late"; lastFailure?: Error } | { kind: "lost"; error: Error };

/**
 * Reads the result of a job from the entity that the job works on; `undefined` where only the job has it. One list
 * command then replaces a query per job.
 */
export type ReadResult = () => Promise<object | undefined>;

export interface JobOptions {
    readonly command: string;
    /** Jobs of the same kind take about the same time. Default: the command. */
    readonly kind?: string;
    readonly timeoutSeconds: number;
    readonly readResult?: ReadResult;
}

interface Job extends JobOptions {
    readonly id: string;
    readonly kind: string;
    readonly startedAt: number;
    readonly deadline: number;
    readonly end: (end: JobEnd) => void;
    /** When it was last polled, and when it was last known to be running. */
    polledAt: number;
    seenRunningAt: number;
    /** How often the job was still running although the list did not contain it. */
    unlisted: number;
    /** Such a job is not queried again before this time. */
    queryNotBefore: number;
}

/** A job that takes less time than this, in milliseconds, has probably ended at the first poll. */
const SHORT = 1_000;

/** The poll of a job may be delayed by this fraction of the job's age, to combine it with the polls of other jobs. */
const COALESCING = 0.05;

/** The longest delay between polls after repeated failures, in milliseconds. */
const SLOWEST = 10_000;

/**
 * Waits for any number of jobs. Each poll lists the running jobs; a job that is no longer in the list is queried for
 * its result once, unless the result can be read from its entity. A single job is queried directly, and so are up to
 * two short jobs that are due before the others. `nextPoll` decides when to poll.
 */
export class JobPoller {
    private readonly source: JobSource;
    private readonly clock: Clock;
    private readonly jobs = new Set<Job>();
    private readonly durations = new Durations();
    private lastPoll = 0;
    private failures = 0;
    private lastFailure: Error | undefined;
    private canList = true;
    private working = false;
    private sleepAbort = new AbortController();

    constructor(source: JobSource, clock: Clock) {
        this.source = source;
        this.clock = clock;
    }

    /** Never rejects. */
    wait(id: string, options: JobOptions): Promise<JobEnd> {
        return new Promise((end) => {
            const now = this.clock.now();
            const deadline = now + options.timeoutSeconds * 1000;
            const times = { startedAt: now, deadline, polledAt: now, seenRunningAt: now, queryNotBefore: 0 };
            this.jobs.add({ id, kind: options.command, ...options, end, ...times, unlisted: 0 });
            this.sleepAbort.abort();
            void this.work();
        });
    }

    private async work(): Promise<void> {
        if (this.working) {
            return;
        }
        this.working = true;
        while (this.jobs.size > 0) {
            const wait = this.nextPollAt() - this.clock.now();
            if (wait > 0) {
                this.sleepAbort = new AbortController();
                await this.clock.sleep(wait, this.sleepAbort.signal);
            } else {
                await this.poll();
            }
        }
        this.working = false;
    }

    private nextPollAt(): number {
        const slowed = this.failures > 0 ? this.lastPoll + Math.min(SLOWEST, 500 * 2 ** this.failures) : 0;
        const due = [...this.dueTimes()];
        const [first, at] = due.reduce((one, other) => (other[1] < one[1] ? other : one));
        // Jobs that are due at nearly the same time share a poll.
        const latest = Math.min(at + COALESCING * (at - first.startedAt), ...due.map(([job]) => job.deadline));
        return Math.max(...due.map(([, time]) => (time <= latest ? time : at)), slowed);
    }

    /** When each job is due to be polled. */
    private dueTimes(): Map<Job, number> {
        const oldest = new Map<string, number>();
        for (const { kind, startedAt } of this.jobs) {
            oldest.set(kind, Math.min(startedAt, oldest.get(kind) ?? startedAt));
        }
        const dueTime = (job: Job): number => {
            const known = this.durations.of(job.kind);
            // Before the first job of a kind has ended, the age of the oldest is the least time that all of them take.
            const startedAt = known.expected === undefined ? oldest.get(job.kind)! : job.startedAt;
            const timing = { startedAt, ...known, typical: typicalDuration(job.kind) };
            return Math.min(Math.max(nextPoll(timing, job.polledAt), job.queryNotBefore), job.deadline);
        };
        return new Map([...this.jobs].map((job) => [job, dueTime(job)]));
    }

    private isShort({ kind }: Job): boolean {
        return (this.durations.of(kind).expected ?? typicalDuration(kind) ?? SHORT) < SHORT;
    }

    private async poll(): Promise<void> {
        const now = this.clock.now();
        const jobs = [...this.jobs];
        const due = [...this.dueTimes()].filter(([, at]) => at <= now).map(([job]) => job);
        // For one or two jobs that have ended, a list would be followed by as many queries.
        const short = jobs.filter((job) => this.isShort(job) && !job.readResult && job.unlisted === 0);
        const queryDirectly = short.length <= 2 && due.every((job) => short.includes(job));
        try {
            const queried = queryDirectly ? due : await this.unlistedJobs(jobs);
            const answers = await Promise.allSettled(
                queried.map((job) => this.queryJob(job, !queryDirectly && jobs.length > 1)),
            );
            const failed = answers.find((answer) => answer.status === "rejected");
            if (failed) {
                throw failed.reason;
            }
            this.failures = 0;
            this.lastFailure = undefined;
        } catch (error) {
            this.failures++;
            this.lastFailure = error as Error;
        }
        this.lastPoll = this.clock.now();
        for (const job of queryDirectly ? due : jobs) {
            job.polledAt = this.lastPoll;
            if (this.lastPoll >= job.deadline) {
                this.finish(job, { kind: "late", lastFailure: this.lastFailure });
            }
        }
    }

    /** The jobs to query for their result: those that are missing in the list of running jobs. */
    private async unlistedJobs(jobs: Job[]): Promise<Job[]> {
        const now = this.clock.now();
        const candidates = jobs.filter((job) => job.queryNotBefore <= now || job.deadline <= now);
        if (jobs.length === 1 || !this.canList || jobs.every((job) => job.unlisted > 0)) {
            return candidates;
        }
        try {
            const running = await this.source.running();
            const listed = jobs.filter(({ id }) => running.has(id));
            for (const job of listed) {
                job.seenRunningAt = now;
                job.unlisted = 0;
                job.queryNotBefore = 0;
            }
            return candidates.filter(({ id }) => !running.has(id));
        } catch (error) {
            if (!this.source.isFinal(error)) {
                throw error;
            }
            this.canList = false;
            return candidates;
        }
    }

    private async queryJob(job: Job, expectedToHaveEnded: boolean): Promise<void> {
        const queriedAt = this.clock.now();
        try {
            const jobresult = expectedToHaveEnded && job.unlisted === 0 ? await this.readResult(job) : undefined;
            const answer = jobresult ? { jobstatus: 1, jobresult } : await this.source.query(job.id);
            if (answer.jobstatus !== 0) {
                this.durations.learn(job.kind, job.seenRunningAt - job.startedAt, this.clock.now() - job.startedAt);
                this.finish(job, { kind: "ended", answer });
                return;
            }
            job.seenRunningAt = queriedAt;
            if (expectedToHaveEnded && this.canList) {
                job.unlisted++;
                job.queryNotBefore = queriedAt + Math.min(5_000, 500 * 2 ** job.unlisted);
            }
        } catch (error) {
            if (!this.source.isFinal(error)) {
                throw error;
            }
            this.finish(job, { kind: "lost", error: error as Error });
        }
    }

    /** Errors are ignored here: the job is queried then. */
    private async readResult(job: Job): Promise<object | undefined> {
        return this.canList ? job.readResult?.().catch(() => undefined) : undefined;
    }

    private finish(job: Job, end: JobEnd): void {
        if (this.jobs.delete(job)) {
            job.end(end);
        }
    }
}
