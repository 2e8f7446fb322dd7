import type { Inputs } from "../handler";
import { hasUnknown, same } from "../handler";
import { isNamed, noteName } from "../knownNames";
import type { Problems } from "../lifecycle";
import { say } from "../lifecycle";
import type { Session } from "../session";

const LISTS = ["securityGroups", "affinityGroups", "sshKeyPairs"];

/**
 * Handles lists that are omitted or empty, which means the same: the account's `default` security group, no affinity
 * groups and no keys. An existing machine keeps its keys, because CloudStack cannot remove them.
 */
export async function checkLists(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<void> {
    for (const list of LISTS) {
        if (Array.isArray(inputs[list]) && inputs[list].length === 0) delete inputs[list];
    }
    if (olds === undefined) return;
    if (inputs.securityGroups === undefined && olds.securityGroups !== undefined)
        await toDefaultGroup(problems, inputs, session);
    if (inputs.sshKeyPairs === undefined && olds.sshKeyPairs?.length > 0)
        say(`machine ${inputs.name} keeps the key pairs ${olds.sshKeyPairs.join(", ")}: CloudStack cannot remove keys`);
    await learnNames(inputs, olds, session);
}

async function toDefaultGroup(problems: Problems, inputs: Inputs, session: Session): Promise<void> {
    const group = (await session.securityGroups.before()).find(({ name }) => name === "default");
    if (group === undefined)
        problems.add("securityGroups", "cannot be omitted: the account has no group `default`; list the groups");
    else inputs.securityGroups = [group.id];
}

/** Looks up the names of groups, which messages about their change use, unless this process knows them already. */
async function learnNames(inputs: Inputs, olds: Inputs, session: Session): Promise<void> {
    for (const list of ["securityGroups", "affinityGroups"] as const) {
        if (same(inputs[list], olds[list]) || hasUnknown(inputs[list])) continue;
        const ids: string[] = [inputs[list], olds[list]].filter(Array.isArray).flat();
        if (ids.every(isNamed)) continue;
        for (const { id, name } of await session[list].before()) noteName(id, name);
    }
}
