import type { Inputs } from "../handler";
import { hasUnknown, isUnknown } from "../handler";
import type { ApiRule, ApiSecurityGroup } from "../session";

export type Direction = "ingress" | "egress";

/** One rule as CloudStack keeps it: one protocol, one range, one source. `key` is what two equal rules share. */
export interface RuleTuple {
    direction: Direction;
    protocol: string;
    startPort?: number;
    endPort?: number;
    icmpType?: number;
    icmpCode?: number;
    cidr?: string;
    group?: string;
    key: string;
}

/** A rule that the cloud has, with its id. */
export interface ActualRule extends RuleTuple {
    id: string;
}

const PROTOCOL_NUMBERS: Record<string, string> = { "1": "icmp", "6": "tcp", "17": "udp" };

/**
 * The tuples that a group's arguments ask for, each once. Rules with parts that a preview does not know yet are left out; `unknown` tells
 * that there are some.
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
    const protocol = normalProtocol(rule.protocol ?? "tcp");
    const range = parsePorts(rule.ports ?? "1-65535") ?? [1, 65_535];
    const what = {
        direction,
        protocol,
        ...(protocol === "tcp" || protocol === "udp" ? { startPort: range[0], endPort: range[1] } : {}),
        ...(protocol === "icmp" ? { icmpType: rule.icmpType ?? -1, icmpCode: rule.icmpCode ?? -1 } : {}),
    };
    const groups: string[] = [...(rule.groups ?? []), ...(rule.self === true ? [ownName] : [])];
    return [
        ...(rule.cidrs ?? []).map((cidr: string) => keyed({ ...what, cidr: cidr.toLowerCase() })),
        ...groups.map((group) => keyed({ ...what, group })),
    ];
}

/** What a group has, in the same shape. (CloudStack answers ports 0-0 for protocols without ports.) */
export function actualRules(group: ApiSecurityGroup): ActualRule[] {
    const of = (direction: Direction, rules: readonly ApiRule[] | undefined) =>
        (rules ?? []).map((rule) => actualRule(direction, rule));
    return [...of("ingress", group.ingressrule), ...of("egress", group.egressrule)];
}

function actualRule(direction: Direction, rule: ApiRule): ActualRule {
    const protocol = normalProtocol(rule.protocol);
    const tuple = keyed({
        direction,
        protocol,
        ...(protocol === "tcp" || protocol === "udp" ? allPorts(rule.startport ?? 0, rule.endport ?? 0) : {}),
        ...(protocol === "icmp" ? { icmpType: rule.icmptype ?? -1, icmpCode: rule.icmpcode ?? -1 } : {}),
        ...(rule.cidr === undefined ? { group: rule.securitygroupname } : { cidr: rule.cidr.toLowerCase() }),
    });
    return { ...tuple, id: rule.ruleid };
}

/** Three spellings of "all ports" that CloudStack knows become one. */
function allPorts(startPort: number, endPort: number): { startPort: number; endPort: number } {
    return startPort === 0 && (endPort === 0 || endPort === 65_535)
        ? { startPort: 1, endPort: 65_535 }
        : { startPort, endPort };
}

function normalProtocol(protocol: string): string {
    const lower = protocol.toLowerCase();
    return PROTOCOL_NUMBERS[lower] ?? lower;
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

/** "443" or "30000-32767" as a pair, or `undefined` for what is neither. */
export function parsePorts(text: string): [number, number] | undefined {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
    if (match === null) return undefined;
    const start = Number(match[1]);
    const end = match[2] === undefined ? start : Number(match[2]);
    return start <= end && end <= 65_535 ? [start, end] : undefined;
}

/** What has to be added and what is there beyond what is wanted. */
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
 * Rules that one call can authorise: those that share everything but the source. (CloudStack takes many sources in one call, of one kind
 * each, and makes a rule of every one.)
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
