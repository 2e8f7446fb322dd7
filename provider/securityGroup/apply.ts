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
    const view = new View(session, group.id, deadline);
    try {
        await all(batches(missing).map((batch) => authorize(view, session, group, batch)));
        await all(remove.map((rule) => revoke(view, rule)));
    } finally {
        session.securityGroups.changed();
    }
    const isDone = (found: ApiSecurityGroup) => lacksNone(found, missing) && remove.every((rule) => !has(found, rule));
    const now = view.last !== undefined && isDone(view.last) ? view.last : await view.look();
    if (now === undefined)
        throw new Error(`security group ${group.name} (${group.id}) disappeared while its rules were changed`);
    return now;
}

/** A group as it is read while its rules change: what its jobs have done is seen there, without asking each. */
class View {
    /** What was read last. */
    last: ApiSecurityGroup | undefined;
    private readonly session: Session;
    private readonly id: string;
    private readonly deadline: number;

    constructor(session: Session, id: string, deadline: number) {
        this.session = session;
        this.id = id;
        this.deadline = deadline;
    }

    async look(): Promise<ApiSecurityGroup | undefined> {
        this.session.securityGroups.changed();
        this.last = await this.session.securityGroups.get(this.id);
        return this.last;
    }

    /** Runs a command for a change that shows in the group. */
    async run(command: string, params: Params, isDone: (group: ApiSecurityGroup) => boolean): Promise<void> {
        const seen = async () => {
            const group = await this.look();
            return group !== undefined && isDone(group) ? {} : undefined;
        };
        // CloudStack changes the rules of a group one after the other.
        const options = { timeoutSeconds: secondsUntil(this.deadline), seen, queue: this.id };
        await this.session.client.run(command, params, options);
    }
}

function lacksNone(group: ApiSecurityGroup, rules: readonly RuleTuple[]): boolean {
    return compareRules(rules, actualRules(group)).missing.length === 0;
}

function has(group: ApiSecurityGroup, rule: ActualRule): boolean {
    return actualRules(group).some(({ id }) => id === rule.id);
}

/** Waits for all, so that no job is left running unobserved, then reports the first failure. */
async function all(work: Promise<void>[]): Promise<void> {
    const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

async function authorize(
    view: View,
    session: Session,
    group: ApiSecurityGroup,
    batch: RuleTuple[],
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
        await view.run(command, params, (found) => lacksNone(found, batch));
    } catch (error) {
        if (!(await isAlreadyThere(view, batch, error))) throw error;
    }
}

/**
 * The name of the account that owns the groups, by which CloudStack finds a group that is a source. A project has an account of its own;
 * where a version of CloudStack does not tell its name, rules that have a group of the project as their source do.
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
        `CloudStack finds a source group by its account, and does not tell the name of the account of project ${project.name}: ` +
            "make one rule with a group as its source in CloudStack's user interface, from which it is read, or use cidrs.",
    );
}

/** CloudStack calls it a failure (530) when a rule is there already, as after an interrupted run or a lost answer. */
async function isAlreadyThere(view: View, batch: RuleTuple[], error: unknown): Promise<boolean> {
    if (!(error instanceof CloudStackError) || error.errorCode !== 530 || !/Failed to authorize/i.test(error.errorText))
        return false;
    const now = await view.look();
    return now !== undefined && lacksNone(now, batch);
}

async function revoke(view: View, rule: ActualRule): Promise<void> {
    const command = rule.direction === "ingress" ? "revokeSecurityGroupIngress" : "revokeSecurityGroupEgress";
    try {
        await view.run(command, { id: rule.id }, (found) => !has(found, rule));
    } catch (error) {
        if (!isGone(error)) throw error;
    }
}
