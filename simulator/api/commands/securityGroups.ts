/**
 * Security groups and their rules. Rules are checked by the job, not at its submission (CloudStack's
 * SecurityGroupManagerImpl).
 */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import { isCidr } from "../../state/addresses";
import type { Account, SecurityGroup, SecurityGroupRule } from "../../state/records";
import { authorizedAnswer, membersOf, securityGroupAnswer } from "../answers/securityGroup";
import type { AsyncCommand, Commands, Request, Work } from "../command";
import { DOMAIN } from "../entities";
import { failed, inUse, invalid } from "../errors";
import { contains, matches, page } from "../lists";
import { checkAccess, ownerOf, scopeOf } from "../ownership";
import { applySecurityGroups } from "../plan";
import { hasTags } from "./tags";

type Direction = SecurityGroupRule["direction"];

export const DEFAULT_GROUP = "default";

/** An account's `default` group, which is created when it is first needed. */
export function defaultGroup(cloud: Cloud, owner: Account): SecurityGroup {
    return (
        groupNamed(cloud, owner.id, DEFAULT_GROUP) ??
        cloud.store.securityGroups.insert({
            id: randomUUID(),
            name: DEFAULT_GROUP,
            description: "Default Security Group",
            ownerId: owner.id,
        })
    );
}

function groupNamed(cloud: Cloud, ownerId: string, name: string): SecurityGroup | undefined {
    return cloud.store.securityGroups.find((group) => group.ownerId === ownerId && group.name === name);
}

/** The group of a request, by id or name. */
function groupOf(request: Request, id: string | undefined, name: string | undefined): SecurityGroup {
    const { cloud } = request;
    const group =
        id === undefined ? groupNamed(cloud, ownerOf(request).id, name ?? "") : cloud.store.securityGroups.need(id);
    if (group === undefined)
        throw invalid(`Unable to find security group ${name} for account id=${ownerOf(request).id}`);
    checkAccess(request, group.ownerId);
    return group;
}

/** The protocol and ports of a rule, without its peer. */
type Traffic = Pick<SecurityGroupRule, "protocol" | "from" | "to">;

/** @throws ApiError 431 with CloudStack's text for the first error */
export function readTraffic(values: {
    protocol?: string;
    startport?: number;
    endport?: number;
    icmptype?: number;
    icmpcode?: number;
}): Traffic {
    const protocol = (values.protocol ?? "all").trim().toLowerCase();
    const shown = (value?: number) => (value === undefined ? "null" : String(value));
    if (/^\d+$/.test(protocol)) {
        if (Number(protocol) > 255) throw invalid(`Invalid protocol number: ${protocol}`);
        // Number 1 is ICMP, any type and code; other numbers have no ports.
        return protocol === "1" ? { protocol: "icmp", from: -1, to: -1 } : { protocol, from: 0, to: 0 };
    }
    if (!["tcp", "udp", "icmp", "all"].includes(protocol)) throw invalid(`Invalid protocol ${protocol}`);
    if (protocol === "icmp") {
        const { icmptype: type, icmpcode: code } = values;
        if (type === undefined || code === undefined)
            throw invalid(`Invalid ICMP type/code specified, icmpType = ${shown(type)}, icmpCode = ${shown(code)}`);
        if (type === -1 && code !== -1) throw invalid("Invalid icmp code");
        if (type !== -1 && code === -1) throw invalid("Invalid icmp code: need non-negative icmp code ");
        if (code > 255 || type > 255 || code < -1 || type < -1) throw invalid("Invalid icmp type/code ");
        return { protocol, from: type, to: code };
    }
    const { startport: start, endport: end } = values;
    if (protocol === "all") {
        if (start !== undefined || end !== undefined)
            throw invalid("Cannot specify startPort or endPort without specifying protocol");
        return { protocol, from: 0, to: 0 };
    }
    if (start === undefined || end === undefined)
        throw invalid(`Invalid port range specified, startPort = ${shown(start)}, endPort = ${shown(end)}`);
    if (start === 0 && end === 0) return { protocol, from: 0, to: 65_535 };
    if (start > end) throw invalid(`Invalid port range ${start}:${end}`);
    if (start > 65_535 || end > 65_535 || start < -1 || end < -1) throw invalid(`Invalid port numbers ${start}:${end}`);
    if (start < 0 || end < 0) throw invalid(`Invalid port range ${start}:${end}`);
    return { protocol, from: start, to: end };
}

