import { createOrAdopt } from "../adopt";
import { claim } from "../claims";
import { cloudLifecycle } from "../cloudLifecycle";
import { formerOf, isFormer } from "../identity";
import { checkDescription, markIn, markedText, unmarkedText } from "../marks";
import type { DiffResult, Inputs, Outputs } from "../handler";
import { PartialFailure, isUnknown, same } from "../handler";
import { announce, isInState, say } from "../lifecycle";
import { tagOwner, taggedOwner } from "../ownerTag";
import { replacedBy } from "../references";
import type { ApiSecurityGroup, Session } from "../session";
import { sessionFor } from "../session";
import { applyRules } from "./apply";
import { checkRules } from "./check";
import { claimsOf } from "./ruleClaims";
import { foundRuleInputs } from "./foundRules";
import { deleteGroup } from "./remove";
import type { ActualRule } from "./rules";
import { actualRules, describeRule, wantedRules } from "./rules";
import { GROUP, keys, managedOf, rest, rulesDiffer } from "./state";

/** How long a refresh waits for other resources to claim rules of a group, in milliseconds. */
const CLAIMS_MS = 500;

export const securityGroup = cloudLifecycle({
    kind: "security group",
    marks: { rewritten: true },

    async check(problems, inputs, olds): Promise<void> {
        const name = problems.requiredString(inputs, "name", "give the group a name");
        checkDescription(problems, inputs);
        if (name === "default")
            problems.add(
                "name",
                '"default" is the group that CloudStack creates for every account: choose another name',
            );
        problems.boolean(inputs, "exclusive");
        problems.timeouts(inputs);
        checkRules(problems, inputs);
        if (name === undefined) return;
        const session = sessionFor(inputs);
        claim(problems, session, inputs, "name", `resource ${inputs.owner}`, {
            what: "security group name",
            value: name,
        });
        if (olds !== undefined) return;
        const taken = (await session.securityGroups.before()).find(
            (group) => group.name === name && !isFormer(inputs, group.id, ownerOf(group)),
        );
        if (taken !== undefined && ownerOf(taken) === inputs.owner) {
            if (formerOf(inputs) === undefined)
                say(`security group ${name} (${taken.id}) has this resource's mark and will be adopted`);
        } else if (taken !== undefined)
            problems.add(
                "name",
                `"${name}" is taken by security group ${taken.id} (${taken.description || "no description"}): choose another name, or delete that group`,
            );
    },

    diff(id, olds, news): DiffResult {
        const replaces = replacedBy(olds, news, ["name", "project"]);
        if (!isUnknown(news.description) && !same(olds.description ?? "", news.description ?? "")) {
            announce(
                news,
                `security group ${news.name} keeps its description "${olds.description ?? ""}": CloudStack cannot change it`,
            );
        }
        const managed = managedOf(olds);
        const own = ownRules(managed, news);
        claimsOf(id).leave(managed.filter((key) => !own.includes(key)));
        const isExceeded = news.exclusive === true && (olds.unmanagedRules ?? []).length > 0;
        // A refresh uses the value of `exclusive` in the outputs.
        const isOther = !isUnknown(news.exclusive) && (olds.exclusive ?? false) !== (news.exclusive ?? false);
        const rulesChange = rulesDiffer(id, GROUP, own, news);
        const isRenamed = olds.owner !== undefined && olds.owner !== news.owner;
        const changes = replaces.length > 0 || isRenamed || isExceeded || isOther || rulesChange;
        return { changes, replaces, deleteBeforeReplace: false };
    },

    async create(inputs, { session, cloud, deadline }) {
        const group = await makeGroup(session, inputs);
        const { rules: wanted } = wantedRules(inputs);
        const outs = { ...rest(inputs), name: group.name, managedRules: keys(wanted), unmanagedRules: [], cloud };
        try {
            if (wanted.length > 0 || inputs.exclusive === true) {
                const removable = () => inputs.exclusive === true;
                await applyRules(session, group.id, { owner: GROUP, wanted, removable, deadline });
            }
        } catch (error) {
            throw new PartialFailure((error as Error).message, group.id, outs, inputs);
        }
        return { id: group.id, outs };
    },

    async read(id, outputs, { session, cloud }) {
        const managed = ownRules(managedOf(outputs), outputs);
        claimsOf(id).hold(GROUP, managed);
        const group = await session.securityGroups.get(id);
        if (group === undefined) return undefined;
        const actual = actualRules(group);
        const others = actual.filter(({ key }) => !managed.includes(key));
        const unmanagedRules = await unmanaged(group, others, managed.length > 0, outputs);
        return {
            ...rest(outputs),
            name: group.name,
            description: unmarkedText(group.description) || outputs.description,
            managedRules: keys(actual.filter(({ key }) => managed.includes(key))),
            unmanagedRules,
            cloud,
        };
    },

    async found(id, last, found, { session }) {
        const group = found.exclusive === true ? await session.securityGroups.get(id) : undefined;
        const others = group === undefined ? [] : actualRules(group);
        const unmanaged = others.filter((rule) => found.unmanagedRules.includes(describeRule(rule)));
        return foundRuleInputs(last, found, keys(unmanaged));
    },

    async update(id, olds, inputs, { session, cloud, deadline }) {
        const { rules: wanted } = wantedRules(inputs);
        const before = ownRules(managedOf(olds), inputs);
        const outs = { ...rest(inputs), name: olds.name, description: olds.description, cloud };
        const removable = ({ key }: ActualRule) => inputs.exclusive === true || before.includes(key);
        let now: ApiSecurityGroup | undefined;
        try {
            now = await applyRules(session, id, { owner: GROUP, wanted, removable, deadline });
            if (now !== undefined && olds.owner !== undefined && olds.owner !== inputs.owner)
                await tagOwner(session, "SecurityGroup", now, inputs.owner, deadline);
        } catch (error) {
            const managedRules = [...new Set([...before, ...keys(wanted)])];
            const left = { ...outs, managedRules, unmanagedRules: olds.unmanagedRules ?? [] };
            throw new PartialFailure((error as Error).message, id, left, inputs);
        }
        if (now === undefined)
            throw new Error(
                `security group ${olds.name} (${id}) no longer exists: run \`pulumi refresh\`, then \`pulumi up\` to create it again`,
            );
        const beside = actualRules(now).filter(({ key }) => !keys(wanted).includes(key));
        const reported: string[] = olds.unmanagedRules ?? [];
        return {
            ...outs,
            name: now.name,
            managedRules: keys(wanted),
            unmanagedRules: beside.map(describeRule).filter((rule) => reported.includes(rule)),
        };
    },

    async delete(id, _outputs, { session, deadline }) {
        await deleteGroup(session, id, deadline);
    },
});

