import * as net from "node:net";
import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import type { Problems } from "../lifecycle";
import { parsePorts } from "./rules";

/**
 * Checks rules as CloudStack would, but before anything is made: it checks them in the job, after the group exists (seen on CloudStack
 * 4.22: a bad CIDR, port or protocol is a failed job).
 */
export function checkRules(problems: Problems, inputs: Inputs): void {
    for (const direction of ["ingress", "egress"]) {
        const rules = inputs[direction];
        if (rules === undefined || isUnknown(rules)) continue;
        if (!Array.isArray(rules)) problems.add(direction, "has to be a list of rules");
        else rules.forEach((rule, index) => checkRule(problems, `${direction}[${index}]`, rule));
    }
}

function checkRule(problems: Problems, path: string, rule: Inputs): void {
    if (isUnknown(rule)) return;
    if (rule === null || typeof rule !== "object")
        return problems.add(path, 'has to be a rule, such as { ports: "443", cidrs: ["0.0.0.0/0"] }');
    const protocol = checkProtocol(problems, path, rule.protocol);
    if (protocol !== undefined) {
        checkPorts(problems, path, protocol, rule.ports);
        for (const property of ["icmpType", "icmpCode"]) checkIcmp(problems, path, protocol, property, rule[property]);
    }
    checkSources(problems, path, rule);
}

function checkProtocol(problems: Problems, path: string, protocol: unknown): string | undefined {
    if (isUnknown(protocol)) return undefined;
    const text = String(protocol ?? "tcp").toLowerCase();
    if (["tcp", "udp", "icmp", "all"].includes(text) || (/^\d{1,3}$/.test(text) && Number(text) <= 255)) return text;
    problems.add(`${path}.protocol`, `"${protocol}" is not tcp, udp, icmp, all or a protocol number from 0 to 255`);
    return undefined;
}

function checkPorts(problems: Problems, path: string, protocol: string, ports: unknown): void {
    if (ports === undefined || isUnknown(ports)) return;
    if (!["tcp", "udp", "6", "17"].includes(protocol))
        problems.add(`${path}.ports`, `does not go with protocol ${protocol}, which has no ports: leave it out`);
    else if (parsePorts(String(ports)) === undefined)
        problems.add(`${path}.ports`, `"${ports}" is neither a port ("443") nor a range of ports ("30000-32767")`);
}

function checkIcmp(problems: Problems, path: string, protocol: string, property: string, value: unknown): void {
    if (value === undefined || isUnknown(value)) return;
    if (protocol !== "icmp" && protocol !== "1")
        problems.add(`${path}.${property}`, `goes with protocol icmp only, not with ${protocol}`);
    else
        problems.integer(
            { [`${path}.${property}`]: value },
            `${path}.${property}`,
            -1,
            255,
            "ICMP numbers (-1 means all)",
        );
}

function checkSources(problems: Problems, path: string, rule: Inputs): void {
    const given =
        ["cidrs", "groups"].some((property) => isUnknown(rule[property]) || rule[property]?.length > 0) ||
        rule.self === true ||
        isUnknown(rule.self);
    if (!given)
        problems.add(path, 'names nobody: give cidrs (such as ["0.0.0.0/0"] for everybody), groups, or self: true');
    for (const property of ["cidrs", "groups"]) {
        const items = rule[property];
        if (items === undefined || isUnknown(items)) continue;
        if (!Array.isArray(items)) {
            problems.add(`${path}.${property}`, "has to be a list");
            continue;
        }
        items.forEach((item, index) => {
            if (isUnknown(item)) return;
            if (property === "cidrs" && !isCidr(item))
                problems.add(
                    `${path}.cidrs[${index}]`,
                    `"${item}" is not a network such as "10.0.0.0/8" or "2001:db8::/32"`,
                );
            if (property === "groups" && (typeof item !== "string" || item === ""))
                problems.add(`${path}.groups[${index}]`, "has to be the name of a security group");
        });
    }
}

/** A network of IPv4 or IPv6 with its prefix length. */
export function isCidr(text: unknown): boolean {
    if (typeof text !== "string") return false;
    const [address, bits, ...rest] = text.split("/");
    if (rest.length > 0 || bits === undefined || !/^\d{1,3}$/.test(bits)) return false;
    return (net.isIPv4(address) && Number(bits) <= 32) || (net.isIPv6(address) && Number(bits) <= 128);
}
