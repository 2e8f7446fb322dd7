/**
 * A network: a namespace with a bridge that has the gateway's address, as a virtual router has. A shared network also
 * has a link to the host, so that the machines can be reached from there; nothing else on the host changes.
 */
import { rangeOf, toAddress, toNumber } from "../../state/addresses";
import { attempt, ensureNamespace, inNamespace, run } from "./host";
import { BRIDGE, HOST_PORT, machineNamespace, networkNamespace, portOf } from "./names";

export interface Network {
    readonly id: string;
    readonly cidr: string;
    readonly gateway: string;
    /** Whether the host has a link to it. */
    readonly isShared: boolean;
}

/** The address of the host in a shared network: the last one. */
export function hostAddressOf(cidr: string): string {
    const { first, size } = addressBounds(cidr);
    return toAddress(first + size - 2);
}

function addressBounds(cidr: string): { first: number; size: number } {
    const range = rangeOf(cidr);
    return { first: toNumber(range.cidr.split("/")[0]), size: 2 ** (32 - Number(range.cidr.split("/")[1])) };
}

/**
 * The gateway's MAC address in every network. A bridge without one takes that of one of its ports, which changes as
 * ports come and go, and machines would send to the old one until their ARP entry expires.
 */
const GATEWAY_MAC = "1e:01:00:00:00:01";

const prefixLength = (cidr: string) => cidr.split("/")[1];

const hasLink = (namespace: string, link: string) => attempt(...inNamespace(namespace, "ip", "link", "show", link));

/** Creates the parts of a network that do not exist. */
export async function ensureNetwork(prefix: string, network: Network): Promise<void> {
    const namespace = networkNamespace(prefix, network);
    await ensureNamespace(namespace);
    const inside = (...command: string[]) => run(...inNamespace(namespace, ...command));
    await inside("ip", "link", "set", "lo", "up");
    if (!(await hasLink(namespace, BRIDGE)))
        await inside("ip", "link", "add", BRIDGE, "address", GATEWAY_MAC, "type", "bridge");
    await inside("ip", "address", "replace", `${network.gateway}/${prefixLength(network.cidr)}`, "dev", BRIDGE);
    await inside("ip", "link", "set", BRIDGE, "up");
    if (network.isShared) await ensureHostLink(prefix, namespace, network.cidr);
}

async function ensureHostLink(prefix: string, namespace: string, cidr: string): Promise<void> {
    if (!(await hasLink(namespace, HOST_PORT))) {
        // A link of that name may be left over that leads to a deleted namespace.
        await attempt("ip", ["link", "delete", prefix]);
        await run("ip", ["link", "add", prefix, "type", "veth", "peer", "name", HOST_PORT, "netns", namespace]);
    }
    await run(...inNamespace(namespace, "ip", "link", "set", HOST_PORT, "master", BRIDGE, "up"));
    await run("ip", ["address", "replace", `${hostAddressOf(cidr)}/${prefixLength(cidr)}`, "dev", prefix]);
    // No IPv6 link-local address and route on the host, since the network has no IPv6.
    await run("ip", ["link", "set", prefix, "addrgenmode", "none"]);
    await run("ip", ["link", "set", prefix, "up"]);
}

/** The first route of the host that overlaps with a network; undefined if none does. */
export async function conflictingRoute(prefix: string, cidr: string): Promise<string | undefined> {
    const { first, size } = addressBounds(cidr);
    const routes = await run("ip", ["-4", "route", "show", "table", "all"]);
    for (const line of routes.split("\n")) {
        const [where, ...rest] = line
            .trim()
            .split(/\s+/)
            .filter((word) => !/^(local|broadcast|unicast)$/.test(word));
        const device = rest[rest.indexOf("dev") + 1];
        if (where === undefined || !/^[\d./]+$/.test(where) || device === prefix) continue;
        const [address, length = "32"] = where.split("/");
        const from = toNumber(address);
        if (from < first + size && from + 2 ** (32 - Number(length)) > first) return `${where} on ${device}`;
    }
    return undefined;
}

export interface Nic {
    readonly address: string;
    readonly mac: string;
    readonly networkId: string;
}

/** Connects a machine to a network: creates its network namespace and a veth pair. */
export async function plug(
    prefix: string,
    network: Network,
    machine: { instanceName: string },
    nic: { mac: string; index: number },
): Promise<void> {
    const own = machineNamespace(prefix, machine.instanceName);
    const namespace = networkNamespace(prefix, network);
    const port = portOf(machine.instanceName);
    const device = `eth${nic.index}`;
    await ensureNamespace(own);
    const inside = (...command: string[]) => run(...inNamespace(namespace, ...command));
    await attempt(...inNamespace(namespace, "ip", "link", "delete", port));
    await inside("ip", "link", "add", port, "type", "veth", "peer", "name", device, "address", nic.mac, "netns", own);
    await inside("ip", "link", "set", port, "master", BRIDGE, "up");
    await run(...inNamespace(own, "ip", "link", "set", "lo", "up"));
}

/** Disconnects a machine: deleting its network namespace deletes its veth pairs. */
export async function unplug(prefix: string, instanceName: string): Promise<void> {
    await attempt("ip", ["netns", "delete", machineNamespace(prefix, instanceName)]);
}
