/**
 * Which ports of a machine let whose packets in: a packet is sent to each, and the machine counts what arrives, before
 * anything in it can refuse. So a port without a listener counts as well, and UDP needs no answer.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { type RuleOptions, planRules } from "../../../components/kubernetesCluster/rules";
import type { RealCloud } from "./cluster";

const script = fs.readFileSync(path.join(__dirname, "knock.py"), "utf8");

/** The first packets of connections that arrive, by their source. */
const counter = `table inet knocks {}
delete table inet knocks
table inet knocks {
    set seen {
        type ipv4_addr . inet_proto . inet_service
        flags dynamic
        size 65535
    }
    chain arriving {
        type filter hook prerouting priority -400
        meta l4proto tcp tcp flags & (syn | ack) == syn add @seen { ip saddr . meta l4proto . th dport }
        meta l4proto udp add @seen { ip saddr . meta l4proto . th dport }
    }
}`;

/** Names of machines to their addresses; `host` is this computer. */
export type Places = Readonly<Record<string, string>>;

export async function count(cloud: RealCloud, machines: readonly string[]): Promise<void> {
    for (const machine of machines) await cloud.exec(machine, "sh", "-ec", `echo '${counter}' | nft -f -`);
}

export async function knock(cloud: RealCloud, from: string, addresses: string[], ports: number[]): Promise<void> {
    const command = ["python3", "-c", script, JSON.stringify({ addresses, tcp: ports, udp: ports })];
    if (from === "host") await promisify(execFile)(command[0], command.slice(1));
    else await cloud.exec(from, ...command);
}

/** What has arrived at a machine from an address, of the ports that were knocked at: `tcp 6443`. */
export async function arrived(cloud: RealCloud, machine: string, source: string, ports: number[]): Promise<string[]> {
    const { nftables } = JSON.parse(await cloud.exec(machine, "nft", "-j", "list", "set", "inet", "knocks", "seen"));
    const seen: { concat: [string, string, number] }[] = nftables.find((item: any) => item.set)?.set.elem ?? [];
    return seen
        .map(({ concat }) => concat)
        .filter(([address, , port]) => address === source && ports.includes(port))
        .map(([, protocol, port]) => `${protocol} ${port}`)
        .sort();
}

/** Which of these ports the documented table opens for a group, or for an address outside of all groups. */
export function documented(
    to: string,
    from: { group?: string; address: string },
    options: RuleOptions,
    ports: number[],
) {
    const rules = planRules(options)[to as keyof ReturnType<typeof planRules>].filter(
        ({ protocol, groups = [], cidrs = [] }) =>
            protocol !== "icmp" && (groups.includes(from.group as never) || cidrs.includes(`${from.address}/32`)),
    );
    return rules
        .flatMap(({ protocol, ports: range = "" }) => {
            const [first, last = first] = range.split("-").map(Number);
            return ports.filter((port) => port >= first && port <= last).map((port) => `${protocol} ${port}`);
        })
        .sort();
}
