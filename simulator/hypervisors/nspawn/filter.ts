/**
 * Security groups as an nftables rule set in the network's namespace; one script replaces it atomically, and
 * established connections are kept.
 *
 * It has two tables. The stateless one of family bridge drops packets with spoofed addresses. The one of family ip,
 * which sees bridged packets if `bridge-nf-call-iptables` is 1, has the rules of the groups. (Connection tracking,
 * reject and bridge names in family bridge are not used, since not every kernel supports them.) Other packets are
 * dropped without an answer, as in CloudStack. Traffic of the router itself is accepted.
 */
import type { FilterPlan, FilterRule } from "../hypervisor";
import { inNamespace, run } from "./host";
import { portOf } from "./names";

type Machine = FilterPlan["machines"][number];

/** The part of a chain's name that identifies the machine. */
const nameOf = (machine: Machine) => portOf(machine.instanceName);

const setName = (groupId: string) => `group_${groupId.replaceAll("-", "_")}`;

/** An anonymous nft set or map, which must not be empty. */
const braces = (elements: readonly string[]) => `{ ${elements.join(", ")} }`;

function protocolMatch({ protocol, from, to }: FilterRule): string {
    switch (protocol.toLowerCase()) {
        case "all":
            return "";
        case "tcp":
        case "udp":
            return `${protocol.toLowerCase()} dport ${from === to ? from : `${from}-${to}`}`;
        case "icmp": {
            const type = from === -1 ? "ip protocol icmp" : `icmp type ${from}`;
            return to === -1 || from === -1 ? type : `${type} icmp code ${to}`;
        }
        default:
            return `ip protocol ${protocol}`;
    }
}

/** @param side where the peer's address is: source for ingress, destination for egress */
function peerMatch({ cidr, sourceGroupId }: FilterRule, side: "saddr" | "daddr"): string {
    if (sourceGroupId !== undefined) return `ip ${side} @${setName(sourceGroupId)}`;
    return cidr === undefined || cidr === "0.0.0.0/0" ? "" : `ip ${side} ${cidr}`;
}

/** Rules with IPv6 CIDRs do not apply to an IPv4 network. */
const isIPv4 = ({ cidr }: FilterRule) => cidr === undefined || !cidr.includes(":");

function rulesOf(plan: FilterPlan, machine: Machine, direction: FilterRule["direction"]): FilterRule[] {
    const groups = plan.groups.filter(({ id }) => machine.securityGroupIds.includes(id));
    return groups.flatMap(({ rules }) => rules.filter((rule) => rule.direction === direction));
}

function chain(name: string, lines: readonly string[]): string {
    return `  chain ${name} {\n${lines.map((line) => `    ${line.replace(/ +/g, " ").trim()}\n`).join("")}  }\n`;
}

/** Inbound packets: dropped unless a rule of one of the machine's groups accepts them. */
function ingress(plan: FilterPlan, machine: Machine): string {
    const rules = rulesOf(plan, machine, "ingress").filter(isIPv4);
    const lines = rules.map((rule) => `${peerMatch(rule, "saddr")} ${protocolMatch(rule)} accept`);
    return chain(`in_${nameOf(machine)}`, [...lines, "drop"]);
}

/** Outbound packets: all accepted, until one of the machine's groups has an egress rule. */
function egress(plan: FilterPlan, machine: Machine): string {
    const rules = rulesOf(plan, machine, "egress");
    const lines = rules.filter(isIPv4).map((rule) => `${peerMatch(rule, "daddr")} ${protocolMatch(rule)} return`);
    return chain(`out_${nameOf(machine)}`, rules.length === 0 ? ["return"] : [...lines, "drop"]);
}

function sets(plan: FilterPlan): string {
    const sources = new Set(
        plan.groups.flatMap(({ rules }) => rules.flatMap(({ sourceGroupId }) => sourceGroupId ?? [])),
    );
    return [...sources]
        .map((id) => {
            const members = plan.machines.filter(({ securityGroupIds }) => securityGroupIds.includes(id));
            const addresses = members.map(({ address }) => address);
            const elements = addresses.length === 0 ? "" : ` elements = ${braces(addresses)};`;
            return `  set ${setName(id)} { type ipv4_addr;${elements} }\n`;
        })
        .join("");
}

function groupsTable(plan: FilterPlan): string {
    const { machines, cidr, hostAddress } = plan;
    const addresses = machines.map(({ address }) => address);
    const jumps = (way: string) => braces(machines.map((one) => `${one.address} : jump ${way}_${nameOf(one)}`));
    const lines = [
        "type filter hook forward priority 0; policy accept;",
        "ct state established,related accept",
        // Drops traffic of machines that are not in the plan: not started yet, or already stopped.
        `ip saddr ${cidr} ip saddr != ${braces([...addresses, hostAddress])} drop`,
        `ip daddr ${cidr} ip daddr != ${braces([...addresses, hostAddress])} drop`,
        ...(machines.length === 0 ? [] : [`ip saddr vmap ${jumps("out")}`, `ip daddr vmap ${jumps("in")}`]),
    ];
    const chains = machines.map((machine) => egress(plan, machine) + ingress(plan, machine)).join("");
    return `table ip filter {\n${sets(plan)}${chains}${chain("forward", lines)}}\n`;
}

/** Drops packets with spoofed MAC or IP addresses, DHCP replies, and IPv6, which the rules do not cover. */
function antiSpoofing(machine: Machine): string {
    const { address, mac } = machine;
    return chain(`from_${nameOf(machine)}`, [
        `ether saddr != ${mac} drop`,
        `ether type arp arp saddr ether != ${mac} drop`,
        `ether type arp arp saddr ip != { ${address}, 0.0.0.0 } drop`,
        "ether type ip ip saddr 0.0.0.0 udp dport != 67 drop",
        `ether type ip ip saddr != { ${address}, 0.0.0.0 } drop`,
        "ether type ip udp sport 67 drop",
        "ether type ip6 drop",
    ]);
}

function antiSpoofingTable({ machines }: FilterPlan): string {
    const ports = machines.map((machine) => `iifname "${nameOf(machine)}" jump from_${nameOf(machine)}`);
    const lines = ["type filter hook prerouting priority -300; policy accept;", ...ports];
    return `table bridge filter {\n${machines.map(antiSpoofing).join("")}${chain("prerouting", lines)}}\n`;
}

/** The whole rule set as a script for `nft -f`, which replaces the old one atomically. */
export function filterScript(plan: FilterPlan): string {
    const emptied = (table: string) => `table ${table} {}\ndelete table ${table}\n`;
    return emptied("bridge filter") + emptied("ip filter") + antiSpoofingTable(plan) + groupsTable(plan);
}

/** Applies the rule set. */
export async function applyFilter(namespace: string, plan: FilterPlan): Promise<void> {
    await run(...inNamespace(namespace, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"));
    await run(...inNamespace(namespace, "nft", "-f", "-"), { input: filterScript(plan) });
}
