import { CloudStackError } from "../client";
import type { ApiMachine, ApiSecurityGroup, Session } from "../session";
import { isGone } from "../session";
import { revoke } from "./calls";
import { claimsOf } from "./ruleClaims";
import { actualRules } from "./rules";

/** How long to wait before the first tries again, and between all later ones, in milliseconds. */
const RETRY_MS = [250, 500, 1000, 2000];
/** How long a group may be held by something that this run cannot wait for, in milliseconds. */
const PATIENCE_MS = 20_000;

/** What lets go of other groups at present, in this process. */
const revocations = new Set<Promise<unknown>>();

/**
 * Deletes a group. While any rule names a group, CloudStack refuses to delete that one (536), be it the rule of the group itself or of another
 * one that is deleted as well: so first go the rules that name groups, of all groups that are being deleted. All others go with
 * their group. A group that machines hold which are being expunged is tried again until they are gone.
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
 * Revokes a group's rules that name groups, unless machines that live are in it: those need them until they have left.
 *
 * @returns the group; `undefined` where it is gone
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

/** What is seen to hold the group: rules of other groups and living machines. Machines that wait to be expunged are not seen by a tenant. */
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

/** The machines in a group that the account sees. */
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