function sourceGroups(work: Work, traffic: Traffic): SecurityGroup[] {
    const { cloud } = work;
    return ((work.arguments.usersecuritygrouplist ?? []) as Record<string, string>[]).map(
        ({ account: name, group }) => {
            if (name === undefined || group === undefined) {
                throw invalid(
                    "Invalid user group specified, fields 'group' and 'account' cannot be null, " +
                        "please specify groups in the form:  userGroupList[0].group=XXX&userGroupList[0].account=YYY",
                );
            }
            const account = cloud.store.accounts.find((a) => a.name === name);
            if (account === undefined) {
                const { protocol, from, to } = traffic;
                throw invalid(
                    `Nonexistent account: ${name} when trying to authorize security group rule  for ` +
                        `${work.job.instanceId}:${protocol}:${from}:${to}`,
                );
            }
            const source = groupNamed(cloud, account.id, group);
            if (source === undefined)
                throw invalid(
                    `Nonexistent group ${group} for account ${name}/${DOMAIN.number} is given, unable to ` +
                        "authorize security group rule.",
                );
            return source;
        },
    );
}

const sameTraffic = (a: Traffic, b: Traffic) => a.protocol === b.protocol && a.from === b.from && a.to === b.to;

/** Creates those of the rules that do not exist yet. */
function authorizeRules(work: Work, direction: Direction): SecurityGroupRule[] {
    const { cloud } = work;
    const group = cloud.store.securityGroups.get(work.job.instanceId);
    if (group === undefined) throw invalid(`Unable to find security group by id ${work.job.instanceId}`);
    const cidrs = (work.arguments.cidrlist ?? []) as string[];
    if (cidrs.length === 0 && work.arguments.usersecuritygrouplist === undefined) {
        throw invalid("At least one cidr or at least one security group needs to be specified");
    }
    for (const cidr of cidrs) if (!isCidr(cidr)) throw invalid(`Invalid cidr ${cidr}`);
    const traffic = readTraffic(work.arguments);
    const wanted: Pick<SecurityGroupRule, "cidr" | "sourceGroupId">[] = [
        ...sourceGroups(work, traffic).map((source) => ({ sourceGroupId: source.id })),
        ...cidrs.map((cidr) => ({ cidr })),
    ];
    const made: SecurityGroupRule[] = [];
    for (const end of wanted) {
        const existing = cloud.store.rules.find(
            (rule) =>
                rule.groupId === group.id &&
                sameTraffic(rule, traffic) &&
                rule.cidr === end.cidr &&
                rule.sourceGroupId === end.sourceGroupId,
        );
        // As in CloudStack, only the first rule with this traffic and peer is compared, regardless of its direction.
        if (existing?.direction === direction) continue;
        made.push(cloud.store.rules.insert({ id: randomUUID(), groupId: group.id, direction, ...traffic, ...end }));
    }
    if (made.length === 0) throw failed(`Failed to authorize security group ${direction} rule(s)`);
    return made;
}

function authorize(direction: Direction, java: string): AsyncCommand {
    return {
        java: `user.securitygroup.${java}`,
        instanceType: "SecurityGroup",
        event: `SG.AUTH.${direction.toUpperCase()}`,
        submit(request) {
            const { securitygroupid: id, securitygroupname: name } = request.arguments;
            if (id === undefined && name === undefined)
                throw invalid(
                    "Either securityGroupId or securityGroupName is required by authorizeSecurityGroup command",
                );
            const group = groupOf(request, id, name);
            return { instanceId: group.id, queue: group.id };
        },
        begin: (work) => authorizeRules(work, direction).map((rule) => rule.id),
        act: (work) => applySecurityGroups(work.cloud),
        finish(work) {
            const { store } = work.cloud;
            const group = store.securityGroups.get(work.job.instanceId);
            if (group === undefined) throw failed("The security group was deleted meanwhile");
            const made = (work.job.memo as string[])
                .map((id) => store.rules.get(id))
                .filter((rule) => rule !== undefined);
            return { securitygroup: authorizedAnswer(work.cloud, group, made) };
        },
        abandon(work) {
            for (const id of work.job.memo as string[])
                if (work.cloud.store.rules.get(id) !== undefined) work.cloud.store.rules.remove(id);
        },
    };
}

