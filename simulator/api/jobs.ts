/**
 * Asynchronous jobs: accepted with the request, run one after the other if they work on the same record, and kept with
 * their results. A job that was interrupted by the end of the process is resumed at the next start.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { record, type Cloud } from "../cloud";
import type { Job } from "../state/records";
import { ApiError, internal, invalid, INTERNAL_TEXT } from "./errors";
import type { AsyncCommand, Request, Submission, Work } from "./command";
import type { Faults } from "./faults";
import { Timing } from "./timing";

/** How long results are kept (CloudStack's `job.expire.minutes`): a day, in milliseconds. */
const RETENTION = 86_400_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The longest timeout of a Node timer, in milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The result of a failed job: its access errors become internal ones, as in CloudStack. */
function toFailure(error: unknown): { code: number; text: string } {
    if (error instanceof ApiError) return { code: error.status === 531 ? 530 : error.status, text: error.message };
    return { code: 530, text: error instanceof Error ? error.message : INTERNAL_TEXT };
}

export class Jobs {
    private readonly cloud: Cloud;
    private readonly faults: Faults;
    private readonly commandOf: (name: string) => AsyncCommand;
    private readonly queues = new Map<string, Promise<void>>();
    private readonly stopping = new AbortController();
    /** The delays of a real server, if this cloud simulates them. */
    readonly timing: Timing;

    constructor(cloud: Cloud, faults: Faults, commandOf: (name: string) => AsyncCommand) {
        this.cloud = cloud;
        this.faults = faults;
        this.commandOf = commandOf;
        this.timing = new Timing(cloud, this.stopping.signal);
    }

    /**
     * Accepts a job. The record that `submit` creates is kept even if the custom job id is already in use, as in
     * CloudStack.
     *
     * @throws ApiError what `submit` throws; 431 if `customjobid` is not a UUID; 530 if it is in use
     */
    accept(name: string, command: AsyncCommand, request: Request): object {
        const chosen = request.arguments.customjobid as string | undefined;
        if (chosen !== undefined && !UUID.test(chosen)) throw invalid(`UUID: ${chosen} doesn't follow the UUID format`);
        const { store } = this.cloud;
        const accepted = store.transaction(() => {
            const submission = command.submit(request);
            if (chosen !== undefined && store.jobs.get(chosen) !== undefined) return undefined;
            return { submission, job: this.insert(name, command, request, submission, chosen ?? randomUUID()) };
        });
        // CloudStack's job queue reports this with another code than other internal errors.
        if (accepted === undefined) throw internal(9999);
        this.enqueue(accepted.job);
        const { created } = accepted.submission;
        return { ...(created === undefined ? {} : { id: created }), jobid: accepted.job.id };
    }

    private insert(name: string, command: AsyncCommand, request: Request, submission: Submission, id: string): Job {
        const { store } = this.cloud;
        const oldest = this.cloud.now() - RETENTION;
        for (const old of store.jobs.filter((job) => job.completed !== undefined && job.completed < oldest))
            store.jobs.remove(old.id);
        return store.jobs.insert({
            id,
            number: store.next("job"),
            command: name,
            accountId: request.caller.account.id,
            userId: request.caller.user.id,
            // The job's steps get the id of the created record as an additional argument.
            arguments: {
                ...request.arguments,
                ...(submission.created === undefined ? {} : { created: submission.created }),
            },
            instanceType: command.instanceType,
            instanceId: submission.instanceId,
            queue: submission.queue,
            created: this.cloud.now(),
            status: 0,
            resultCode: 0,
        });
    }

    /** Resumes the pending jobs of an earlier process, in their order. */
    resume(): number {
        const pending = this.cloud.store.jobs.filter((job) => job.status === 0);
        for (const job of pending) this.enqueue(job);
        return pending.length;
    }

    /** Stops without completing jobs; `resume` continues them. */
    async stop(): Promise<void> {
        this.stopping.abort();
        await Promise.allSettled(this.queues.values());
    }

    /** Resolves when no job is waiting or running. */
    async idle(): Promise<void> {
        while (this.queues.size > 0) await Promise.all(this.queues.values());
    }

    private enqueue(job: Job): void {
        const queue = this.timing.queueOf(job);
        const mine: Promise<void> = this.runAfter(job, this.queues.get(queue)).finally(() => {
            if (this.queues.get(queue) === mine) this.queues.delete(queue);
        });
        this.queues.set(queue, mine);
    }

    /**
     * Runs the job after the previous ones of its queue. A job that is not admitted fails immediately, but keeps its
     * place.
     */
    private async runAfter(job: Job, before: Promise<void> | undefined): Promise<void> {
        const refusal = job.started === undefined ? this.admit(job) : undefined;
        if (refusal !== undefined) this.fail(job.id, this.commandOf(job.command), refusal.error);
        await before;
        if (refusal === undefined) await this.run(job.id);
    }

