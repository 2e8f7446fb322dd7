import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readFault } from "./answers";
import { CloudStackError } from "./errors";
import { hintFor } from "./hints";
import { type JobOptions, JobPoller, type JobSource } from "./jobs";
import { listAll } from "./lists";
import { type Locks, locksAt, locksOf } from "./locks";
import { encodeParams } from "./params";
import { kindOf } from "./pollInterval";
import { Projects } from "./projects";
import { Requests, type RequestOptions } from "./requests";
import { startJob } from "./start";
import type { Accepted, ClientSettings, Clock, Params } from "./types";

export interface ClientOptions extends RequestOptions, Partial<Clock> {}

/** How a job runs relative to other jobs. */
export interface RunOptions {
    /**
     * The id of the row that CloudStack locks for the command, where the parameters do not contain it: the security
     * group of a rule that is revoked, the machine of a volume. Commands with the same id never run concurrently.
     */
    readonly queue?: string;
    /** The id of the job. Default: a random one. */
    readonly jobId?: string;
    /** Receives the answer to the command, before its job ends. */
    readonly onAccepted?: (accepted: Accepted) => void;
}

/** Errors that do not concern the job: too many calls, a server that is starting or stopping, an internal error. */
const TRANSIENT_CODES = new Set([429, 503, 530]);

const realClock: Clock = {
    now: Date.now,
    // An aborted sleep is no error.
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
};

/**
 * CloudStack's API for one account: signed commands, complete lists, jobs. There is one client per process and cloud,
 * because all jobs share a poller and all requests share a concurrency limit.
 */
export class Client {
    readonly settings: ClientSettings;
    private readonly clock: Clock;
    private readonly requests: Requests;
    private readonly projects: Projects;
    private readonly poller: JobPoller;
    private readonly locks: Locks;

    /**
     * @param options.log receives one line per request and retry, without secrets
     */
    constructor(settings: ClientSettings, options: ClientOptions = {}) {
        this.settings = settings;
        this.clock = { now: options.now ?? realClock.now, sleep: options.sleep ?? realClock.sleep };
        this.requests = new Requests(settings, this.clock, options);
        this.projects = new Projects(settings, (command, params) => this.list(command, params));
        this.poller = new JobPoller(this.jobSource(), this.clock);
        this.locks = locksAt(settings.endpoint);
    }

    /** The number of HTTP requests so far. */
    get calls(): number {
        return this.requests.count;
    }

    /** The id of the project in the settings; `undefined` when they name none. */
    async projectId(): Promise<string | undefined> {
        return this.projects.current();
    }

    /**
     * Sends a command and returns the inner object of its response, such as `{ securitygroup: {…} }`. It is retried
     * where that is safe; a change whose response was lost is not. Waits while another command of this process holds a
     * lock that CloudStack would take for this command.
     * @throws CloudStackError
     */
    async call<T = any>(command: string, params: Params = {}): Promise<T> {
        const done = await this.locks.withLocks(this.locksOf(command, params), () => this.send<T>(command, params));
        return done!.result;
    }

    private async send<T = any>(command: string, params: Params): Promise<T> {
        return this.requests.send(command, encode(command, await this.projects.scope(command, params)));
    }

    private locksOf(command: string, params: Params): string[] {
        const { apiKey, project } = this.settings;
        return locksOf(command, params, `account of ${project ?? apiKey}`);
    }

    /** All entries of a list command, from all pages. */
    async list<T = any>(command: string, params: Params = {}): Promise<T[]> {
        return listAll<T>((name, paged) => this.call(name, paged), command, params);
    }

    /**
     * The only entry of a list, with exactly the given name if one is given. (The parameter `name` of CloudStack's list
     * commands also matches a part of the name.)
     * @returns `undefined` when there is none
     * @throws CloudStackError when there are several
     */
    async one<T extends { id?: string; name?: string } = any>(
        command: string,
        params: Params = {},
        exactName?: string,
    ): Promise<T | undefined> {
        const found = (
            await this.list<T>(command, exactName === undefined ? params : { name: exactName, ...params })
        ).filter(({ name }) => exactName === undefined || name === exactName);
        if (found.length > 1) {
            const ids = found.map(({ id }) => id).join(", ");
            const named = exactName === undefined ? "" : ` are named "${exactName}"`;
            const errorText = `${found.length} entries${named}: ${ids}`;
            throw new CloudStackError({ command, outcome: "unsent", errorText, hint: "Give the id." });
        }
        return found[0];
    }

