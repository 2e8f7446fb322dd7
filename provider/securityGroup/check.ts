import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import type { Problems } from "../lifecycle";
import { hasPorts, normalCidr, normalProtocol, parsePorts } from "./normal";

/**
 * Validates rules before the group is created. CloudStack 4.22 validates them only in the job that adds them: an
 * invalid CIDR, port or protocol makes the job fail.
 */
export function checkRules(problems: Problems, inputs: Inputs): void {
    for (const direction of ["ingress", "egress"]) {
        const rules = inputs[direction];
        if (rules === undefined || isUnknown(rules)) continue;
        if (!Array.isArray(rules)) problems.add(direction, "must be a list of rules");
        else rules.forEach((rule, index) => checkRule(problems, `${direction}[${index}]`, rule));
    }
}

function checkRule(problems: Problems, path: string, rule: Inputs): void {
    if (isUnknown(rule)) return;
    if (rule === null || typeof rule !== "object" || Array.isArray(rule))
        return problems.add(path, 'must be a rule such as { ports: "443", cidrs: ["0.0.0.0/0"] }');
    const protocol = checkProtocol(problems, path, rule.protocol);
    if (protocol !== undefined) {
        checkPorts(problems, path, protocol, rule.ports);
        checkIcmp(problems, path, protocol, rule);
    }
    checkKeys(problems, path, rule);
    checkSources(problems, path, rule);
}

function checkProtocol(problems: Problems, path: string, protocol: unknown): string | undefined {
    if (isUnknown(protocol)) return undefined;
    const normal = normalProtocol(protocol ?? "tcp");
    if (normal === undefined)
        problems.add(
            `${path}.protocol`,
            `${JSON.stringify(protocol)} is not tcp, udp, icmp, all or a protocol number from 0 to 255`,
        );
    return normal;
}

function checkPorts(problems: Problems, path: string, protocol: string, ports: unknown): void {
    if (ports === undefined || isUnknown(ports)) return;
    const range = parsePorts(ports);
    if (!hasPorts(protocol))
        problems.add(`${path}.ports`, `is not valid with protocol ${protocol}, which has no ports: leave it out`);
    else if (range === undefined)
        problems.add(
            `${path}.ports`,
            `${JSON.stringify(ports)} is neither a port ("443") nor a range of ports ("30000-32767")`,
        );
    else if (range[1] === 0)
        problems.add(
            `${path}.ports`,
            `${JSON.stringify(ports)} means all ports to CloudStack: leave ports out for all of them`,
        );
}

/** Reports an ICMP type and code that are out of range, or that the rule's protocol does not have. */
export function checkIcmpNumbers(problems: Problems, path: string, protocol: string, rule: Inputs): void {
    for (const property of ["icmpType", "icmpCode"]) {
        const value = rule[property];
        const at = `${path}.${property}`;
        if (value === undefined || isUnknown(value)) continue;
        if (protocol === "icmp") problems.integer({ [at]: value }, at, -1, 255, "ICMP numbers (-1 means all)");
        else problems.add(at, `is only valid with protocol icmp, not with ${protocol}`);
    }
}

function checkIcmp(problems: Problems, path: string, protocol: string, rule: Inputs): void {
    checkIcmpNumbers(problems, path, protocol, rule);
    const { icmpType: type = -1, icmpCode: code } = rule;
    if (protocol !== "icmp" || !Number.isInteger(type) || !Number.isInteger(code)) return;
    if (type === -1 && code >= 0 && code <= 255)
        problems.add(`${path}.icmpCode`, "requires icmpType: a code belongs to a type");
    if (type !== -1 && code === -1)
        problems.add(`${path}.icmpCode`, "CloudStack has no rule for all codes of a type: give a code from 0 to 255");
}

const KNOWN = ["protocol", "ports", "icmpType", "icmpCode", "cidrs", "groups", "self"];

/** Unknown keys are refused, because a misspelt `ports` would open all ports. */
function checkKeys(problems: Problems, path: string, rule: Inputs): void {
    for (const key of Object.keys(rule).filter((given) => !KNOWN.includes(given)))
        problems.add(`${path}.${key}`, `is not a known argument of a rule: it has ${KNOWN.join(", ")}`);
    problems.boolean({ [`${path}.self`]: rule.self ?? undefined }, `${path}.self`);
}

function checkSources(problems: Problems, path: string, rule: Inputs): void {
    const given =
        ["cidrs", "groups"].some((property) => isUnknown(rule[property]) || rule[property]?.length > 0) ||
        rule.self === true ||
        isUnknown(rule.self);
    if (!given)
        problems.add(path, 'has no source: set cidrs (such as ["0.0.0.0/0"] for everyone), groups or self: true');
    for (const property of ["cidrs", "groups"]) {
        const items = rule[property];
        if (items === undefined || isUnknown(items)) continue;
        if (!Array.isArray(items)) {
            problems.add(`${path}.${property}`, "must be a list");
            continue;
        }
        items.forEach((item, index) => {
            if (isUnknown(item)) return;
            if (property === "cidrs" && normalCidr(item) === undefined)
                problems.add(
                    `${path}.cidrs[${index}]`,
                    `${JSON.stringify(item)} is not a CIDR such as "10.0.0.0/8" or "2001:db8::/32"`,
                );
            if (property === "groups" && (typeof item !== "string" || item === ""))
                problems.add(`${path}.groups[${index}]`, "must be the name of a security group");
        });
    }
}
