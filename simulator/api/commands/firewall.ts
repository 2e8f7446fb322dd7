/** Firewall rules: ingress rules of public addresses, egress rules of isolated networks. */
import { randomUUID } from "node:crypto";
import { isCidr } from "../../state/addresses";
import type { Network, NetworkRule } from "../../state/records";
import { firewallRuleAnswer } from "../answers/networkRule";
import type { AsyncCommand, Commands, Request, Work } from "../command";
import { invalid, malformed } from "../errors";
import { removeRule } from "../networkState";
import { checkConflicts, checkRouter, listRules } from "../networkRules";
import { checkAccess } from "../ownership";
import { addressOf } from "./publicAddresses";

type Direction = NonNullable<NetworkRule["trafficType"]>;

const PROTOCOLS: Readonly<Record<Direction, readonly string[]>> = {
    Ingress: ["tcp", "udp", "icmp"],
    Egress: ["tcp", "udp", "icmp", "all"],
};

/** The number that CloudStack's texts have for the zone without security groups. */
const ZONE_NUMBER = 2;

type Traffic = Pick<NetworkRule, "protocol" | "startPort" | "endPort" | "icmpType" | "icmpCode">;

function readTraffic({ arguments: given }: Request, direction: Direction): Traffic {
    const protocol = String(given.protocol).trim().toLowerCase();
    if (!PROTOCOLS[direction].includes(protocol))
        throw invalid(`Protocol ${given.protocol} is not supported in zone ${ZONE_NUMBER}`);
    if (protocol === "icmp") return { protocol, icmpType: given.icmptype ?? -1, icmpCode: given.icmpcode ?? -1 };
    const { startport: startPort, endport: endPort = startPort } = given;
    if (startPort === undefined) return { protocol };
    if (protocol === "all") throw invalid("Can't specify ports when protocol is ALL");
    for (const [name, port] of [["publicPort", startPort] as const, ["publicPort", endPort] as const])
        if (port < 1 || port > 65_535) throw invalid(`${name} is an invalid value: ${port}`);
    if (startPort > endPort) throw invalid("Start port can't be bigger than end port");
    return { protocol, startPort, endPort };
}

function readCidrs(list: string[] | undefined, what: string): string[] {
    for (const cidr of list ?? []) if (!isCidr(cidr)) throw malformed(`${what} CIDRs formatting error ${cidr}`);
    return list ?? [];
}

function insert(request: Request, network: Network, rule: Partial<NetworkRule> & Traffic): NetworkRule {
    const { store } = request.cloud;
    return store.networkRules.insert({
        id: randomUUID(),
        number: store.next("networkRule"),
        purpose: "Firewall",
        ownerId: network.ownerId!,
        networkId: network.id,
        cidrs: [],
        destinationCidrs: [],
        state: "Add",
        ...rule,
    });
}

function createIngress(request: Request): NetworkRule {
    const { cloud, arguments: given } = request;
    const cidrs = readCidrs(given.cidrlist, "Source");
    const address = addressOf(request);
    const network = cloud.store.networks.need(address.networkId!);
    const rule = {
        ...readTraffic(request, "Ingress"),
        trafficType: "Ingress" as const,
        addressId: address.id,
        cidrs: cidrs.length === 0 ? ["0.0.0.0/0"] : cidrs,
    };
    checkConflicts(cloud, { purpose: "Firewall", destinationCidrs: [], ...rule });
    return insert(request, network, rule);
}

function createEgress(request: Request): NetworkRule {
    const { cloud, arguments: given } = request;
    const cidrs = readCidrs(given.cidrlist, "Source");
    const destinationCidrs = readCidrs(given.destcidrlist, "Destination");
    const network = cloud.store.networks.need(given.networkid);
    if (network.removed !== undefined || network.ownerId === undefined)
        throw invalid(`Unable to find network by id ${network.id}`);
    checkAccess(request, network.ownerId);
    const rule = {
        ...readTraffic(request, "Egress"),
        trafficType: "Egress" as const,
        cidrs: cidrs.length === 0 ? [network.cidr] : cidrs,
        destinationCidrs,
    };
    // CloudStack reports the same conflict with another code here.
    checkConflicts(cloud, { purpose: "Firewall", networkId: network.id, ...rule }, 9999);
    return insert(request, network, rule);
}

const created = (work: Work) => work.cloud.store.networkRules.need(work.arguments.created);

function creation(direction: Direction): AsyncCommand {
    return {
        java: `user.firewall.Create${direction === "Egress" ? "Egress" : ""}FirewallRuleCmd`,
        instanceType: "FirewallRule",
        event: direction === "Egress" ? "FIREWALL.EGRESS.OPEN" : "FIREWALL.OPEN",
        submit(request) {
            const { id, addressId } = direction === "Egress" ? createEgress(request) : createIngress(request);
            return { created: id, instanceId: id, queue: addressId ?? id };
        },
        begin: (work) => checkRouter(work.cloud, created(work).networkId),
        finish(work) {
            const rule = work.cloud.store.networkRules.change(created(work).id, { state: "Active" });
            return { firewallrule: firewallRuleAnswer(work.cloud, rule) };
        },
        abandon: (work) => removeRule(work.cloud, created(work).id),
    };
}

/** The firewall rule of a request. */
function ruleOf(request: Request, direction: Direction): NetworkRule {
    const rule = request.cloud.store.networkRules.get(request.arguments.id);
    // Another job may have removed it meanwhile.
    if (rule === undefined || rule.purpose !== "Firewall" || rule.trafficType !== direction)
        throw invalid(`Unable to find ${request.arguments.id} having purpose Firewall`);
    checkAccess(request, rule.ownerId);
    return rule;
}

function deletion(direction: Direction): AsyncCommand {
    return {
        java: `user.firewall.Delete${direction === "Egress" ? "Egress" : ""}FirewallRuleCmd`,
        entity: "networkRule",
        event: direction === "Egress" ? "FIREWALL.EGRESS.CLOSE" : "FIREWALL.CLOSE",
        submit(request) {
            const { id, addressId } = ruleOf(request, direction);
            return { queue: addressId ?? id };
        },
        begin: (work) => checkRouter(work.cloud, ruleOf(work, direction).networkId),
        finish(work) {
            removeRule(work.cloud, ruleOf(work, direction).id);
            return { success: true };
        },
    };
}

function list(direction: Direction): (request: Request) => object {
    return (request) =>
        listRules(
            request,
            "firewallrule",
            ({ purpose, trafficType }) => purpose === "Firewall" && trafficType === direction,
            (rule) => firewallRuleAnswer(request.cloud, rule),
        );
}

export const firewallCommands: Commands = {
    createFirewallRule: creation("Ingress"),
    deleteFirewallRule: deletion("Ingress"),
    listFirewallRules: { entity: "networkRule", run: list("Ingress") },
    updateFirewallRule: {
        java: "user.firewall.UpdateFirewallRuleCmd",
        entity: "networkRule",
        event: "FIREWALL.UPDATE",
        submit(request) {
            const { id, addressId } = ruleOf(request, "Ingress");
            return { queue: addressId ?? id };
        },
        finish: (work) => ({ firewallrule: firewallRuleAnswer(work.cloud, ruleOf(work, "Ingress")) }),
    },
    createEgressFirewallRule: creation("Egress"),
    deleteEgressFirewallRule: deletion("Egress"),
    listEgressFirewallRules: { entity: "networkRule", run: list("Egress") },
};
