import { isCreate, mayDouble } from "./commands";
import { CloudStackError } from "./errors";
import type { Accepted, Clock, Params } from "./types";

type Call = (command: string, params: Params) => Promise<any>;

/** Waits between looks for a job whose answer was lost: the request may still be on its way through the server. */
const LOOKS = [0, 1_000, 3_000];

/** The same before a command is sent again that would make a second thing, should the first be only slow. */
const MORE_LOOKS = [5_000, 10_000, 15_000];

/** How often a command that creates nothing is sent. */
const SENDINGS = 3;

/**
 * Sends an asynchronous command with a job id of our choice (`customjobid`), so that a lost answer does not leave us in
 * doubt: the job is looked up. Only when it is not there, a command that creates nothing is sent again, under the same
 * id, which CloudStack refuses if the first did arrive after all.
 * @throws CloudStackError with outcome `unknown` for a creating command whose job is not found: its caller looks for
 * its mark
 */
export async function startJob(
    call: Call,
    clock: Clock,
    command: string,
    params: Params,
    jobId: string,
): Promise<Accepted> {
    let doubt: CloudStackError | undefined;
    for (let sending = 1; ; sending++) {
        try {
            const { jobid, id } = await call(command, { ...params, customjobid: jobId });
            return accepted(jobid, id);
        } catch (error) {
            if (!(error instanceof CloudStackError)) {
                throw error;
            }
            const lost = error.outcome === "unknown";
            doubt = lost ? error : doubt;
            const job =
                doubt &&
                (await find(call, clock, jobId, doubt, mayDouble(command) ? [...LOOKS, ...MORE_LOOKS] : LOOKS));
            if (job) {
                return job;
            }
            if (!lost || isCreate(command) || sending === SENDINGS) {
                // With the job's id: what arrives later is known by it.
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
    doubt: CloudStackError,
    looks: readonly number[],
): Promise<Accepted | undefined> {
    for (const wait of looks) {
        await clock.sleep(wait);
        try {
            const answer = await call("queryAsyncJobResult", { jobid: jobId });
            return accepted(jobId, answer.jobinstanceid);
        } catch (error) {
            if (!(error instanceof CloudStackError)) {
                throw error;
            }
            if (error.errorCode !== 431) {
                // We still do not know, and cannot: the doubt is the truth to tell.
                throw doubt;
            }
        }
    }
    return undefined;
}

function accepted(jobid: string, id: unknown): Accepted {
    return typeof id === "string" ? { jobid, id } : { jobid };
}
