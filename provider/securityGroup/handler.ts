import { createOrAdopt } from "../adopt";
import { claim } from "../claims";
import { cloudLifecycle } from "../cloudLifecycle";
import { formerOf, isFormer } from "../identity";
import { checkDescription, markFor, markIn, markedText, unmarkedText } from "../marks";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, echoOf, isUnknown, same } from "../handler";
import { announce, isInState, say } from "../lifecycle";
import { tagOwner, taggedOwner } from "../ownerTag";
import { replacedBy } from "../references";
import type { ApiSecurityGroup, CloudIdentity, Session } from "../session";
import { sessionFor } from "../session";
import { applyRules } from "./apply";
import { checkRules } from "./check";
import { foundRuleInputs } from "./foundRules";
import { deleteGroup } from "./remove";
import type { ActualRule } from "./rules";
import { actualRules, describeRule, normalKey, wantedRules } from "./rules";

export const securityGroup = cloudLifecycle({
    kind: "security group",
    marks: { rewritten: true },

    async check(problems, inputs, olds): Promise<void> {
        const name = problems.text(inputs, "name", "give the group a name");
        checkDescription(problems, inputs);
        if (name === "default")
            problems.add("name", '"default" is the group that CloudStack makes for every account: choose another name');
        problems.boolean(inputs, "exclusive");
        problems.timeouts(inputs);
        checkRules(problems, inputs);
        if (name === undefined) return;
        const session = sessionFor(inputs);
        claim(problems, session, inputs, "name", `resource ${inputs.owner}`, { what: "security group name", value: name });
        if (olds !== undefined) return;
        const taken = (await session.securityGroups.before()).find(
            (group) => group.name === name && !isFormer(inputs, group.id, ownerOf(group)),
        );
        if (taken !== undefined && ownerOf(taken) === inputs.owner) {
            if (formerOf(inputs) === undefined)
                say(`security group ${name} (${taken.id}) bears the mark of this resource and will be taken over`);
        } else if (taken !== undefined)
            problems.add(
                "name",
                `"${name}" is taken by security group ${taken.id} (${taken.description || "no description"}): choose another name, or delete that group`,
            );
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["name", "project"]);
        if (!isUnknown(news.description) && !same(olds.description ?? "", news.description ?? "")) {
            announce(
                news,
                `security group ${news.name} keeps its description "${olds.description ?? ""}": CloudStack cannot change it`,
            );
        }
        const renamed = olds.owner !== undefined && olds.owner !== news.owner;
        return { changes: replaces.length > 0 || renamed || rulesDiffer(olds, news), replaces, deleteBeforeReplace: false };
    },

    async create(inputs, { session, cloud, deadline }) {
        const group = await makeGroup(session, inputs);
        const { rules } = wantedRules(inputs);
        try {
            const now = await applyRules(session, group, rules, () => inputs.exclusive === true, deadline);
            return { id: group.id, outs: toOutputs(now, inputs, cloud, keys(rules)) };
        } catch (error) {
            throw new PartialFailure(
                (error as Error).message,
                group.id,
                toOutputs(group, inputs, cloud, keys(rules)),
                inputs,
            );
        }
    },

    async read(id, outputs, { session, cloud }) {
        const group = await session.securityGroups.get(id);
        if (group === undefined) return undefined;
        const found = toOutputs(
            group,
            { ...outputs, description: unmarkedText(group.description) || outputs.description },
            cloud,
            managedOf(outputs),
        );
        const added = found.unmanagedRules.filter((rule: string) => !(outputs.unmanagedRules ?? []).includes(rule));
        if (added.length > 0 && outputs.exclusive !== true) {
            say(
                `security group ${group.name} has got rules beside its own, left alone (exclusive: true would remove them): ${added.join("; ")}`,
            );
        }
        return found;
    },

    async found(id, last, found, { session }) {
        const group = found.exclusive === true ? await session.securityGroups.get(id) : undefined;
        const others = group === undefined ? [] : keys(actualRules(group)).filter((key) => !found.managedRules.includes(key));
        return foundRuleInputs(last, found, others);
    },

    async update(id, olds, inputs, { session, cloud, deadline }) {
        const group = await session.securityGroups.get(id);
        if (group === undefined)
            throw new Error(
                `security group ${olds.name} (${id}) is gone: run \`pulumi refresh\`, then \`pulumi up\` makes it again`,
            );
        if (olds.owner !== undefined && olds.owner !== inputs.owner)
            await tagOwner(session, "SecurityGroup", group, inputs.owner, deadline);
        const { rules } = wantedRules(inputs);
        const before = managedOf(olds);
        const echo = { ...inputs, description: olds.description };
        try {
            const now = await applyRules(
                session,
                group,
                rules,
                (rule) => inputs.exclusive === true || before.includes(rule.key),
                deadline,
            );
            return toOutputs(now, echo, cloud, keys(rules));
        } catch (error) {
            session.securityGroups.changed();
            const left = (await session.securityGroups.get(id).catch(() => undefined)) ?? group;
            throw new PartialFailure(
                (error as Error).message,
                id,
                toOutputs(left, echo, cloud, [...before, ...keys(rules)]),
                inputs,
            );
        }
    },

    async delete(id, _outputs, { session, deadline }) {
        await deleteGroup(session, id, deadline);
    },
});

