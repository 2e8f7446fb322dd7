import { CloudStackError } from "../client";
import type { Params } from "../client";
import type { ApiSecurityGroup, Session } from "../session";
import { isGone } from "../session";
import { secondsUntil } from "../timeouts";
import type { ActualRule, RuleTuple } from "./rules";
import { actualRules, batches, compareRules } from "./rules";

/**
 * Gives a group the rules that it lacks, then takes those that are too many and that `removable` lets go. In this order nothing is cut off
 * that stays allowed. Returns the group as it then is.
 */
export async function applyRules(
    session: Session,
    group: ApiSecurityGroup,
    wanted: readonly RuleTuple[],
    removable: (rule: ActualRule) => boolean,
    deadline: number,
): Promise<ApiSecurityGroup> {
    const { missing, extra } = compareRules(wanted, actualRules(group));
    const remove = extra.filter(removable);
    if (missing.length === 0 && remove.length === 0) return group;
    try {
        await all(batches(missing).map((batch) => authorize(session, group, batch, deadline)));
        await all(remove.map((rule) => revoke(session, rule, deadline)));
    } finally {
        session.securityGroups.changed();
    }
    const now = await session.securityGroups.get(group.id);
    if (now === undefined)
        throw new Error(`security group ${group.name} (${group.id}) disappeared while its rules were changed`);
    return now;
}

/** Waits for all, so that no job is left running unobserved, then reports the first failure. */
async function all(work: Promise<void>[]): Promise<void> {
    const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

async function authorize(
    session: Session,
    group: ApiSecurityGroup,
    batch: RuleTuple[],
    deadline: number,
): Promise<void> {
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
        cidrlist: first.cidr === undefined ? undefined : batch.map((rule) => rule.cidr!),
        usersecuritygrouplist:
            account === undefined ? undefined : batch.map((rule) => ({ account, group: rule.group! })),
    };
    try {
        await session.client.run(command, params, { timeoutSeconds: secondsUntil(deadline) });
    } catch (error) {
        if (!(await isAlreadyThere(session, group, batch, error))) throw explained(error, account);
    }
}

/**
 * The name of the account that owns the groups, by which CloudStack finds a group that is a source. That of a project is told by no answer
 * but that of a rule; CloudStack makes it of the project's name and its domain's number (`ProjectManagerImpl.createProject`), which is 1 for
 * the domain ROOT.
 */
async function accountOfGroups(session: Session): Promise<string> {
    const project = await session.project();
    if (project === undefined) return (await session.account()).name;
    const rules = (await session.securityGroups.before()).flatMap((group) => [
        ...(group.ingressrule ?? []),
        ...(group.egressrule ?? []),
    ]);
    return rules.find((rule) => rule.account?.startsWith("PrjAcct-"))?.account ?? `PrjAcct-${project.name}-1`;
}

function explained(error: unknown, account: string | undefined): unknown {
    if (
        !(error instanceof CloudStackError) ||
        !account?.startsWith("PrjAcct-") ||
        !/Nonexistent (account|group)/i.test(error.errorText)
    )
        return error;
    return new Error(
        `${error.message}\nCloudStack finds a source group by its account, and does not tell the name of a project's account ("${account}" was tried): ` +
            "make one rule with a group as its source in CloudStack's user interface, from which it is read, or use cidrs.",
    );
}

/** CloudStack calls it a failure (530) when a rule is there already, as after an interrupted run or a lost answer. */
async function isAlreadyThere(
    session: Session,
    group: ApiSecurityGroup,
    batch: RuleTuple[],
    error: unknown,
): Promise<boolean> {
    if (!(error instanceof CloudStackError) || error.errorCode !== 530 || !/Failed to authorize/i.test(error.errorText))
        return false;
    session.securityGroups.changed();
    const now = await session.securityGroups.get(group.id);
    return now !== undefined && compareRules(batch, actualRules(now)).missing.length === 0;
}

async function revoke(session: Session, rule: ActualRule, deadline: number): Promise<void> {
    const command = rule.direction === "ingress" ? "revokeSecurityGroupIngress" : "revokeSecurityGroupEgress";
    try {
        await session.client.run(command, { id: rule.id }, { timeoutSeconds: secondsUntil(deadline) });
    } catch (error) {
        if (!isGone(error)) throw error;
    }
}
