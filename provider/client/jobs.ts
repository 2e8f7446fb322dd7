import { Durations, nextLook, typicalDuration } from "./pollInterval";
import type { Clock } from "./types";

/** The state of a job as `queryAsyncJobResult` gives it. */
export interface JobAnswer {
    jobstatus: number;
    jobresult?: any;
}

/** Where the poller gets its answers; every call is one request. */
export interface JobSource {
    /** Ids of the caller's jobs that still run (`listAsyncJobs` lists no others). */
    running(): Promise<Set<string>>;
    query(jobId: string): Promise<JobAnswer>;
    /** Whether a failed call says something for good (a refusal) rather than of this moment. */
    isFinal(error: unknown): boolean;
}

/** How a wait ended. */
export type JobEnd =
    { kind: "ended"; answer: JobAnswer } | { kind: "late"; lastFailure?: Error } | { kind: "lost"; error: Error };

/**
 * Reads from the thing itself that its job has done what it was to do, and returns the result that the job would tell;
 * `undefined` where only the job knows. One list then tells of many jobs.
 */
export type ReadResult = () => Promise<object | undefined>;

export interface JobOptions {
    readonly command: string;
    /** Jobs of one kind take about as long. Default: the command. */
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
    /** When it was last looked at, and when it was last seen running. */
    lookedAt: number;
    seenAt: number;
    /** How often it ran although the list did not have it, and until when it is not asked again for that. */
    unlisted: number;
    waitsUntil: number;
}

/** Below it a job has probably ended when it is first looked at, in milliseconds. */
const SHORT = 1_000;

/** By what part of its age a job's look waits for those of others. */
const TOGETHER = 0.05;

/** Failures in a row slow the poller down to this pace. */
const SLOWEST = 10_000;

/**
 * Waits for jobs, however many, with one list of the running ones per look; a job that has gone from the list is asked
 * for its result once, unless the result can be seen. A single job is asked directly, and so are two short ones that are
 * due before others. The pace is that of `nextLook`.
 */
export class JobPoller {
    private readonly source: JobSource;
    private readonly clock: Clock;
    private readonly jobs = new Set<Job>();
    private readonly durations = new Durations();
    private lastLook = 0;
    private failures = 0;
    private lastFailure: Error | undefined;
    private canList = true;
    private working = false;
    private nap = new AbortController();

    constructor(source: JobSource, clock: Clock) {
        this.source = source;
        this.clock = clock;
    }

    /** Never rejects. */
    wait(id: string, options: JobOptions): Promise<JobEnd> {
        return new Promise((end) => {
            const now = this.clock.now();
            const deadline = now + options.timeoutSeconds * 1000;
            const timing = { startedAt: now, deadline, lookedAt: now, seenAt: now, unlisted: 0, waitsUntil: 0 };
            this.jobs.add({ id, kind: options.command, ...options, end, ...timing });
            this.nap.abort();
            void this.work();
        });
    }

    private async work(): Promise<void> {
        if (this.working) {
            return;
        }
        this.working = true;
        while (this.jobs.size > 0) {
            const wait = this.nextLookAt() - this.clock.now();
            if (wait > 0) {
                this.nap = new AbortController();
                await this.clock.sleep(wait, this.nap.signal);
            } else {
                await this.look();
            }
        }
        this.working = false;
    }

    private nextLookAt(): number {
        const slowed = this.failures > 0 ? this.lastLook + Math.min(SLOWEST, 500 * 2 ** this.failures) : 0;
        const due = [...this.dueTimes()];
        const [first, at] = due.reduce((one, other) => (other[1] < one[1] ? other : one));
        // Several that are due nearly at once share a look.
        const patience = Math.min(at + TOGETHER * (at - first.startedAt), ...due.map(([job]) => job.deadline));
        return Math.max(...due.map(([, time]) => (time <= patience ? time : at)), slowed);
    }

