import { CloudStackError } from "../client";
import type { Session } from "../session";
import { secondsUntil } from "../timeouts";

/**
 * A `createVolume` request that was never answered. It may be executed long after another request created the volume.
 */
export interface Unanswered {
    /** The job id that the client chose. It proves that a volume created by this job belongs to this resource. */
    job: string;
    /** When it was sent, in milliseconds since the epoch. */
    sent: number;
}

/**
 * How long after sending such a request may still be executed, in milliseconds: its signature expires after ten
 * minutes.
 */
const MAY_ARRIVE_MS = 900_000;

/** The volumes that these requests have created so far, and the requests that may still arrive. */
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
 * Deletes duplicate volumes that delayed requests have created, if they are empty because they were never attached.
 *
 * @param kept the id of the volume in the state
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

/** Whether a volume exists and was never attached to a machine. */
export async function isEmptyVolume(session: Session, id: string): Promise<boolean> {
    session.volumes.changed();
    const found = await session.volumes.get(id);
    return found !== undefined && found.state === "Allocated" && found.virtualmachineid === undefined;
}

/** Waits for a job. @returns the id of the volume that it created; `undefined` if CloudStack does not know the job */
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
