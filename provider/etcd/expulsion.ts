import { removedPrefix } from "./names";
import { EtcdError, type Gateway, type ListedMember } from "./gateway";
import { listed, type Members } from "./health";

/**
 * Takes a member out of its cluster for good: etcd remembers it first, so that its machine does not join again.
 *
 * @param list of all members, as `endpoint` tells it
 */
export async function removeMember(
    gateway: Gateway,
    endpoint: string,
    list: readonly ListedMember[],
    member: ListedMember,
    name: string,
): Promise<void> {
    await gateway.put(endpoint, removedPrefix + name, new Date().toISOString());
    await handOver(gateway, member, list);
    try {
        await gateway.remove(endpoint, member.ID);
    } catch (error) {
        // A removed member answers with "not found": somebody was faster, or an answer was lost.
        if (!(error instanceof EtcdError && /not found/i.test(error.message))) throw error;
    }
}

/** Lets members join that were taken out before. @returns whether there is a cluster to tell */
export async function readmit(gateway: Gateway, asked: Members, names: readonly string[]): Promise<boolean> {
    const found = await listed(gateway, asked);
    if (found === undefined) return false;
    for (const name of names) await gateway.forget(found.endpoint, removedPrefix + name);
    return true;
}

/** Whoever leads hands over first: that takes milliseconds, an election takes seconds. */
async function handOver(gateway: Gateway, member: ListedMember, list: readonly ListedMember[]): Promise<void> {
    const [own] = member.clientURLs ?? [];
    const status = own === undefined ? undefined : await gateway.status(own).catch(() => undefined);
    if (own === undefined || status === undefined || status.leader !== member.ID) return;
    const heir = list.find(({ ID, name, isLearner }) => ID !== member.ID && name && isLearner !== true);
    if (heir !== undefined) await gateway.moveLeader(own, heir.ID);
}
