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

/** The states of all of a kind when this process first asked, by id. */
const firstLists = new WeakMap<CoalescedReads<Listed>, Promise<Map<string, string> | undefined>>();

/** Clouds that did not answer, which are not asked again. */
const silent = new WeakSet<Session>();

/**
 * Whether what the state has is not in the cloud any more. That costs one list of the kind per process; only what it lacks is asked for by
 * its id. Where the cloud does not answer, nothing is said to be gone.
 */
export async function isMissing(id: string, { reads, isGone }: Watched, session: Session): Promise<boolean> {
    if (silent.has(session)) return false;
    const from = reads(session);
    let first = firstLists.get(from);
    if (first === undefined) {
        first = withinPatience(from.before().then((all) => new Map(all.map((item) => [item.id, item.state]))));
        firstLists.set(from, first);
    }
    const listed = await first;
    const state = listed?.get(id);
    if (state !== undefined) return isGone(state);
    const asked =
        listed &&
        (await withinPatience(from.get(id).then((item) => ({ gone: item === undefined || isGone(item.state) }))));
    if (asked === undefined) silent.add(session);
    return asked?.gone === true;
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
