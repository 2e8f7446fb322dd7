import { isCreate, mayCreateDuplicate } from "./commands";
import { CloudStackError } from "./errors";
import type { Accepted, Clock, Params } from "./types";

type Call = (command: string, params: Params) => Promise<any>;

/** Waits before each look-up of a job whose response was lost: the server may still be processing the request. */
const LOOKUP_WAITS = [0, 1_000, 3_000];

/**
 * More look-ups for a command that would create a duplicate if its caller sent it again while the first is only slow.
 */
const DUPLICATE_LOOKUP_WAITS = [5_000, 10_000, 15_000];

/** How often a command that creates nothing is sent at most. */
const ATTEMPTS = 3;

/**
 * Sends an asynchronous command with a job id chosen by the client (`customjobid`), so that the job can be looked up
 * after a lost response. If the job does not exist, a command that creates nothing is sent again under the same id;
 * CloudStack refuses the second one if the first did arrive.
 * @throws CloudStackError with outcome `unknown` for a creating command whose job is not found; the caller then
 * searches for the entity by its owner mark
 */
export async function startJob(
    call: Call,
    clock: Clock,
    command: string,
    params: Params,
    jobId: string,
): Promise<Accepted> {
    let unknownOutcome: CloudStackError | undefined;
    for (let attempt = 1; ; attempt++) {
        try {
            const { jobid, id } = await call(command, { ...params, customjobid: jobId });
            return accepted(jobid, id);
        } catch (error) {
            if (!(error instanceof CloudStackError)) {
                throw error;
            }
            const lost = error.outcome === "unknown";
            unknownOutcome = lost ? error : unknownOutcome;
            const job =
                unknownOutcome &&
                (await find(
                    call,
                    clock,
                    jobId,
                    unknownOutcome,
                    mayCreateDuplicate(command) ? [...LOOKUP_WAITS, ...DUPLICATE_LOOKUP_WAITS] : LOOKUP_WAITS,
                ));
            if (job) {
                return job;
            }
            if (!lost || isCreate(command) || attempt === ATTEMPTS) {
                // The job id identifies the request if it arrives later.
                throw lost ? new CloudStackError({ ...error, jobId }) : error;
            }
        }
    }
}

/** The job, or `undefined` when CloudStack does not know it. */
async function find(
    call: Call,
    clock: Clock,
    jobId: string,
    unknownOutcome: CloudStackError,
    waits: readonly number[],
): Promise<Accepted | undefined> {
    for (const wait of waits) {
        await clock.sleep(wait);
        try {
            const answer = await call("queryAsyncJobResult", { jobid: jobId });
            return accepted(jobId, answer.jobinstanceid);
        } catch (error) {
            if (!(error instanceof CloudStackError)) {
                throw error;
            }
            if (error.errorCode !== 431) {
                // The look-up failed, too, so the outcome of the command remains unknown.
                throw unknownOutcome;
            }
        }
    }
    return undefined;
}

function accepted(jobid: string, id: unknown): Accepted {
    return typeof id === "string" ? { jobid, id } : { jobid };
}
