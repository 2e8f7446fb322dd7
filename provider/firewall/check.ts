import type { Inputs } from "../handler";
import { hasUnknown, isUnknown } from "../handler";
import type { Problems } from "../lifecycle";
import { checkIcmpNumbers } from "../securityGroup/check";
import { hasPorts, normalCidr, parsePorts } from "../securityGroup/normal";
import { conflict, describeTuple, expand } from "./rules";

/** What the rules of one direction have. */
export interface Kind {
    readonly protocols: readonly string[];
    readonly arguments: readonly string[];
    readonly cidrsRequired: boolean;
}

export const INGRESS: Kind = {
    protocols: ["tcp", "udp", "icmp"],
    arguments: ["protocol", "ports", "icmpType", "icmpCode", "cidrs"],
    cidrsRequired: true,
};

export const EGRESS: Kind = {
    protocols: ["tcp", "udp", "icmp", "all"],
    arguments: ["protocol", "ports", "icmpType", "icmpCode", "cidrs", "destinationCidrs"],
    cidrsRequired: false,
};

/** Reports all invalid rules, and rules that CloudStack regards as conflicting. */
export function checkRules(problems: Problems, inputs: Inputs, kind: Kind): void {
    const { rules } = inputs;
    if (isUnknown(rules)) return;
    if (!Array.isArray(rules)) return problems.add("rules", "must be a list of rules");
    const before = problems.list.length;
    rules.forEach((rule, index) => checkRule(problems, `rules[${index}]`, rule, kind));
    if (problems.list.length === before) checkConflicts(problems, rules);
}

function checkRule(problems: Problems, path: string, rule: Inputs, kind: Kind): void {
    if (isUnknown(rule)) return;
    if (rule === null || typeof rule !== "object" || Array.isArray(rule))
        return problems.add(path, 'must be a rule such as { ports: "443", cidrs: ["203.0.113.0/24"] }');
    // A misspelt `ports` would open all ports.
    for (const key of Object.keys(rule).filter((given) => !kind.arguments.includes(given)))
        problems.add(`${path}.${key}`, `is not a known argument of a rule: it has ${kind.arguments.join(", ")}`);
    const { protocol = "tcp" } = rule;
    const normal = String(protocol).toLowerCase();
    if (isUnknown(protocol)) return;
    if (typeof protocol !== "string" || !kind.protocols.includes(normal))
        problems.add(`${path}.protocol`, `${JSON.stringify(protocol)} is not one of ${kind.protocols.join(", ")}`);
    else {
        checkPorts(problems, path, normal, rule.ports);
        checkIcmp(problems, path, normal, rule);
    }
    checkCidrs(problems, `${path}.cidrs`, rule.cidrs, kind.cidrsRequired);
    checkCidrs(problems, `${path}.destinationCidrs`, rule.destinationCidrs, false);
}

function checkPorts(problems: Problems, path: string, protocol: string, ports: unknown): void {
    if (ports === undefined || isUnknown(ports)) return;
    const range = parsePorts(ports);
    if (!hasPorts(protocol))
        problems.add(`${path}.ports`, `is not valid with protocol ${protocol}, which has no ports: leave it out`);
    else if (range === undefined || range[0] === 0)
        problems.add(
            `${path}.ports`,
            `${JSON.stringify(ports)} is neither a port ("443") nor a range of ports ("8000-8100") from 1 to 65535`,
        );
}

function checkIcmp(problems: Problems, path: string, protocol: string, rule: Inputs): void {
    checkIcmpNumbers(problems, path, protocol, rule);
    if (protocol === "icmp" && rule.icmpCode >= 0 && (rule.icmpType ?? -1) === -1)
        problems.add(`${path}.icmpCode`, "requires icmpType: a code belongs to a type");
}

function checkCidrs(problems: Problems, path: string, cidrs: unknown, required: boolean): void {
    if (isUnknown(cidrs)) return;
    if (cidrs === undefined || (Array.isArray(cidrs) && cidrs.length === 0)) {
        if (required || cidrs !== undefined)
            problems.add(path, 'has no network: give at least one, such as "0.0.0.0/0" for all');
        return;
    }
    if (!Array.isArray(cidrs)) return problems.add(path, "must be a list");
    cidrs.forEach((cidr, index) => {
        if (!isUnknown(cidr) && (normalCidr(cidr) === undefined || cidr.includes(":")))
            problems.add(
                `${path}[${index}]`,
                `${JSON.stringify(cidr)} is not an IPv4 network such as "203.0.113.0/24"`,
            );
    });
}

/** CloudStack refuses overlapping ports for the same network. The same rule twice counts once. */
function checkConflicts(problems: Problems, rules: readonly Inputs[]): void {
    const known = rules.flatMap((rule, index) =>
        hasUnknown(rule) ? [] : expand(rule).map((tuple) => ({ tuple, index })),
    );
    known.forEach(({ tuple, index }, position) => {
        const rival = known
            .slice(0, position)
            .find((other) => other.tuple.key !== tuple.key && conflict(other.tuple, tuple));
        if (rival !== undefined)
            problems.add(
                `rules[${index}]`,
                `${describeTuple(tuple)} has ports in common with rules[${rival.index}], ${describeTuple(rival.tuple)}, ` +
                    "which CloudStack refuses: give one range, or separate ones",
            );
    });
}