function revoke(direction: Direction, java: string): AsyncCommand {
    return {
        java: `user.securitygroup.${java}`,
        instanceType: "SecurityGroup",
        event: `SG.REVOKE.${direction.toUpperCase()}`,
        entity: "rule",
        submit(request) {
            const rule = request.cloud.store.rules.need(request.arguments.id);
            checkAccess(request, request.cloud.store.securityGroups.need(rule.groupId).ownerId);
            return { instanceId: rule.groupId, queue: rule.groupId };
        },
        begin(work) {
            const rule = work.cloud.store.rules.get(work.arguments.id);
            if (rule === undefined) throw invalid(`Unable to find security rule with id ${work.arguments.id}`);
            if (rule.direction !== direction)
                throw invalid(`Mismatch in rule type for security rule with id ${rule.id}`);
            work.cloud.store.rules.remove(rule.id);
            return rule;
        },
        act: (work) => applySecurityGroups(work.cloud),
        finish: () => ({ success: true }),
        abandon(work) {
            work.cloud.store.rules.insert(work.job.memo as SecurityGroupRule);
        },
    };
}

function createSecurityGroup(request: Request): object {
    const { cloud } = request;
    const { name, description } = request.arguments;
    const owner = ownerOf(request);
    if (name.trim() === "") throw invalid("Security group name cannot be empty");
    if (groupNamed(cloud, owner.id, name) !== undefined)
        throw invalid(`Unable to create security group, a group with name ${name} already exists.`);
    const group = cloud.store.securityGroups.insert({ id: randomUUID(), name, description, ownerId: owner.id });
    return { securitygroup: securityGroupAnswer(cloud, group) };
}

function deleteSecurityGroup(request: Request): object {
    const { store } = request.cloud;
    const { id, name } = request.arguments;
    if (id === undefined && name === undefined)
        throw invalid("Either id or name parameter is required by deleteSecurityGroup command");
    const group = groupOf(request, id, name);
    if (group.name === DEFAULT_GROUP) throw invalid("The network group default is reserved");
    if (store.rules.find((rule) => rule.sourceGroupId === group.id) !== undefined)
        throw inUse("Cannot delete group when there are security rules that allow this group");
    if (membersOf(request.cloud, group.id).length > 0)
        throw inUse("Cannot delete group when it's in use by virtual machines");
    for (const rule of store.rules.filter((r) => r.groupId === group.id)) store.rules.remove(rule.id);
    for (const tag of store.tags.filter((t) => t.resourceId === group.id)) store.tags.remove(tag.id);
    store.securityGroups.remove(group.id);
    return { success: true };
}

function listSecurityGroups(request: Request): object {
    const { cloud } = request;
    const { id, securitygroupname, keyword, tags, virtualmachineid } = request.arguments;
    const inScope = scopeOf(request);
    const machine = cloud.store.machines.get(virtualmachineid);
    if (machine !== undefined) checkAccess(request, machine.ownerId);
    const groups = cloud.store.securityGroups.filter(
        (group) =>
            matches(group.id, id) &&
            matches(group.name, securitygroupname) &&
            contains(group.name, keyword) &&
            inScope(group.ownerId) &&
            (machine === undefined || machine.securityGroupIds.includes(group.id)) &&
            hasTags(cloud, group.id, tags),
    );
    return page(request, "securitygroup", groups, (group) => securityGroupAnswer(cloud, group));
}

function updateSecurityGroup(request: Request): object {
    const { cloud } = request;
    const group = groupOf(request, request.arguments.id, undefined);
    const name = request.arguments.name as string | undefined;
    if (name === undefined) throw invalid("Security group name cannot be empty");
    if (group.name === DEFAULT_GROUP) throw invalid("The default security group can't be renamed");
    if (name !== group.name && groupNamed(cloud, group.ownerId, name) !== undefined) {
        throw invalid(`Unable to update security group, a group with name ${name} already exists.`);
    }
    return { securitygroup: securityGroupAnswer(cloud, cloud.store.securityGroups.change(group.id, { name })) };
}

export const securityGroupCommands: Commands = {
    createSecurityGroup: { event: "SG.CREATE", run: createSecurityGroup },
    deleteSecurityGroup: { entity: "securityGroup", event: "SG.DELETE", run: deleteSecurityGroup },
    listSecurityGroups: { entity: "securityGroup", run: listSecurityGroups },
    updateSecurityGroup: { entity: "securityGroup", event: "SG.UPDATE", run: updateSecurityGroup },
    authorizeSecurityGroupIngress: authorize("ingress", "AuthorizeSecurityGroupIngressCmd"),
    authorizeSecurityGroupEgress: authorize("egress", "AuthorizeSecurityGroupEgressCmd"),
    revokeSecurityGroupIngress: revoke("ingress", "RevokeSecurityGroupIngressCmd"),
    revokeSecurityGroupEgress: revoke("egress", "RevokeSecurityGroupEgressCmd"),
};
