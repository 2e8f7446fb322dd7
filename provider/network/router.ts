import { locksAt } from "../client/locks";
import type { Session } from "../session";

/** Networks that are known to have a virtual router, by cloud and id. */
const running = new Set<string>();

/**
 * Runs what starts the virtual router of isolated networks that have none yet: the start of a first machine, or the
 * assignment of an address. Only one such command runs at a time. The others would wait for a lock of CloudStack, and an
 * address that is assigned meanwhile would become a second address for source NAT, with which CloudStack can no longer
 * configure the network. Networks with a router are not waited for.
 */
export async function startingRouter<T>(
    session: Session,
    networkIds: readonly string[],
    work: () => Promise<T>,
): Promise<T> {
    const { endpoint } = session.client.settings;
    const waiting: string[] = [];
    for (const id of networkIds) if (!(await hasRouter(session, id))) waiting.push(id);
    if (waiting.length === 0) return work();
    const locks = locksAt(endpoint);
    const turn = await locks.withLocks(
        waiting.map((id) => `router of ${id}`),
        async () => {
            session.networks.changed();
            const started = await Promise.all(waiting.map((id) => hasRouter(session, id)));
            // Others need not wait for a command that no longer starts a router.
            if (started.every(Boolean)) return { begin: work };
            const result = await work();
            session.networks.changed();
            return { result };
        },
    );
    const { begin, result } = turn!.result;
    return begin === undefined ? (result as T) : begin();
}

/** Whether a network has a virtual router, or never has one. */
async function hasRouter(session: Session, id: string): Promise<boolean> {
    const key = `${session.client.settings.endpoint} ${id}`;
    if (running.has(key)) return true;
    const listed = (await session.catalogue.networks()).find((network) => network.id === id);
    const network = listed !== undefined && listed.type !== "Isolated" ? listed : await session.networks.get(id);
    if (network === undefined) return true;
    const isRunning = network.type !== "Isolated" || network.state === "Implemented";
    if (isRunning) running.add(key);
    return isRunning;
}
