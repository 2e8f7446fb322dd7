import { toAddress, toNumber } from "../../provider/addresses";

/** An IPv4 network: its first address and the length of its prefix. */
export interface Cidr {
    readonly first: number;
    readonly bits: number;
}

/** An IPv4 address such as `10.1.1.21` as a number; undefined for anything else. */
export function parseIpv4(text: string): number | undefined {
    const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
    if (parts === undefined || parts.some((part) => Number(part) > 255 || String(Number(part)) !== part))
        return undefined;
    return toNumber(text);
}

/** A network such as `10.244.0.0/16`; undefined for anything else, including a network with host bits set. */
export function parseCidr(text: string): Cidr | undefined {
    const [, address, length] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
    const first = address === undefined ? undefined : parseIpv4(address);
    const bits = Number(length);
    if (first === undefined || bits > 32 || first % sizeOf({ first, bits }) !== 0) return undefined;
    return { first, bits };
}

/** How many addresses a network has. */
export function sizeOf({ bits }: Cidr): number {
    return 2 ** (32 - bits);
}

/** Whether an address is in a network. */
export function contains(network: Cidr, address: number): boolean {
    return address >= network.first && address < network.first + sizeOf(network);
}

/** Whether two networks share an address. */
export function overlap(a: Cidr, b: Cidr): boolean {
    return contains(a, b.first) || contains(b, a.first);
}

/** The address at `index` of a network, as text. */
export function addressAt(network: Cidr, index: number): string {
    return toAddress(network.first + index);
}

/** The address of the cluster's DNS service: kubeadm uses the tenth address of the service network. */
export function dnsAddress(serviceCidr: string): string {
    const network = parseCidr(serviceCidr);
    if (network === undefined) throw new Error(`${serviceCidr} is not an IPv4 network in CIDR notation`);
    return addressAt(network, 10);
}
