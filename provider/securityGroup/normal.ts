import * as net from "node:net";

/**
 * The normal form in which rules are compared, stored and sent. CloudStack stores rules as they were given, so the same
 * rule may be written in several ways in the program, in the state and in the cloud.
 */

const PROTOCOL_NUMBERS: Record<string, string> = { "1": "icmp", "6": "tcp", "17": "udp" };

/** The traffic that a rule allows, without its source. */
export interface Traffic {
    protocol: string;
    startPort?: number;
    endPort?: number;
    icmpType?: number;
    icmpCode?: number;
}

/** A protocol's name if CloudStack has one, else its number; `undefined` for anything else. */
export function normalProtocol(protocol: unknown): string | undefined {
    const text = String(protocol).trim().toLowerCase();
    if (["tcp", "udp", "icmp", "all"].includes(text)) return text;
    if (!/^\d{1,3}$/.test(text) || Number(text) > 255) return undefined;
    return PROTOCOL_NUMBERS[String(Number(text))] ?? String(Number(text));
}

/** Whether the rules of a protocol have ports; those of `all` and of other protocol numbers have none. */
export function hasPorts(protocol: string): boolean {
    return protocol === "tcp" || protocol === "udp";
}

/**
 * Traffic in its normal form.
 *
 * Ports: port 0 is not used by packets, so a range that starts at 0 starts at 1. CloudStack stores 0 to 0 as 0 to
 * 65535, and lists 0 to 0 for rules with a protocol number. ICMP: -1 means all; CloudStack requires a code if there is
 * a type.
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

/** A port ("443" or 443) or a range ("30000-32767") as a pair; `undefined` for anything else. */
export function parsePorts(ports: unknown): [number, number] | undefined {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(ports).trim());
    if (match === null) return undefined;
    const start = Number(match[1]);
    const end = match[2] === undefined ? start : Number(match[2]);
    return start <= end && end <= 65_535 ? [start, end] : undefined;
}

/**
 * An IPv4 or IPv6 network in its normal form: with host bits zero, IPv6 compressed and in hexadecimal.
 *
 * @returns `undefined` if it is not a network with a prefix length
 */
export function normalCidr(cidr: unknown): string | undefined {
    if (typeof cidr !== "string") return undefined;
    const [address, length, ...rest] = cidr.split("/");
    if (rest.length > 0 || length === undefined || !/^\d{1,3}$/.test(length)) return undefined;
    const bits = Number(length);
    if (net.isIPv4(address) && bits <= 32) return `${masked(address.split("."), 10, 8, bits).join(".")}/${bits}`;
    // An IPv6 zone (`%eth0`) identifies an interface of one computer and is invalid in a network.
    if (!net.isIPv6(address) || address.includes("%") || bits > 128) return undefined;
    const groups = masked(ipv6Groups(address), 16, 16, bits).map((group) => group.toString(16));
    const short = new net.SocketAddress({ family: "ipv6", address: groups.join(":") }).address;
    return `${short.includes(".") ? groups.join(":") : short}/${bits}`;
}

/** The parts of an address as numbers, with the bits after the prefix set to zero. */
function masked(parts: readonly string[], radix: number, width: number, bits: number): number[] {
    return parts.map((part, index) => {
        const kept = Math.min(Math.max(bits - index * width, 0), width);
        return Math.floor(parseInt(part, radix) / 2 ** (width - kept)) * 2 ** (width - kept);
    });
}

/** All eight groups of an IPv6 address, which may end in an IPv4 address and may be compressed with `::`. */
function ipv6Groups(address: string): string[] {
    const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts) => {
        const [a, b, c, d] = parts.slice(0, 4).map(Number);
        return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
    });
    const [head, tail] = hex.split("::").map((half) => (half === "" ? [] : half.split(":")));
    if (tail === undefined) return head;
    return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
}
