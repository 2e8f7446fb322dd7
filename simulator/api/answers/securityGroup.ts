/** Security groups in answers. */
import type { Cloud } from "../../cloud";
import type { SecurityGroup, SecurityGroupRule } from "../../state/records";
import { accountFields, ownerFields } from "../ownership";
import { tagAnswer, tagsOf } from "./tags";

function ruleAnswer(cloud: Cloud, rule: SecurityGroupRule): object {
    const ends =
        rule.protocol === "icmp"
            ? { icmptype: rule.from, icmpcode: rule.to }
            : { startport: rule.from, endport: rule.to };
    if (rule.sourceGroupId === undefined) return { ruleid: rule.id, protocol: rule.protocol, ...ends, cidr: rule.cidr };
    const source = cloud.store.securityGroups.need(rule.sourceGroupId);
    return {
        ruleid: rule.id,
        protocol: rule.protocol,
        ...ends,
        securitygroupname: source.name,
        // Also the account of a project, which other answers omit.
        account: cloud.store.accounts.need(source.ownerId).name,
    };
}

function rulesOf(cloud: Cloud, rules: readonly SecurityGroupRule[]): { ingressrule: object[]; egressrule: object[] } {
    const of = (direction: string) =>
        rules.filter((rule) => rule.direction === direction).map((rule) => ruleAnswer(cloud, rule));
    return { ingressrule: of("ingress"), egressrule: of("egress") };
}

function groupFields(cloud: Cloud, group: SecurityGroup): object {
    const description = group.description === undefined ? {} : { description: group.description };
    return { id: group.id, name: group.name, ...description, ...ownerFields({ cloud }, group.ownerId) };
}

/** Ids of the machines in a group; destroyed ones belong to it until they are expunged. */
export function membersOf(cloud: Cloud, groupId: string): string[] {
    return cloud.store.machines
        .filter((m) => m.removed === undefined && m.securityGroupIds.includes(groupId))
        .map((m) => m.id);
}

export function securityGroupAnswer(cloud: Cloud, group: SecurityGroup): object {
    const rules = rulesOf(
        cloud,
        cloud.store.rules.filter((rule) => rule.groupId === group.id),
    );
    const tagged = (list: object[]) => list.map((rule) => ({ ...rule, tags: [] }));
    const members = membersOf(cloud, group.id);
    return {
        ...groupFields(cloud, group),
        ingressrule: tagged(rules.ingressrule),
        egressrule: tagged(rules.egressrule),
        tags: tagsOf(cloud, group.id).map((tag) => tagAnswer(cloud, tag)),
        virtualmachinecount: members.length,
        virtualmachineids: members,
    };
}

/** The result of an authorize job: the group with only its new rules. */
export function authorizedAnswer(cloud: Cloud, group: SecurityGroup, rules: readonly SecurityGroupRule[]): object {
    return { ...groupFields(cloud, group), ...rulesOf(cloud, rules), tags: [], virtualmachineids: [] };
}

/** A group inside a machine's answer. */
export function nestedGroupAnswer(cloud: Cloud, group: SecurityGroup): object {
    const description = group.description === undefined ? {} : { description: group.description };
    return {
        id: group.id,
        name: group.name,
        ...description,
        ...accountFields({ cloud }, group.ownerId),
        ingressrule: [],
        egressrule: [],
        tags: [],
        virtualmachineids: [],
    };
}
