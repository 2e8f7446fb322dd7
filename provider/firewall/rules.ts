import type { Inputs } from "../handler";
import { hasUnknown, isUnknown } from "../handler";
import { hasPorts, normalCidr, normalTraffic, parsePorts, type Traffic } from "../securityGroup/normal";
import type { ApiFirewallRule } from "../session";

/**
 * Rules of a firewall in the form in which they are compared: one for each pair of source and destination. CloudStack's
 * rules have lists of both and cannot be changed.
 */
export interface Tuple extends Traffic {
    /** `undefined`: all of the network's own addresses. */
    readonly source?: string;
    /** `undefined`: everywhere. */
    readonly destination?: string;
    readonly key: string;
}

/** A rule in the cloud, which consists of one or more tuples. */
export interface ActualRule {
    readonly id: string;
    readonly tuples: readonly Tuple[];
}

/** Tuples that one command creates: they differ only in their source. */
export type Batch = readonly Tuple[];

const EVERYWHERE = "0.0.0.0/0";

/**
 * The distinct tuples in the arguments. Rules with values that a preview does not know yet are left out; `unknown` is
 * set if there are any.
 *
 * @param own the addresses of the network, for egress rules: as a source they mean all of the network
 */
export function wantedTuples(rules: unknown, own?: string): { tuples: Tuple[]; unknown: boolean } {
    if (isUnknown(rules) || !Array.isArray(rules)) return { tuples: [], unknown: isUnknown(rules) };
    const tuples = new Map<string, Tuple>();
    for (const rule of rules)
        if (!hasUnknown(rule)) for (const tuple of expand(rule, own)) tuples.set(tuple.key, tuple);
    return { tuples: [...tuples.values()], unknown: rules.some(hasUnknown) };
}

/** The tuples of one rule in the arguments. */
export function expand(rule: Inputs, own?: string): Tuple[] {
    const [startPort, endPort] = (rule.ports === undefined ? undefined : parsePorts(rule.ports)) ?? [];
    const protocol = String(rule.protocol ?? "tcp").toLowerCase();
    const { icmpType, icmpCode } = rule;
    return combine({ protocol, startPort, endPort, icmpType, icmpCode }, rule.cidrs, rule.destinationCidrs, own);
}

/** A rule in the cloud as tuples. */
export function actualRule(rule: ApiFirewallRule, own?: string): ActualRule {
    const { protocol, startport: startPort, endport: endPort, icmptype: icmpType, icmpcode: icmpCode } = rule;
    const list = (text: string | undefined) => (text ? text.split(",") : undefined);
    const traffic = { protocol: protocol.toLowerCase(), startPort, endPort, icmpType, icmpCode };
    return { id: rule.id, tuples: combine(traffic, list(rule.cidrlist), list(rule.destcidrlist), own) };
}

function combine(
    traffic: Traffic,
    sources: string[] | undefined,
    destinations: string[] | undefined,
    own?: string,
): Tuple[] {
    // A type without a code means all of its codes.
    const what = normalTraffic({ ...traffic, icmpCode: traffic.icmpCode ?? -1 });
    const from = sources?.length ? sources.map((cidr) => normalCidr(cidr) ?? cidr) : [undefined];
    const to = destinations?.length ? destinations.map((cidr) => normalCidr(cidr) ?? cidr) : [undefined];
    return from.flatMap((source) =>
        to.map((destination) =>
            keyed({
                ...what,
                source: source === own ? undefined : source,
                destination: destination === EVERYWHERE ? undefined : destination,
            }),
        ),
    );
}

function keyed(tuple: Omit<Tuple, "key">): Tuple {
    const { protocol, startPort, endPort, icmpType, icmpCode, source, destination } = tuple;
    const parts = [protocol, startPort, endPort, icmpType, icmpCode, source, destination];
    return { ...tuple, key: parts.map((part) => part ?? "").join("|") };
}

