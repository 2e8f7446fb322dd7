import type { TimedPlace } from "../cloudLifecycle";
import { cloudLifecycle } from "../cloudLifecycle";
import { markFor } from "../marks";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, isUnknown } from "../handler";
import { replacedBy } from "../references";
import type { ApiSecurityGroup, Session } from "../session";
import { applyRules } from "./apply";
import { checkRules } from "./check";
import { foundRuleInputs } from "./foundRules";
import { claimsOf } from "./ruleClaims";
import type { ActualRule } from "./rules";
import { actualRules, normalKey, wantedRules } from "./rules";
import { claimantOf, keys, managedOf, rest, rulesDiffer } from "./state";

/** Rules of a group that is another resource, or that was not created by this stack. */
export const securityGroupRules = cloudLifecycle({
    kind: "rules of security group",
    nameOutput: "groupName",

    async check(problems, inputs, olds): Promise<void> {
        problems.requiredString(inputs, "securityGroup", "give the id of a SecurityGroup");
        problems.ids(
            { securityGroup: inputs.securityGroup === undefined ? undefined : [inputs.securityGroup] },
            "securityGroup",
            "the id of a SecurityGroup (group.id)",
        );
        problems.timeouts(inputs);
        checkRules(problems, inputs);
        if (olds !== undefined || problems.list.length > 0 || isUnknown(inputs.securityGroup)) return;
        claimsOf(inputs.securityGroup).want(claimantOf(inputs), keys(wantedRules(inputs).rules));
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["securityGroup", "project"]);
        const named = { ...news, name: olds.groupName };
        const changes =
            replaces.length > 0 ||
            rulesDiffer(olds.securityGroup, claimantOf(news), managedOf(olds), named) ||
            inheritance(olds.securityGroup, news, olds).length > 0;
        return { changes, replaces, deleteBeforeReplace: false };
    },

    async create(inputs, { session, cloud, deadline }) {
        const group = await groupOf(session, inputs);
        const id = `${group.id}/${markFor(inputs.owner)}`;
        return { id, outs: await giveRules(id, group.name, {}, inputs, { session, cloud, deadline }) };
    },

    async read(_id, outputs, { session, cloud }) {
        const managed = managedOf(outputs);
        claimsOf(outputs.securityGroup).hold(claimantOf(outputs), managed);
        const group = await session.securityGroups.get(outputs.securityGroup);
        if (group === undefined) return undefined;
        const actual = keys(actualRules(group));
        return {
            ...outputs,
            groupName: group.name,
            managedRules: managed.filter((key) => actual.includes(key)),
            cloud,
        };
    },

    found: (_id, last, found) => foundRuleInputs(last, found),

    async update(id, olds, inputs, at) {
        return giveRules(id, olds.groupName, olds, inputs, at);
    },

    async delete(_id, outputs, { session, deadline }) {
        const managed = managedOf(outputs);
        const owner = claimantOf(outputs);
        const removable = ({ key }: ActualRule) => managed.includes(key);
        await applyRules(session, outputs.securityGroup, { owner, wanted: [], removable, deadline });
    },
});

/** Applies the rules to the group. @returns the outputs */
async function giveRules(
    id: string,
    groupName: string,
    olds: Outputs,
    inputs: Inputs,
    { session, cloud, deadline }: TimedPlace,
): Promise<Outputs> {
    const groupId: string = inputs.securityGroup;
    const { rules: wanted } = wantedRules({ ...inputs, name: groupName });
    const before = [...managedOf(olds), ...inheritance(groupId, inputs, olds)];
    const tookOver = inputs.ofGroup === true ? claimsOf(groupId).inheritance : [];
    const outs = { ...rest(inputs), groupName, ...(tookOver.length > 0 ? { tookOver } : {}), cloud };
    const removable = ({ key }: ActualRule) => before.includes(key);
    const owner = claimantOf(inputs);
    try {
        const now = await applyRules(session, groupId, { owner, wanted, removable, deadline });
        if (now === undefined) throw new Error(`security group ${groupName} (${groupId}) not found`);
    } catch (error) {
        const managedRules = [...new Set([...before, ...keys(wanted)])];
        throw new PartialFailure((error as Error).message, id, { ...outs, managedRules }, inputs);
    }
    return { ...outs, managedRules: keys(wanted) };
}

/**
 * The rules that the group itself managed in a stack of version 0.1.0 and that are neither wanted nor handled yet. The
 * resource that the group now creates for its rules takes them over.
 */
function inheritance(groupId: string, inputs: Inputs, olds: Outputs): string[] {
    if (inputs.ofGroup !== true) return [];
    const wanted = keys(wantedRules({ ...inputs, name: olds.groupName }).rules);
    const done = [...wanted, ...(olds.tookOver ?? []).map(normalKey)];
    return claimsOf(groupId).inheritance.filter((key) => !done.includes(key));
}

async function groupOf(session: Session, inputs: Inputs): Promise<ApiSecurityGroup> {
    const id: string = inputs.securityGroup;
    const group = await claimsOf(id).look(() => session.securityGroups.get(id));
    if (group === undefined) throw new Error(`security group ${id} not found`);
    return group;
}
