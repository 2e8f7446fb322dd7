import { removedPrefix } from "./names";
import { EtcdError, type Gateway, type ListedMember } from "./gateway";
import { listed, type Members } from "./health";

/**
 * Removes a member from its cluster permanently. This is recorded in etcd first, so that its machine does not join
 * again.
 *
 * @param list all members, as `endpoint` lists them
 */
export async function removeMember(
    gateway: Gateway,
    endpoint: string,
    list: readonly ListedMember[],
    member: ListedMember,
    name: string,
): Promise<void> {
    await gateway.put(endpoint, removedPrefix + name, new Date().toISOString());
    await transferLeadership(gateway, member, list);
    try {
        await gateway.remove(endpoint, member.ID);
    } catch (error) {
        // "not found" means that the member was removed already: concurrently, or by a request whose response was lost.
        if (!(error instanceof EtcdError && /not found/i.test(error.message))) throw error;
    }
}

/** Allows members to join that were removed before. @returns whether a member could be contacted */
export async function readmit(gateway: Gateway, asked: Members, names: readonly string[]): Promise<boolean> {
    const found = await listed(gateway, asked);
    if (found === undefined) return false;
    for (const name of names) await gateway.forget(found.endpoint, removedPrefix + name);
    return true;
}

/** Transfers the leadership if the member is the leader: this takes milliseconds, an election takes seconds. */
async function transferLeadership(
    gateway: Gateway,
    member: ListedMember,
    list: readonly ListedMember[],
): Promise<void> {
    const [own] = member.clientURLs ?? [];
    const status = own === undefined ? undefined : await gateway.status(own).catch(() => undefined);
    if (own === undefined || status === undefined || status.leader !== member.ID) return;
    const successor = list.find(({ ID, name, isLearner }) => ID !== member.ID && name && isLearner !== true);
    if (successor !== undefined) await gateway.moveLeader(own, successor.ID);
}
