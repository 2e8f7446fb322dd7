import type { Inputs } from "../handler";
import { hasUnknown, isUnknown } from "../handler";
import type { ApiRule, ApiSecurityGroup } from "../session";
import { type Traffic, normalCidr, normalProtocol, normalTraffic, parsePorts } from "./normal";

export type Direction = "ingress" | "egress";

/** One rule as CloudStack stores it: one protocol, one range, one source. Equal rules have the same `key`. */
export interface RuleTuple extends Traffic {
    direction: Direction;
    cidr?: string;
    group?: string;
    key: string;
}

/** A rule in the cloud, with its id. */
export interface ActualRule extends RuleTuple {
    id: string;
}

/**
 * The distinct rules in a group's arguments. Rules with values that a preview does not know yet are left out; `unknown`
 * is set if there are any.
 */
export function wantedRules(inputs: Inputs): { rules: RuleTuple[]; unknown: boolean } {
    const rules = new Map<string, RuleTuple>();
    let unknown = false;
    for (const direction of ["ingress", "egress"] as const) {
        if (isUnknown(inputs[direction])) {
            unknown = true;
            continue;
        }
        for (const rule of inputs[direction] ?? []) {
            if (hasUnknown(rule)) unknown = true;
            else for (const tuple of expand(direction, rule, inputs.name)) rules.set(tuple.key, tuple);
        }
    }
    return { rules: [...rules.values()], unknown };
}

function expand(direction: Direction, rule: Inputs, ownName: string): RuleTuple[] {
    const [startPort, endPort] = (rule.ports === undefined ? undefined : parsePorts(rule.ports)) ?? [];
    const { icmpType, icmpCode } = rule;
    const protocol = normalProtocol(rule.protocol ?? "tcp") ?? String(rule.protocol);
    const what = { direction, ...normalTraffic({ protocol, startPort, endPort, icmpType, icmpCode }) };
    const groups: string[] = [...(rule.groups ?? []), ...(rule.self === true ? [ownName] : [])];
    return [
        ...(rule.cidrs ?? []).map((cidr: string) => keyed({ ...what, cidr: normalCidr(cidr) ?? cidr })),
        ...groups.map((group) => keyed({ ...what, group })),
    ];
}

/** The rules that a group has in the cloud. */
export function actualRules(group: ApiSecurityGroup): ActualRule[] {
    const of = (direction: Direction, rules: readonly ApiRule[] | undefined) =>
        (rules ?? []).map((rule) => actualRule(direction, rule));
    return [...of("ingress", group.ingressrule), ...of("egress", group.egressrule)];
}

function actualRule(direction: Direction, rule: ApiRule): ActualRule {
    const { startport: startPort, endport: endPort, icmptype: icmpType, icmpcode: icmpCode, cidr } = rule;
    const protocol = normalProtocol(rule.protocol) ?? rule.protocol;
    const tuple = keyed({
        direction,
        ...normalTraffic({ protocol, startPort, endPort, icmpType, icmpCode }),
        ...(cidr === undefined ? { group: rule.securitygroupname } : { cidr: normalCidr(cidr) ?? cidr }),
    });
    return { ...tuple, id: rule.ruleid };
}

function keyed(tuple: Omit<RuleTuple, "key">): RuleTuple {
    const { direction, protocol, startPort, endPort, icmpType, icmpCode, cidr, group } = tuple;
    return {
        ...tuple,
        key: [direction, protocol, startPort, endPort, icmpType, icmpCode, cidr, group]
            .map((part) => part ?? "")
            .join("|"),
    };
}

/** Converts a key that an earlier version stored to the normal form of this version. */
export function normalKey(key: string): string {
    const [direction, protocol, startPort, endPort, icmpType, icmpCode, cidr, ...group] = key.split("|");
    const number = (text: string) => (text === "" ? undefined : Number(text));
    const [start, end, type, code] = [startPort, endPort, icmpType, icmpCode].map(number);
    return keyed({
        direction: direction as Direction,
        ...normalTraffic({ protocol, startPort: start, endPort: end, icmpType: type, icmpCode: code }),
        ...(cidr === "" ? { group: group.join("|") } : { cidr: normalCidr(cidr) ?? cidr }),
    }).key;
}

/** The wanted rules that are missing, and the existing ones that are not wanted. */
export function compareRules<A extends RuleTuple>(
    wanted: readonly RuleTuple[],
    actual: readonly A[],
): { missing: RuleTuple[]; extra: A[] } {
    const have = new Set(actual.map((rule) => rule.key));
    const want = new Set(wanted.map((rule) => rule.key));
    return {
        missing: wanted.filter((rule) => !have.has(rule.key)),
        extra: actual.filter((rule) => !want.has(rule.key)),
    };
}

/** A rule in words: "ingress tcp 443 from 10.0.0.0/8". */
export function describeRule(rule: RuleTuple): string {
    const ports =
        rule.startPort === undefined
            ? ""
            : rule.startPort === rule.endPort
              ? ` ${rule.startPort}`
              : ` ${rule.startPort}-${rule.endPort}`;
    const icmp = rule.icmpType === undefined ? "" : ` type ${rule.icmpType} code ${rule.icmpCode}`;
    const peer = `${rule.direction === "ingress" ? "from" : "to"} ${rule.cidr ?? `group ${rule.group}`}`;
    return `${rule.direction} ${rule.protocol}${ports}${icmp} ${peer}`;
}

/**
 * Groups rules that one call can authorize: those that differ only in the source. (CloudStack accepts several sources
 * of the same kind in one call and creates a rule for each.)
 */
export function batches(rules: readonly RuleTuple[]): RuleTuple[][] {
    const byRange = new Map<string, RuleTuple[]>();
    for (const rule of rules) {
        const { direction, protocol, startPort, endPort, icmpType, icmpCode } = rule;
        const key = [direction, protocol, startPort, endPort, icmpType, icmpCode, rule.cidr === undefined].join("|");
        byRange.set(key, [...(byRange.get(key) ?? []), rule]);
    }
    return [...byRange.values()];
}