/** Rules that somebody manages apart from the group itself: for groups that name each other. */
export const securityGroupRules = cloudLifecycle({
    kind: "rules of security group",
    nameOutput: "groupName",

    async check(problems, inputs): Promise<void> {
        problems.text(inputs, "securityGroup", "give the id of a SecurityGroup");
        problems.ids(
            { securityGroup: inputs.securityGroup === undefined ? undefined : [inputs.securityGroup] },
            "securityGroup",
            "the id of a SecurityGroup (group.id)",
        );
        problems.timeouts(inputs);
        checkRules(problems, inputs);
    },

    diff(_id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["securityGroup", "project"]);
        return {
            changes: replaces.length > 0 || rulesDiffer(olds, { ...news, name: olds.groupName }),
            replaces,
            deleteBeforeReplace: false,
        };
    },

    async create(inputs, { session, cloud, deadline }) {
        const group = await groupOf(session, inputs);
        const { rules } = wantedRules({ ...inputs, name: group.name });
        const id = `${group.id}/${markFor(inputs.owner)}`;
        const outs = { ...rest(inputs), groupName: group.name, managedRules: keys(rules), cloud };
        try {
            await applyRules(session, group, rules, () => false, deadline);
        } catch (error) {
            throw new PartialFailure((error as Error).message, id, outs, inputs);
        }
        return { id, outs };
    },

    async read(_id, outputs, { session, cloud }) {
        const group = await session.securityGroups.get(outputs.securityGroup);
        if (group === undefined) return undefined;
        const actual = keys(actualRules(group));
        return {
            ...outputs,
            groupName: group.name,
            managedRules: managedOf(outputs).filter((key) => actual.includes(key)),
            cloud,
        };
    },

    found: (_id, last, found) => foundRuleInputs(last, found),

    async update(id, olds, inputs, { session, cloud, deadline }) {
        const group = await groupOf(session, inputs);
        const { rules } = wantedRules({ ...inputs, name: group.name });
        const before = managedOf(olds);
        const outs = { ...rest(inputs), groupName: group.name, cloud };
        try {
            await applyRules(session, group, rules, (rule) => before.includes(rule.key), deadline);
        } catch (error) {
            throw new PartialFailure(
                (error as Error).message,
                id,
                { ...outs, managedRules: [...new Set([...before, ...keys(rules)])] },
                inputs,
            );
        }
        return { ...outs, managedRules: keys(rules) };
    },

    async delete(_id, outputs, { session, deadline }) {
        const group = await session.securityGroups.get(outputs.securityGroup);
        if (group === undefined) return;
        const managed = managedOf(outputs);
        await applyRules(session, group, [], (rule) => managed.includes(rule.key), deadline);
    },
});

function rulesDiffer(olds: Outputs, news: Inputs): boolean {
    const { rules, unknown } = wantedRules(news);
    const managed = managedOf(olds);
    const wanted = keys(rules);
    const unmanaged: string[] = olds.unmanagedRules ?? [];
    return (
        unknown || (news.exclusive === true && unmanaged.length > 0) || !same([...managed].sort(), [...wanted].sort())
    );
}

async function makeGroup(session: Session, inputs: Inputs): Promise<ApiSecurityGroup> {
    const params = { name: inputs.name, description: markedText(inputs.description, inputs.owner) };
    const isOurs = (group: ApiSecurityGroup) =>
        ownerOf(group) === inputs.owner || isFormer(inputs, group.id, ownerOf(group));
    try {
        return await createOrAdopt(
            async () => (await session.client.call("createSecurityGroup", params)).securitygroup,
            async () => {
                session.securityGroups.changed();
                return (await session.securityGroups.all()).find(
                    (group) => group.name === inputs.name && isOurs(group) && !isInState(group.id),
                );
            },
        );
    } finally {
        session.securityGroups.changed();
    }
}

/** The mark of a group: that of its description, unless it passed to another resource. */
function ownerOf(group: ApiSecurityGroup): string | undefined {
    return taggedOwner(group) ?? markIn(group.description);
}

async function groupOf(session: Session, inputs: Inputs): Promise<ApiSecurityGroup> {
    const group = await session.securityGroups.get(inputs.securityGroup);
    if (group === undefined) throw new Error(`there is no security group ${inputs.securityGroup} to give rules to`);
    return group;
}

/**
 * @param managed the keys of the rules that are the program's; those of them that the group has are kept, the others are missing. The rest of
 * a group's rules is only told where the group has any of its own here: else they are the business of `SecurityGroupRules`.
 */
function toOutputs(group: ApiSecurityGroup, inputs: Inputs, cloud: CloudIdentity, managed: readonly string[]): Outputs {
    const actual = actualRules(group);
    const others = actual.filter((rule) => !managed.includes(rule.key));
    return {
        ...rest(inputs),
        name: group.name,
        managedRules: keys(actual.filter((rule) => managed.includes(rule.key))),
        unmanagedRules:
            inputs.exclusive === true || managed.length > 0 ? others.map((rule: ActualRule) => describeRule(rule)) : [],
        cloud,
    };
}

/** The inputs that outputs repeat: rules are kept as `managedRules`. */
function rest(inputs: Inputs): Outputs {
    const { ingress: _ingress, egress: _egress, ...others } = echoOf(inputs);
    return others;
}

/** The keys of the rules that a resource manages, whichever version recorded them. */
function managedOf(outputs: Outputs): string[] {
    return (outputs.managedRules ?? []).map(normalKey);
}

function keys(rules: readonly { key: string }[]): string[] {
    return [...new Set(rules.map((rule) => rule.key))];
}
