import { CloudStackError } from "../client";
import type { ApiSecurityGroup, Session } from "../session";
import { isGone } from "../session";
import { applyRules } from "./apply";
import { actualRules } from "./rules";

const RETRY_MS = 2000;
/** How long a group may be held by something that this run cannot wait for, in milliseconds. */
const PATIENCE_MS = 20_000;

/**
 * Deletes a group. Rules that name the group itself would hold it (536), so they go first; a group that machines hold which are being
 * expunged is tried again until they are gone.
 */
export async function deleteGroup(session: Session, id: string, deadline: number): Promise<void> {
    const group = await session.securityGroups.get(id);
    if (group === undefined) return;
    await applyRules(session, group, [], (rule) => rule.group === group.name, deadline);
    const started = Date.now();
    for (;;) {
        try {
            await session.change("deleteSecurityGroup", { id });
            return;
        } catch (error) {
            if (isGone(error)) return;
            if (!(error instanceof CloudStackError) || error.errorCode !== 536) throw error;
            const holders = await holdersOf(session, group);
            const patience = Math.min(deadline, holders.length === 0 ? deadline : started + PATIENCE_MS);
            if (Date.now() + RETRY_MS > patience) throw new Error(heldBy(error, group, holders));
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        } finally {
            session.securityGroups.changed();
        }
    }
}

/** What is seen to hold the group: rules of other groups and living machines. Machines that wait to be expunged are not seen by a tenant. */
async function holdersOf(session: Session, group: ApiSecurityGroup): Promise<string[]> {
    session.securityGroups.changed();
    session.machines.changed();
    const [groups, machines] = await Promise.all([session.securityGroups.all(), session.machines.all()]);
    return [
        ...groups
            .filter((other) => actualRules(other).some((rule) => rule.group === group.name))
            .map((other) => `a rule of security group ${other.name}`),
        ...machines
            .filter((machine) => machine.securitygroup?.some((member) => member.id === group.id))
            .map((machine) => `machine ${machine.name} (${machine.state})`),
    ];
}

function heldBy(error: CloudStackError, group: ApiSecurityGroup, holders: string[]): string {
    const by =
        holders.length > 0
            ? `It is held by ${holders.join(", ")}: remove that first.`
            : "Nothing that the account can see holds it: a machine that was destroyed keeps its groups until the cloud expunges it (a day by default).";
    return `security group ${group.name} cannot be deleted yet. ${by}\n${error.message}`;
}
