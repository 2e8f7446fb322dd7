/**
 * Which ports of a machine are open to whom: a packet is sent to each, and the machine records what arrives before
 * anything on it can refuse it. So a port is found open without a listener as well, and UDP needs no answer.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { RealCloud } from "./cluster";

const script = fs.readFileSync(path.join(__dirname, "sendToPorts.py"), "utf8");

/** Records the source and the port of what opens a connection, after connection tracking and before any other rule. */
const recorder = `table inet arrivals {
    set seen {
        type ipv4_addr . inet_proto . inet_service
        flags dynamic
        size 65535
    }
    chain arriving {
        type filter hook prerouting priority -150
        meta l4proto { tcp, udp } ct state new add @seen { ip saddr . meta l4proto . th dport }
    }
}`;

/** Starts to record what arrives at machines. */
export async function recordArrivals(cloud: RealCloud, machines: readonly string[]): Promise<void> {
    for (const machine of machines) await cloud.exec(machine, "sh", "-ec", `echo '${recorder}' | nft -f -`);
}

/** @param from a machine, or `host`: this computer */
export async function sendToPorts(
    cloud: RealCloud,
    from: string,
    addresses: readonly string[],
    ports: readonly number[],
): Promise<void> {
    const command = ["python3", "-c", script, JSON.stringify({ addresses, ports })];
    if (from === "host") await promisify(execFile)(command[0], command.slice(1));
    else await cloud.exec(from, ...command);
}

/** What has arrived at a machine: `tcp 6443`, by the address that it came from. */
export async function arrivals(cloud: RealCloud, machine: string): Promise<Record<string, string[]>> {
    const { nftables } = JSON.parse(await cloud.exec(machine, "nft", "-j", "list", "set", "inet", "arrivals", "seen"));
    const found: Record<string, string[]> = {};
    for (const { concat } of nftables.find((item: any) => item.set)?.set.elem ?? []) {
        const [address, protocol, port] = concat;
        (found[address] ??= []).push(`${protocol} ${port}`);
    }
    return found;
}

const page = fs.readFileSync(path.resolve(__dirname, "../../../docs/components.md"), "utf8");
const rows = [...page.matchAll(/^\| ([\w, ]+) \| (tcp|udp) (\d+)-?(\d*) \| (.+?) \| (.+) \|$/gm)]
    // The clusters of these tests have pod network vxlan.
    .filter(([, , , , , , why]) => !why.includes("pod network wireguard"))
    .map(([, to, protocol, first, last, from]) => ({
        to: to.split(", "),
        from: from.split(", "),
        opens: (port: number) => port >= Number(first) && port <= Number(last || first),
        protocol,
    }));

/** Ports that docs/components.md says are open on a group's machines. @param source as in the column "from" */
export function documentedPorts(group: string, source: string, ports: readonly number[]): string[] {
    return rows
        .filter(({ to, from }) => to.includes(group) && from.includes(source))
        .flatMap(({ protocol, opens }) => ports.filter(opens).map((port) => `${protocol} ${port}`))
        .sort();
}
