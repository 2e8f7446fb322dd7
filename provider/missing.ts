import type { CoalescedReads, Session } from "./session";

/** A kind of resource of which a preview is told what the cloud has not any more. */
export interface Watched {
    /** Where the cloud lists them. */
    reads(session: Session): CoalescedReads<Listed>;
    /** Whether one in this state is as good as gone. */
    isGone(state: string): boolean;
    /** What a refresh and an update then do. */
    readonly remedy: string;
}

interface Listed {
    readonly id: string;
    readonly state: string;
}

/** How long a run waits for the cloud to tell what it has, in milliseconds: it is asked for a warning only. */
const PATIENCE = 10_000;

/** Clouds that did not answer, which are not asked again. */
const silent = new WeakSet<Session>();

/**
 * Whether what the state has is not in the cloud any more. That costs one list of the kind per process; only what it lacks is asked for by
 * its id. Where the cloud does not answer, nothing is said to be gone.
 */
export async function isMissing(id: string, { reads, isGone }: Watched, session: Session): Promise<boolean> {
    if (silent.has(session)) return false;
    const from = reads(session);
    const isThere = await withinPatience(
        from
            .before()
            .then((all) => all.find((item) => item.id === id) ?? from.get(id))
            .then((item) => item !== undefined && !isGone(item.state)),
    );
    if (isThere === undefined) silent.add(session);
    return isThere === false;
}

/** The answer, or `undefined` where there is none in time. */
async function withinPatience<T>(answer: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), PATIENCE)));
    try {
        return await Promise.race([answer.catch(() => undefined), limit]);
    } finally {
        clearTimeout(timer);
    }
}
