import { CloudStackError } from "../client";
import type { ApiMachine, ApiSecurityGroup, Session } from "../session";
import { isGone } from "../session";
import { revoke } from "./calls";
import { claimsOf } from "./ruleClaims";
import { actualRules } from "./rules";

/** The waits before the first retries in milliseconds; the last one is repeated. */
const RETRY_MS = [250, 500, 1000, 2000];
/** How long to retry while rules or machines that the account can see use the group, in milliseconds. */
const PATIENCE_MS = 20_000;

/** The revocations of rules that name other groups that are currently running in this process. */
const revocations = new Set<Promise<unknown>>();

/**
 * Deletes a group. CloudStack refuses this (536) while any rule names the group as its source, even a rule of the group
 * itself or of another group that is being deleted. So the rules that name groups are revoked first, for all groups
 * that are being deleted. CloudStack deletes all other rules together with the group. While machines that are being
 * expunged use the group, the deletion is retried.
 */
export async function deleteGroup(session: Session, id: string, deadline: number): Promise<void> {
    const started = Date.now();
    for (let attempt = 0; ; attempt++) {
        const group = await revokeGroupRules(session, id, deadline);
        if (group === undefined) return;
        await Promise.all(revocations);
        try {
            await session.change("deleteSecurityGroup", { id });
            return;
        } catch (error) {
            if (isGone(error)) return;
            if (!(error instanceof CloudStackError) || error.errorCode !== 536) throw error;
            const users = await usersOf(session, group);
            const patience = Math.min(deadline, users.length === 0 ? deadline : started + PATIENCE_MS);
            const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
            if (Date.now() + wait > patience) throw new Error(inUseMessage(error, group, users));
            await new Promise((resolve) => setTimeout(resolve, wait));
        } finally {
            session.securityGroups.changed();
        }
    }
}

/**
 * Revokes a group's rules that name groups, unless the group has machines, which may still need these rules.
 *
 * @returns the group; `undefined` if it does not exist
 */
async function revokeGroupRules(session: Session, id: string, deadline: number): Promise<ApiSecurityGroup | undefined> {
    const work = claimsOf(id).inTurn(async () => {
        const group = await session.securityGroups.get(id);
        if (group === undefined) return undefined;
        const naming = actualRules(group).filter((rule) => rule.group !== undefined);
        if (naming.length === 0 || (await membersOf(session, group)).length > 0) return group;
        return revoke(session, group, naming, deadline);
    });
    const quiet = work.catch(() => undefined).finally(() => revocations.delete(quiet));
    revocations.add(quiet);
    return work;
}

/**
 * The visible users of a group: rules of groups, and machines. A tenant cannot see machines that wait to be expunged.
 */
async function usersOf(session: Session, group: ApiSecurityGroup): Promise<string[]> {
    session.securityGroups.changed();
    const [groups, machines] = await Promise.all([session.securityGroups.all(), membersOf(session, group)]);
    return [
        ...groups
            .filter((other) => actualRules(other).some((rule) => rule.group === group.name))
            .map((other) => `a rule of security group ${other.name}`),
        ...machines.map((machine) => `machine ${machine.name} (${machine.state})`),
    ];
}

/** The machines in a group that the account can see. */
async function membersOf(session: Session, group: ApiSecurityGroup): Promise<ApiMachine[]> {
    if (group.virtualmachineids?.length === 0) return [];
    session.machines.changed();
    const machines = await session.machines.all();
    return machines.filter((machine) => machine.securitygroup?.some((member) => member.id === group.id));
}

function inUseMessage(error: CloudStackError, group: ApiSecurityGroup, users: string[]): string {
    const by =
        users.length > 0
            ? `It is used by ${users.join(", ")}: remove that first.`
            : "Nothing that the account can see uses it: a destroyed machine keeps its groups until the cloud expunges it (after a day by default).";
    return `security group ${group.name} cannot be deleted yet. ${by}\n${error.message}`;
}
