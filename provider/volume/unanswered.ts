import { CloudStackError } from "../client";
import type { Session } from "../session";
import { secondsUntil } from "../timeouts";

/** A `createVolume` that was sent and never answered: it may arrive long after another one has made the volume. */
export interface Unanswered {
    /** The id that we chose for its job: what that job has made is ours, and nobody else's. */
    job: string;
    /** When it was sent, in milliseconds since the epoch. */
    sent: number;
}

/** For so long such a request may arrive, in milliseconds: its signature expires after ten minutes. */
const MAY_ARRIVE_MS = 900_000;

/** What those requests have made by now, and which of them may still arrive. */
export async function arrivals(
    session: Session,
    requests: readonly Unanswered[],
    deadline: number,
): Promise<{ ids: string[]; open: Unanswered[] }> {
    const ids: string[] = [];
    const open: Unanswered[] = [];
    for (const request of requests) {
        const id = await instanceOf(session, request.job, deadline);
        if (id !== undefined) ids.push(id);
        else if (Date.now() < request.sent + MAY_ARRIVE_MS) open.push(request);
    }
    return { ids, open };
}

/**
 * Deletes the volumes that late requests have made beside the one that the state has: only those that are empty, since they
 * were never attached.
 *
 * @param kept the one that the state has
 * @returns the requests that may still arrive
 */
export async function removeSurplus(
    session: Session,
    requests: readonly Unanswered[],
    kept: string,
    deadline: number,
): Promise<Unanswered[]> {
    if (requests.length === 0) return [];
    const { ids, open } = await arrivals(session, requests, deadline);
    for (const id of ids.filter((other) => other !== kept)) {
        if (await isEmptyVolume(session, id)) await session.change("deleteVolume", { id });
    }
    session.volumes.changed();
    return open;
}

/** Whether a volume is there and never was attached to a machine. */
export async function isEmptyVolume(session: Session, id: string): Promise<boolean> {
    session.volumes.changed();
    const found = await session.volumes.get(id);
    return found !== undefined && found.state === "Allocated" && found.virtualmachineid === undefined;
}

/** What a job has made, once it has ended; `undefined` where CloudStack does not know the job. */
async function instanceOf(session: Session, job: string, deadline: number): Promise<string | undefined> {
    try {
        const { jobinstanceid, jobstatus } = await session.client.call("queryAsyncJobResult", { jobid: job });
        if (jobstatus === 0)
            await session.client
                .wait(job, { command: "createVolume", timeoutSeconds: secondsUntil(deadline) })
                .catch(() => undefined);
        return jobinstanceid;
    } catch (error) {
        if (error instanceof CloudStackError && error.errorCode === 431) return undefined;
        throw error;
    }
}
