/** Port forwarding rules: ports of a public address that lead to a machine. */
import { randomUUID } from "node:crypto";
import { isCidr } from "../../state/addresses";
import type { Machine, NetworkRule } from "../../state/records";
import { portForwardingAnswer } from "../answers/networkRule";
import type { Commands, Request, Work } from "../command";
import { invalid, malformed } from "../errors";
import { checkConflicts, checkRouter, listRules } from "../networkRules";
import { removeRule } from "../networkState";
import { checkAccess } from "../ownership";
import { machineOf } from "./machineRules";
import { addressOf } from "./publicAddresses";

function readPorts(name: string, start: number, end: number = start): [number, number] {
    for (const port of [start, end])
        if (port < 1 || port > 65_535) throw invalid(`${name} is an invalid value: ${port}`);
    if (start > end) throw invalid("Start port can't be bigger than end port");
    return [start, end];
}

/** @throws ApiError 431 if the machine has no interface in the network */
function checkMachine(machine: Machine, networkId: string): void {
    if (!machine.nics.some((nic) => nic.networkId === networkId))
        throw invalid(`Unable to create port forwarding rule; can't find NIC of ${machine.id} in network ${networkId}`);
}

function readCidrs(list: string[] | undefined): string[] {
    for (const cidr of list ?? []) if (!isCidr(cidr)) throw malformed(`Source CIDRs formatting error ${cidr}`);
    return list ?? [];
}

/** Creates the rule and, unless `openfirewall` is false, a firewall rule for its ports. */
function create(request: Request): NetworkRule {
    const { cloud, arguments: given } = request;
    const { store } = cloud;
    const cidrs = readCidrs(given.cidrlist);
    const address = addressOf(request);
    const machine = machineOf(request, given.virtualmachineid);
    const networkId = address.networkId!;
    const protocol = String(given.protocol).toLowerCase();
    if (protocol !== "tcp" && protocol !== "udp") throw invalid(`Protocol ${given.protocol} is not supported`);
    const [startPort, endPort] = readPorts("publicPort", given.publicport, given.publicendport);
    const [privatePort, privateEndPort] = readPorts("privatePort", given.privateport, given.privateendport);
    if (endPort - startPort !== privateEndPort - privatePort)
        throw invalid("Source port and destination port ranges should be of equal sizes.");
    checkMachine(machine, networkId);
    const common = {
        ownerId: address.ownerId,
        networkId,
        addressId: address.id,
        protocol,
        startPort,
        endPort,
    } as const;
    const rule = { ...common, purpose: "PortForwarding", cidrs, destinationCidrs: [], state: "Add" } as const;
    const opened = {
        ...rule,
        purpose: "Firewall",
        trafficType: "Ingress",
        cidrs: cidrs.length === 0 ? ["0.0.0.0/0"] : cidrs,
    } as const;
    checkConflicts(cloud, rule);
    if (given.openfirewall !== false) checkConflicts(cloud, opened);
    const insert = (more: Omit<NetworkRule, "id" | "number">) =>
        store.networkRules.insert({ id: randomUUID(), number: store.next("networkRule"), ...more });
    const made = insert({ ...rule, machineId: machine.id, privatePort, privateEndPort });
    if (given.openfirewall !== false) insert({ ...opened, openedFor: made.id, state: "Active" });
    return made;
}

const created = (work: Work) => work.cloud.store.networkRules.need(work.arguments.created);

function ruleOf(request: Request): NetworkRule {
    const rule = request.cloud.store.networkRules.get(request.arguments.id);
    if (rule === undefined || rule.purpose !== "PortForwarding")
        throw invalid(`Unable to find ${request.arguments.id} having purpose PortForwarding`);
    checkAccess(request, rule.ownerId);
    return rule;
}

function update(work: Work): object {
    const { arguments: given, cloud } = work;
    const rule = ruleOf(work);
    const machine = given.virtualmachineid === undefined ? undefined : machineOf(work, given.virtualmachineid);
    if (machine !== undefined) checkMachine(machine, rule.networkId);
    const size = rule.endPort! - rule.startPort!;
    const start = given.privateport ?? rule.privatePort;
    const [privatePort, privateEndPort] = readPorts("privatePort", start, given.privateendport ?? start + size);
    if (privateEndPort - privatePort !== size)
        throw invalid("Unable to update the private port of port forwarding rule as the rule has port range");
    const changed = cloud.store.networkRules.change(rule.id, {
        ...{ privatePort, privateEndPort, machineId: machine?.id ?? rule.machineId },
        cidrs: given.cidrlist === undefined ? rule.cidrs : readCidrs(given.cidrlist),
    });
    return { portforwardingrule: portForwardingAnswer(cloud, changed) };
}

function list(request: Request): object {
    return listRules(
        request,
        "portforwardingrule",
        ({ purpose }) => purpose === "PortForwarding",
        (rule) => portForwardingAnswer(request.cloud, rule),
    );
}

export const portForwardingCommands: Commands = {
    createPortForwardingRule: {
        java: "user.firewall.CreatePortForwardingRuleCmd",
        instanceType: "FirewallRule",
        event: "NET.RULEADD",
        submit(request) {
            const { id, addressId } = create(request);
            return { created: id, instanceId: id, queue: addressId! };
        },
        begin: (work) => checkRouter(work.cloud, created(work).networkId),
        finish(work) {
            const rule = work.cloud.store.networkRules.change(created(work).id, { state: "Active" });
            return { portforwardingrule: portForwardingAnswer(work.cloud, rule) };
        },
        abandon: (work) => removeRule(work.cloud, created(work).id),
    },
    updatePortForwardingRule: {
        java: "user.firewall.UpdatePortForwardingRuleCmd",
        entity: "networkRule",
        event: "NET.RULEMODIFY",
        submit: (request) => ({ queue: ruleOf(request).addressId! }),
        finish: update,
    },
    deletePortForwardingRule: {
        java: "user.firewall.DeletePortForwardingRuleCmd",
        entity: "networkRule",
        event: "NET.RULEDELETE",
        submit: (request) => ({ queue: ruleOf(request).addressId! }),
        begin: (work) => checkRouter(work.cloud, ruleOf(work).networkId),
        finish(work) {
            removeRule(work.cloud, ruleOf(work).id);
            return { success: true };
        },
    },
    listPortForwardingRules: { entity: "networkRule", run: list },
};
