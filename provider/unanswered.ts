import { CloudStackError } from "./client";
import type { Session } from "./session";
import { secondsUntil } from "./timeouts";

/**
 * A creating request that was never answered. It may be executed long after another request created the entity, of
 * which CloudStack accepts several.
 */
export interface Unanswered {
    /** The job id that the client chose. It proves that what this job creates belongs to this resource. */
    job: string;
    /** When it was sent, in milliseconds since the epoch. */
    sent: number;
}

/**
 * How long after sending such a request may still be executed, in milliseconds: its signature expires after ten
 * minutes.
 */
const MAY_ARRIVE_MS = 900_000;

/** The output `unanswered`, which lists requests that may still arrive; it is left out if there are none. */
export function unansweredOutput(requests: readonly Unanswered[]): { unanswered?: readonly Unanswered[] } {
    return requests.length === 0 ? {} : { unanswered: requests };
}

/** What these requests have created so far, and the requests that may still arrive. */
export async function arrivals(
    session: Session,
    requests: readonly Unanswered[],
    deadline: number,
): Promise<{ ids: string[]; open: Unanswered[] }> {
    const ids: string[] = [];
    const open: Unanswered[] = [];
    for (const request of requests) {
        const id = (await endOf(session, request.job, deadline))?.id;
        if (id !== undefined) ids.push(id);
        else if (Date.now() < request.sent + MAY_ARRIVE_MS) open.push(request);
    }
    return { ids, open };
}

/**
 * Deletes the duplicates that delayed requests have created.
 *
 * @param kept the id of the entity in the state
 * @param remove deletes a duplicate, unless it is in use
 * @returns the requests that may still arrive
 */
export async function removeSurplus(
    session: Session,
    requests: readonly Unanswered[],
    kept: string,
    deadline: number,
    remove: (id: string) => Promise<void>,
): Promise<Unanswered[]> {
    if (requests.length === 0) return [];
    const { ids, open } = await arrivals(session, requests, deadline);
    for (const id of ids.filter((other) => other !== kept)) await remove(id);
    return open;
}

/** A job that has created something. */
export interface EndedJob {
    /** What it has created; `undefined` if the job does not say so. */
    readonly id?: string;
    /** When it was accepted, in milliseconds since the epoch. */
    readonly created: number;
}

/** Waits for a job, also for one that fails. @returns `undefined` if CloudStack does not know the job */
export async function endOf(session: Session, job: string, deadline: number): Promise<EndedJob | undefined> {
    try {
        const { jobinstanceid, jobstatus, created } = await session.client.call("queryAsyncJobResult", { jobid: job });
        if (jobstatus === 0)
            await session.client
                .wait(job, { command: "job", timeoutSeconds: secondsUntil(deadline) })
                .catch(() => undefined);
        return { id: jobinstanceid, created: Date.parse(created) };
    } catch (error) {
        if (error instanceof CloudStackError && error.errorCode === 431) return undefined;
        throw error;
    }
}