/** The tuple of a key that the state contains. */
export function ofKey(key: string): Tuple {
    const [protocol, startPort, endPort, icmpType, icmpCode, source, destination] = key.split("|");
    const number = (text: string) => (text === "" ? undefined : Number(text));
    const [from, to, type, code] = [startPort, endPort, icmpType, icmpCode].map(number);
    const ends = { source: source || undefined, destination: destination || undefined };
    return keyed({ protocol, startPort: from, endPort: to, icmpType: type, icmpCode: code, ...ends });
}

export function keysOf(tuples: readonly Tuple[]): string[] {
    return [...new Set(tuples.map(({ key }) => key))];
}

/** Whether CloudStack accepts only one of two rules: they have the same source and destination, and a port in common. */
export function conflict(one: Tuple, other: Tuple): boolean {
    if (one.protocol !== other.protocol || one.source !== other.source || one.destination !== other.destination)
        return false;
    if (one.protocol === "icmp") return one.icmpType === other.icmpType && one.icmpCode === other.icmpCode;
    if (!hasPorts(one.protocol)) return true;
    return one.startPort! <= other.endPort! && other.startPort! <= one.endPort!;
}

/** The steps of a change, in their order. */
export interface Plan {
    readonly first: readonly Batch[];
    readonly remove: readonly ActualRule[];
    /** What would conflict with the removed rules. */
    readonly then: readonly Batch[];
}

/**
 * How the wanted rules are reached. What is allowed before and after stays allowed meanwhile, where CloudStack accepts
 * the new rule beside the old one. A rule that is wanted in part is removed, and its wanted part is created again.
 *
 * @param removable whether a tuple that is not wanted may be removed; a rule with others is left alone
 */
export function plan(
    wanted: readonly Tuple[],
    actual: readonly ActualRule[],
    removable: (tuple: Tuple) => boolean,
): Plan {
    const keys = new Set(keysOf(wanted));
    const unwanted = (rule: ActualRule) => rule.tuples.filter(({ key }) => !keys.has(key));
    const remove = actual.filter((rule) => unwanted(rule).length > 0 && unwanted(rule).every(removable));
    const kept = new Set(actual.filter((rule) => !remove.includes(rule)).flatMap(({ tuples }) => keysOf(tuples)));
    const missing = wanted.filter(({ key }) => !kept.has(key));
    const going = remove.flatMap(({ tuples }) => tuples);
    const mustWait = (tuple: Tuple) => going.some((other) => conflict(tuple, other));
    return {
        first: batches(missing.filter((tuple) => !mustWait(tuple))),
        remove,
        then: batches(missing.filter(mustWait)),
    };
}

function batches(tuples: readonly Tuple[]): Batch[] {
    const groups = new Map<string, Tuple[]>();
    for (const tuple of tuples) {
        const { protocol, startPort, endPort, icmpType, icmpCode, source, destination } = tuple;
        const isOwn = source === undefined;
        const key = [protocol, startPort, endPort, icmpType, icmpCode, destination, isOwn].join("|");
        groups.set(key, [...(groups.get(key) ?? []), tuple]);
    }
    return [...groups.values()];
}

/** A tuple in words: "tcp 443 from 10.0.0.0/8". */
export function describeTuple(tuple: Tuple): string {
    const { protocol, startPort, endPort, icmpType, icmpCode, source, destination } = tuple;
    const isAll = startPort === undefined || (startPort === 1 && endPort === 65_535);
    const ports = isAll ? "" : startPort === endPort ? ` ${startPort}` : ` ${startPort}-${endPort}`;
    const icmp = icmpType === undefined || icmpType === -1 ? "" : ` type ${icmpType} code ${icmpCode}`;
    const from = source === undefined ? "" : ` from ${source}`;
    return `${protocol}${ports}${icmp}${from}${destination === undefined ? "" : ` to ${destination}`}`;
}

/** A tuple as a rule of the arguments. */
export function asArgument({ protocol, startPort, endPort, icmpType, icmpCode, source, destination }: Tuple): Inputs {
    return {
        protocol,
        ...(startPort === undefined ? {} : { ports: `${startPort}-${endPort}` }),
        ...(icmpType === undefined ? {} : { icmpType, icmpCode }),
        ...(source === undefined ? {} : { cidrs: [source] }),
        ...(destination === undefined ? {} : { destinationCidrs: [destination] }),
    };
}
