/** Arithmetic on IPv4 addresses, and validation of CIDRs. */
import * as net from "node:net";

/** Addresses of the shared network of a new cloud. */
export const DEFAULT_CIDR = "10.1.1.0/24";

/** The public addresses of the zone without security groups. They are from a range for benchmarks (RFC 2544). */
export const PUBLIC_RANGE = { start: "198.18.0.10", end: "198.18.0.250" } as const;

export function toNumber(address: string): number {
    return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(value: number): string {
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** A network's addresses: the gateway has the first, machines those from the tenth up to the sixth from the end. */
export interface Range {
    readonly cidr: string;
    readonly gateway: string;
    readonly netmask: string;
    readonly start: string;
    readonly end: string;
}

/** @throws RangeError if `cidr` is not an IPv4 network of /16 to /27 */
export function rangeOf(cidr: string): Range {
    const [address, bits] = cidr.split("/");
    const prefix = Number(bits);
    if (!net.isIPv4(address) || !/^\d+$/.test(bits ?? "") || prefix < 16 || prefix > 27) {
        throw new RangeError(`"${cidr}" is not an IPv4 network from /16 to /27, such as 10.1.1.0/24.`);
    }
    const size = 2 ** (32 - prefix);
    const base = Math.floor(toNumber(address) / size) * size;
    return {
        cidr: `${toAddress(base)}/${prefix}`,
        gateway: toAddress(base + 1),
        netmask: toAddress(2 ** 32 - size),
        start: toAddress(base + 10),
        end: toAddress(base + size - 6),
    };
}

/** Like the fields of a network's range; empty for a network of layer 2, which has no addresses. */
export function netmaskOf(cidr: string): string {
    return cidr === "" ? "" : rangeOf(cidr).netmask;
}

/** The first free address from `start` to `end`. */
export function firstFree(start: string, end: string, taken: ReadonlySet<string>): string | undefined {
    const last = toNumber(end);
    for (let value = toNumber(start); value <= last; value += 1) {
        const address = toAddress(value);
        if (!taken.has(address)) return address;
    }
    return undefined;
}

export function isWithin(address: string, start: string, end: string): boolean {
    if (!net.isIPv4(address)) return false;
    const value = toNumber(address);
    return value >= toNumber(start) && value <= toNumber(end);
}

/** Whether it is an IPv4 or IPv6 network, as security group rules require. */
export function isCidr(text: string): boolean {
    const [address, bits, more] = text.split("/");
    if (more !== undefined || bits === undefined || !/^\d{1,3}$/.test(bits)) return false;
    if (net.isIPv4(address)) return Number(bits) <= 32;
    return net.isIPv6(address) && Number(bits) <= 128;
}