    /**
     * Sends an asynchronous command without waiting for locks; commands that take a lock are sent with `run`. After a
     * lost response, the job is looked up by the job id that the client chose.
     * @throws CloudStackError; with outcome `unknown` when a creating command may have been executed
     */
    async start(command: string, params: Params = {}, jobId: string = randomUUID()): Promise<Accepted> {
        return startJob((name, own) => this.send(name, own), this.clock, command, params, jobId);
    }

    /** Waits, by the client's clock. */
    async pause(milliseconds: number): Promise<void> {
        await this.clock.sleep(milliseconds);
    }

    /** The time of the server's clock in milliseconds since the epoch; of the local clock before its first response. */
    now(): number {
        return this.requests.now();
    }

    /**
     * Waits for a job.
     * @returns its result, such as `{ virtualmachine: {…} }`
     * @throws CloudStackError with outcome `failed`, `pending` when it still runs after `timeoutSeconds`, or `unknown`
     * when CloudStack does not return the result
     */
    async wait<T = any>(jobId: string, options: JobOptions): Promise<T> {
        const { command, timeoutSeconds } = options;
        const end = await this.poller.wait(jobId, options);
        if (end.kind === "late") {
            const failure = end.lastFailure ? ` (the last poll failed: ${end.lastFailure.message})` : "";
            throw new CloudStackError({
                command,
                outcome: "pending",
                jobId,
                errorText: `the job still runs after ${Math.ceil(timeoutSeconds)} s${failure}`,
                hint: "It continues in the cloud; a longer timeoutSeconds waits for it.",
            });
        }
        if (end.kind === "lost") {
            const { errorText, errorCode, csErrorCode, httpStatus, hint } = end.error as CloudStackError;
            throw new CloudStackError({
                command,
                outcome: "unknown",
                jobId,
                errorText: `the result of the job is unknown: ${errorText}`,
                errorCode,
                csErrorCode,
                httpStatus,
                hint,
            });
        }
        if (end.answer.jobstatus === 1) {
            return end.answer.jobresult ?? {};
        }
        const fault = readFault(end.answer.jobresult) ?? { errorText: "the job failed without a reason" };
        const errorText = this.requests.clean(fault.errorText);
        const hint = hintFor({ ...fault, command, settings: this.settings });
        throw new CloudStackError({ command, outcome: "failed", jobId, ...fault, errorText, hint });
    }

    /**
     * `start` and `wait`. Commands that take the same lock in CloudStack run one after another; the locks are derived
     * from the parameters, plus `queue`. The time spent waiting for the lock counts towards `timeoutSeconds`.
     * @throws CloudStackError with outcome `unsent` when the lock is not free in time
     */
    async run<T = any>(
        command: string,
        params: Params | undefined,
        options: Omit<JobOptions, "command"> & RunOptions,
    ): Promise<T> {
        const { queue, jobId, onAccepted, timeoutSeconds, ...others } = options;
        const keys = [...new Set([...this.locksOf(command, params ?? {}), ...(queue === undefined ? [] : [queue])])];
        const deadline = this.clock.now() + timeoutSeconds * 1000;
        const done = await this.locks.withLocks(
            keys,
            async () => {
                const accepted = await this.start(command, params, jobId);
                onAccepted?.(accepted);
                const { jobid } = accepted;
                const left = Math.max(0, deadline - this.clock.now()) / 1000;
                return this.wait<T>(jobid, { command, kind: kindOf(command, params), timeoutSeconds: left, ...others });
            },
            (signal) => this.clock.sleep(timeoutSeconds * 1000, signal),
        );
        if (done !== undefined) return done.result;
        throw new CloudStackError({
            command,
            outcome: "unsent",
            errorText: `other changes to the same resource took all of the ${timeoutSeconds} s`,
            hint: "A longer timeoutSeconds waits for them.",
        });
    }

    /** The requests of the poller. A job belongs to the account that started it, also when it works in a project. */
    private jobSource(): JobSource {
        // Not retried: the poller asks again anyway.
        const ask = (command: string, params: Params): Promise<any> =>
            this.requests.send(command, encode(command, params), { urgent: true });
        return {
            running: async () => {
                const jobs = await listAll<{ jobid: string; jobstatus?: number }>(ask, "listAsyncJobs", {});
                return new Set(jobs.filter(({ jobstatus }) => !jobstatus).map(({ jobid }) => jobid));
            },
            query: (jobid) => ask("queryAsyncJobResult", { jobid }),
            isFinal: (error) =>
                error instanceof CloudStackError &&
                error.outcome === "refused" &&
                !TRANSIENT_CODES.has(error.errorCode ?? error.httpStatus ?? 0),
        };
    }
}

function encode(command: string, params: Params): [string, string][] {
    try {
        return encodeParams(params);
    } catch (error) {
        throw new CloudStackError({ command, outcome: "unsent", errorText: (error as Error).message });
    }
}
