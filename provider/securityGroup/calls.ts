import { CloudStackError } from "../client";
import type { Params } from "../client";
import type { ApiSecurityGroup, Session } from "../session";
import { isGone } from "../session";
import { secondsUntil } from "../timeouts";
import { claimsOf } from "./ruleClaims";
import type { ActualRule, RuleTuple } from "./rules";
import { actualRules, batches, compareRules } from "./rules";

/** Adds rules, one call after the other. @returns the group with them */
export async function authorize(
    session: Session,
    group: ApiSecurityGroup,
    rules: readonly RuleTuple[],
    deadline: number,
): Promise<ApiSecurityGroup> {
    let now = group;
    await each(session, group.id, batches(rules), async (batch) => {
        now = withRules(now, await authorizeBatch(session, group, batch, deadline));
        for (const { key } of batch) claimsOf(group.id).note(key, false);
    });
    return now;
}

/** Removes rules, one call after the other. @returns the group without them */
export async function revoke(
    session: Session,
    group: ApiSecurityGroup,
    rules: readonly ActualRule[],
    deadline: number,
): Promise<ApiSecurityGroup> {
    await each(session, group.id, rules, async ({ id, direction, key }) => {
        const command = direction === "ingress" ? "revokeSecurityGroupIngress" : "revokeSecurityGroupEgress";
        // Recorded before the call, so that a resource that is compared during the call updates its rules.
        claimsOf(group.id).note(key, true);
        try {
            await session.client.run(command, { id }, { timeoutSeconds: secondsUntil(deadline), queue: group.id });
        } catch (error) {
            if (!isGone(error)) throw error;
        }
    });
    const ids = new Set(rules.map(({ id }) => id));
    const others = (list: ApiSecurityGroup["ingressrule"]) => (list ?? []).filter(({ ruleid }) => !ids.has(ruleid));
    return { ...group, ingressrule: others(group.ingressrule), egressrule: others(group.egressrule) };
}

/** Processes all items one after the other, then reports the first failure. */
async function each<T>(
    session: Session,
    groupId: string,
    items: readonly T[],
    work: (item: T) => Promise<void>,
): Promise<void> {
    const failures: unknown[] = [];
    if (items.length > 0) claimsOf(groupId).changed();
    for (const item of items) await work(item).catch((error: unknown) => failures.push(error));
    if (items.length > 0) session.securityGroups.changed();
    if (failures.length > 0) throw failures[0];
}

/**
 * Adds rules that differ only in their source, with one call.
 * @returns the group of the response, with only the new rules
 */
async function authorizeBatch(
    session: Session,
    group: ApiSecurityGroup,
    batch: readonly RuleTuple[],
    deadline: number,
): Promise<ApiSecurityGroup> {
    const [first] = batch;
    const command = first.direction === "ingress" ? "authorizeSecurityGroupIngress" : "authorizeSecurityGroupEgress";
    const account = first.cidr === undefined ? await accountOfGroups(session) : undefined;
    const params: Params = {
        securitygroupid: group.id,
        protocol: first.protocol,
        startport: first.startPort,
        endport: first.endPort,
        icmptype: first.icmpType,
        icmpcode: first.icmpCode,
        cidrlist: account === undefined ? batch.map((rule) => rule.cidr!) : undefined,
        usersecuritygrouplist:
            account === undefined ? undefined : batch.map((rule) => ({ account, group: rule.group! })),
    };
    const options = { timeoutSeconds: secondsUntil(deadline) };
    try {
        return (await session.client.run<{ securitygroup: ApiSecurityGroup }>(command, params, options)).securitygroup;
    } catch (error) {
        if (!isThereAlready(error)) throw error;
        session.securityGroups.changed();
        const now = await session.securityGroups.get(group.id);
        if (now === undefined || compareRules(batch, actualRules(now)).missing.length > 0) throw error;
        return now;
    }
}

/** CloudStack returns an error (530) when a rule exists already, as after an interrupted run or a lost response. */
function isThereAlready(error: unknown): boolean {
    return error instanceof CloudStackError && error.errorCode === 530 && /Failed to authorize/i.test(error.errorText);
}

/** A group with the rules of another response added to its own. */
function withRules(group: ApiSecurityGroup, more: ApiSecurityGroup): ApiSecurityGroup {
    const joined = (property: "ingressrule" | "egressrule") => {
        const rules = [...(group[property] ?? []), ...(more[property] ?? [])];
        return [...new Map(rules.map((rule) => [rule.ruleid, rule])).values()];
    };
    return { ...group, ingressrule: joined("ingressrule"), egressrule: joined("egressrule") };
}

/**
 * The name of the account that owns the groups, which CloudStack requires to find a group that is a source. A project
 * has its own account. Some versions of CloudStack do not return its name; it is then read from existing rules that
 * have a group of the project as their source.
 */
async function accountOfGroups(session: Session): Promise<string> {
    const project = await session.project();
    if (project === undefined) return (await session.account()).name;
    if (project.projectaccountname !== undefined) return project.projectaccountname;
    const rules = (await session.securityGroups.before()).flatMap((group) => [
        ...(group.ingressrule ?? []),
        ...(group.egressrule ?? []),
    ]);
    const account = rules.find((rule) => rule.account?.startsWith("PrjAcct-"))?.account;
    if (account !== undefined) return account;
    throw new Error(
        `CloudStack finds a source group by its account, and does not return the account name of project ${project.name}: ` +
            "create one rule with a source group in CloudStack's user interface, from which the name is read, or use cidrs.",
    );
}
