import * as net from "node:net";

/**
 * The one spelling in which rules are compared, stored and sent. CloudStack keeps what it was given, so one and the same
 * rule may be asked for, recorded and listed in several spellings.
 */

const PROTOCOL_NUMBERS: Record<string, string> = { "1": "icmp", "6": "tcp", "17": "udp" };

/** What a rule allows, besides whom it is for. */
export interface Traffic {
    protocol: string;
    startPort?: number;
    endPort?: number;
    icmpType?: number;
    icmpCode?: number;
}

/** A protocol's name where CloudStack has one, else its number; `undefined` for what is neither. */
export function normalProtocol(protocol: unknown): string | undefined {
    const text = String(protocol).trim().toLowerCase();
    if (["tcp", "udp", "icmp", "all"].includes(text)) return text;
    if (!/^\d{1,3}$/.test(text) || Number(text) > 255) return undefined;
    return PROTOCOL_NUMBERS[String(Number(text))] ?? String(Number(text));
}

/** True for the protocols whose rules have ports; rules of `all` and of other numbers have none. */
export function hasPorts(protocol: string): boolean {
    return protocol === "tcp" || protocol === "udp";
}

/**
 * Traffic in its one spelling.
 *
 * Ports: no packet has port 0, so a range that starts there starts at 1; CloudStack makes 0 to 65535 of 0 to 0, and lists 0 to 0 for
 * rules that were given a protocol's number.
 * ICMP: -1 is all; CloudStack wants a code with a type.
 */
export function normalTraffic({ protocol, startPort, endPort, icmpType, icmpCode }: Traffic): Traffic {
    if (hasPorts(protocol)) {
        const end = endPort || (startPort ? startPort : 65_535);
        return { protocol, startPort: Math.max(startPort ?? 1, 1), endPort: end };
    }
    if (protocol !== "icmp") return { protocol };
    const type = icmpType ?? -1;
    return { protocol, icmpType: type, icmpCode: type === -1 ? -1 : (icmpCode ?? 0) };
}

/** "443" (or 443), or "30000-32767", as a pair, or `undefined` for what is neither. */
export function parsePorts(ports: unknown): [number, number] | undefined {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(ports).trim());
    if (match === null) return undefined;
    const start = Number(match[1]);
    const end = match[2] === undefined ? start : Number(match[2]);
    return start <= end && end <= 65_535 ? [start, end] : undefined;
}

/**
 * A network of IPv4 or IPv6 in its one spelling: the host's bits zero, IPv6 short and in hexadecimal.
 *
 * @returns `undefined` for what is no network with its prefix length
 */
export function normalCidr(cidr: unknown): string | undefined {
    if (typeof cidr !== "string") return undefined;
    const [address, length, ...rest] = cidr.split("/");
    if (rest.length > 0 || length === undefined || !/^\d{1,3}$/.test(length)) return undefined;
    const bits = Number(length);
    if (net.isIPv4(address) && bits <= 32) return `${masked(address.split("."), 10, 8, bits).join(".")}/${bits}`;
    // A zone belongs to an interface of one machine, not to a network.
    if (!net.isIPv6(address) || address.includes("%") || bits > 128) return undefined;
    const groups = masked(ipv6Groups(address), 16, 16, bits).map((group) => group.toString(16));
    const short = new net.SocketAddress({ family: "ipv6", address: groups.join(":") }).address;
    return `${short.includes(".") ? groups.join(":") : short}/${bits}`;
}

/** The parts of an address as numbers, those bits zero that are beyond the prefix. */
function masked(parts: readonly string[], radix: number, width: number, bits: number): number[] {
    return parts.map((part, index) => {
        const kept = Math.min(Math.max(bits - index * width, 0), width);
        return Math.floor(parseInt(part, radix) / 2 ** (width - kept)) * 2 ** (width - kept);
    });
}

/** All eight groups of an IPv6 address, which may end in an IPv4 address and leave zeros out. */
function ipv6Groups(address: string): string[] {
    const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts) => {
        const [a, b, c, d] = parts.slice(0, 4).map(Number);
        return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
    });
    const [head, tail] = hex.split("::").map((half) => (half === "" ? [] : half.split(":")));
    if (tail === undefined) return head;
    return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
}