/** The managed rules that belong to the group itself; its ingress rules may belong to a separate resource. */
function ownRules(managed: readonly string[], { ingressApart, ingress }: Inputs): string[] {
    const isApart = ingressApart === true && ingress === undefined;
    return isApart ? managed.filter((key) => !key.startsWith("ingress|")) : [...managed];
}

/**
 * The rules of a group that no resource of the stack manages, as text. During a refresh the other resources of the
 * group are read concurrently, so this waits for their claims. A group that manages no rules reports unmanaged ones
 * only if it is exclusive.
 */
async function unmanaged(
    group: ApiSecurityGroup,
    others: readonly ActualRule[],
    hasRules: boolean,
    { exclusive, ingressApart, unmanagedRules = [] }: Outputs,
): Promise<string[]> {
    if (exclusive !== true && ingressApart !== true && !hasRules) return [];
    const claims = claimsOf(group.id);
    const unclaimed = () => others.filter(({ key }) => !claims.isClaimed(key, GROUP));
    await claims.until(() => unclaimed().length === 0, CLAIMS_MS);
    const rules = unclaimed().map(describeRule);
    const added = rules.filter((rule) => !unmanagedRules.includes(rule));
    if (added.length > 0 && exclusive !== true)
        say(
            `security group ${group.name} has rules that the stack does not manage; they are left alone (exclusive: true removes them): ${added.join("; ")}`,
        );
    return rules;
}

async function makeGroup(session: Session, inputs: Inputs): Promise<ApiSecurityGroup> {
    const params = { name: inputs.name, description: markedText(inputs.description, inputs.owner) };
    const isOurs = (group: ApiSecurityGroup) =>
        ownerOf(group) === inputs.owner || isFormer(inputs, group.id, ownerOf(group));
    try {
        return await createOrAdopt(
            async () => {
                const { securitygroup } = await session.client.call("createSecurityGroup", params);
                claimsOf(securitygroup.id).remember(securitygroup);
                return securitygroup;
            },
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

/**
 * The owner mark of a group: that of the tag if the group was passed to another resource, else that of its description.
 */
function ownerOf(group: ApiSecurityGroup): string | undefined {
    return taggedOwner(group) ?? markIn(group.description);
}
