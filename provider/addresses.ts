import * as net from "node:net";

/** Arithmetic on IPv4 addresses and networks. */

export function toNumber(address: string): number {
    return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

export function toAddress(number: number): string {
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** An IPv4 network. */
export interface Ipv4Network {
    /** The first address, which is the network's own. */
    readonly base: number;
    /** The number of addresses. */
    readonly size: number;
    readonly bits: number;
}

/** A text such as `10.1.1.0/24` as a network; `undefined` if it is none. Host bits are ignored. */
export function parseNetwork(cidr: unknown): Ipv4Network | undefined {
    const match = typeof cidr === "string" ? /^([\d.]+)\/(\d{1,2})$/.exec(cidr) : null;
    if (match === null || !net.isIPv4(match[1]) || Number(match[2]) > 32) return undefined;
    const bits = Number(match[2]);
    const size = 2 ** (32 - bits);
    return { base: Math.floor(toNumber(match[1]) / size) * size, size, bits };
}

export function cidrOf({ base, bits }: Ipv4Network): string {
    return `${toAddress(base)}/${bits}`;
}

export function netmaskOf({ size }: Ipv4Network): string {
    return toAddress(2 ** 32 - size);
}

/** The first address of a network that a device can have. */
export function firstAddressOf({ base }: Ipv4Network): string {
    return toAddress(base + 1);
}

/** Whether an address belongs to a network and is neither its own nor its broadcast address. */
export function isHostOf({ base, size }: Ipv4Network, address: string): boolean {
    const number = toNumber(address);
    return number > base && number < base + size - 1;
}

/** Whether all addresses of the second network belong to the first. */
export function includes(outer: Ipv4Network, inner: Ipv4Network): boolean {
    return inner.base >= outer.base && inner.base + inner.size <= outer.base + outer.size;
}

/** Private addresses (RFC 1918) and shared address space (RFC 6598), which CloudStack requires for guest networks. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((cidr) => parseNetwork(cidr)!);

export function isPrivate(network: Ipv4Network): boolean {
    return PRIVATE.some((range) => includes(range, network));
}