    /** When each job is due to be looked at. */
    private dueTimes(): Map<Job, number> {
        const oldest = new Map<string, number>();
        for (const { kind, startedAt } of this.jobs) {
            oldest.set(kind, Math.min(startedAt, oldest.get(kind) ?? startedAt));
        }
        const dueTime = (job: Job): number => {
            const known = this.durations.of(job.kind);
            // Before the first of a kind has ended, the oldest shows how long all of them take at least.
            const startedAt = known.expected === undefined ? oldest.get(job.kind)! : job.startedAt;
            const timing = { startedAt, ...known, typical: typicalDuration(job.kind) };
            return Math.min(Math.max(nextLook(timing, job.lookedAt), job.waitsUntil), job.deadline);
        };
        return new Map([...this.jobs].map((job) => [job, dueTime(job)]));
    }

    private isShort({ kind }: Job): boolean {
        return (this.durations.of(kind).expected ?? typicalDuration(kind) ?? SHORT) < SHORT;
    }

    private async look(): Promise<void> {
        const now = this.clock.now();
        const jobs = [...this.jobs];
        const due = [...this.dueTimes()].filter(([, at]) => at <= now).map(([job]) => job);
        // A list that shows the ends of one or two would be followed by as many questions.
        const short = jobs.filter((job) => this.isShort(job) && !job.readResult && job.unlisted === 0);
        const singly = short.length <= 2 && due.every((job) => short.includes(job));
        try {
            const asked = singly ? due : await this.gone(jobs);
            const answers = await Promise.allSettled(asked.map((job) => this.ask(job, !singly && jobs.length > 1)));
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
        this.lastLook = this.clock.now();
        for (const job of singly ? due : jobs) {
            job.lookedAt = this.lastLook;
            if (this.lastLook >= job.deadline) {
                this.finish(job, { kind: "late", lastFailure: this.lastFailure });
            }
        }
    }

    /** Those to ask for their result: all that the list of running jobs does not have. */
    private async gone(jobs: Job[]): Promise<Job[]> {
        const now = this.clock.now();
        const askable = jobs.filter((job) => job.waitsUntil <= now || job.deadline <= now);
        if (jobs.length === 1 || !this.canList || jobs.every((job) => job.unlisted > 0)) {
            return askable;
        }
        try {
            const running = await this.source.running();
            const listed = jobs.filter(({ id }) => running.has(id));
            for (const job of listed) {
                job.seenAt = now;
                job.unlisted = 0;
                job.waitsUntil = 0;
            }
            return askable.filter(({ id }) => !running.has(id));
        } catch (error) {
            if (!this.source.isFinal(error)) {
                throw error;
            }
            this.canList = false;
            return askable;
        }
    }

    private async ask(job: Job, expectedToBeGone: boolean): Promise<void> {
        const asked = this.clock.now();
        try {
            const jobresult = expectedToBeGone && job.unlisted === 0 ? await this.readResult(job) : undefined;
            const answer = jobresult ? { jobstatus: 1, jobresult } : await this.source.query(job.id);
            if (answer.jobstatus !== 0) {
                this.durations.learn(job.kind, job.seenAt - job.startedAt, this.clock.now() - job.startedAt);
                this.finish(job, { kind: "ended", answer });
                return;
            }
            job.seenAt = asked;
            if (expectedToBeGone && this.canList) {
                job.unlisted++;
                job.waitsUntil = asked + Math.min(5_000, 500 * 2 ** job.unlisted);
            }
        } catch (error) {
            if (!this.source.isFinal(error)) {
                throw error;
            }
            this.finish(job, { kind: "lost", error: error as Error });
        }
    }

    /** Whatever fails here, the job itself can tell. */
    private async readResult(job: Job): Promise<object | undefined> {
        return this.canList ? job.readResult?.().catch(() => undefined) : undefined;
    }

    private finish(job: Job, end: JobEnd): void {
        if (this.jobs.delete(job)) {
            job.end(end);
        }
    }
}
