import type { CoalescedReads, Session } from "./session";

/** A kind of resource for which a preview warns if it no longer exists in the cloud. */
export interface Watched {
    /** The reads that list this kind. */
    reads(session: Session): CoalescedReads<Listed>;
    /** Whether one in this state counts as deleted. */
    isGone(state: string): boolean;
    /** The advice in the warning. */
    readonly remedy: string;
}

interface Listed {
    readonly id: string;
    readonly state: string;
}

/** How long a run waits for the list, in milliseconds. It is short because the list is only needed for a warning. */
const TIMEOUT = 10_000;

/** Clouds that did not answer in time and are not asked again. */
const silent = new WeakSet<Session>();

/**
 * Whether a resource in the state no longer exists in the cloud. This needs one list of the kind per process; a
 * resource that is not in the list is also read by its id. If the cloud does not answer, the resource is assumed to
 * exist.
 */
export async function isMissing(id: string, { reads, isGone }: Watched, session: Session): Promise<boolean> {
    if (silent.has(session)) return false;
    const from = reads(session);
    const isThere = await withTimeout(
        from
            .before()
            .then((all) => all.find((item) => item.id === id) ?? from.get(id))
            .then((item) => item !== undefined && !isGone(item.state)),
    );
    if (isThere === undefined) silent.add(session);
    return isThere === false;
}

/** The answer, or `undefined` after the timeout. */
async function withTimeout<T>(answer: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), TIMEOUT)));
    try {
        return await Promise.race([answer.catch(() => undefined), limit]);
    } finally {
        clearTimeout(timer);
    }
}