    private admit(job: Job): { error: unknown } | undefined {
        try {
            this.commandOf(job.command).admit?.(this.work(job.id));
            return undefined;
        } catch (error) {
            return { error };
        }
    }

    private async run(id: string): Promise<void> {
        if (this.stopping.signal.aborted) return;
        const job = this.cloud.store.jobs.need(id);
        const command = this.commandOf(job.command);
        const turn = await this.timing.job(job);
        try {
            if (this.stopping.signal.aborted) return;
            const problem = await this.execute(id, command, turn.seconds);
            if (problem !== undefined) this.fail(id, command, problem.error);
        } finally {
            turn.end();
        }
    }

    /** Executes the job, which takes at least `least` seconds; returns its error if it fails. */
    private async execute(id: string, command: AsyncCommand, least: number): Promise<{ error: unknown } | undefined> {
        const { seconds, failure } = this.effectsOfFaults(this.cloud.store.jobs.need(id), least);
        const refusal = this.cloud.store.jobs.need(id).started === undefined ? this.begin(id, command) : undefined;
        const until = (this.cloud.store.jobs.need(id).started ?? this.cloud.now()) + seconds * 1000;
        // A failing job takes as long as a successful one.
        const [acted] = await Promise.allSettled([refusal ?? this.act(id, command), this.wait(until)]);
        if (this.stopping.signal.aborted) return undefined;
        if (refusal !== undefined) return refusal;
        if (acted.status === "rejected") return { error: acted.reason };
        return failure === undefined ? this.finish(id, command) : { error: failure };
    }

    /** The job's duration and failure according to the faults that apply to it. */
    private effectsOfFaults(job: Job, least: number): { seconds: number; failure?: ApiError } {
        const faults = this.faults.forJob(job.command, this.cloud.store.accounts.need(job.accountId).name);
        const seconds =
            faults.find((fault) => fault.kind === "jobSeconds")?.seconds ??
            Math.max(least, this.cloud.settings.jobSeconds);
        const fault = faults.find(({ kind }) => kind === "failJob");
        if (fault === undefined) return { seconds };
        return {
            seconds,
            failure: new ApiError(fault.status ?? 530, fault.text ?? "The job failed because of an injected fault."),
        };
    }

    private async act(id: string, command: AsyncCommand): Promise<void> {
        await command.act?.(this.work(id));
    }

    private begin(id: string, command: AsyncCommand): { error: unknown } | undefined {
        const { store } = this.cloud;
        try {
            store.transaction(() => {
                const memo = command.begin?.(this.work(id));
                store.jobs.change(id, { started: this.cloud.now(), memo });
            });
            return undefined;
        } catch (error) {
            return { error };
        }
    }

    private async wait(until: number): Promise<void> {
        const milliseconds = Math.min(until - this.cloud.now(), LONGEST_TIMER);
        if (milliseconds > 0)
            await sleep(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }

    private work(id: string): Work {
        const { store } = this.cloud;
        const job = store.jobs.need(id);
        const account = store.accounts.need(job.accountId);
        const caller = { user: store.users.need(job.userId), account, isAdmin: account.type === 1 };
        return { cloud: this.cloud, caller, arguments: job.arguments, method: "POST", job };
    }

    private finish(id: string, command: AsyncCommand): { error: unknown } | undefined {
        try {
            this.cloud.store.transaction(() => {
                const result = command.finish(this.work(id));
                this.complete(id, command, { status: 1, resultCode: 0, result });
            });
            return undefined;
        } catch (error) {
            return { error };
        }
    }

    private fail(id: string, command: AsyncCommand, error: unknown): void {
        const { code, text } = toFailure(error);
        const outcome = { status: 2, resultCode: code, result: { errorcode: code, errortext: text } } as const;
        const { store } = this.cloud;
        try {
            store.transaction(() => {
                if (store.jobs.need(id).started !== undefined) command.abandon?.(this.work(id));
                this.complete(id, command, outcome);
            });
        } catch {
            // `abandon` fails if its record no longer exists; the job fails nevertheless.
            store.transaction(() => this.complete(id, command, outcome));
        }
    }

    private complete(id: string, command: AsyncCommand, outcome: Pick<Job, "status" | "resultCode" | "result">): void {
        const job = this.cloud.store.jobs.change(id, { ...outcome, completed: this.cloud.now() });
        if (command.event === undefined) return;
        const result = outcome.status === 1 ? "Successfully completed" : "Error while";
        record(this.cloud, {
            type: command.event,
            level: outcome.status === 1 ? "INFO" : "ERROR",
            description: `${result} ${job.command}`,
            userId: job.userId,
            accountId: job.accountId,
            resourceId: job.instanceId,
            resourceType: job.instanceType,
        });
    }
}
