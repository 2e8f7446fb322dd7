/** Rules of virtual routers in answers. */
import type { Cloud } from "../../cloud";
import type { NetworkRule } from "../../state/records";
import { nestedTagAnswer, tagsOf } from "./tags";

export function firewallRuleAnswer(cloud: Cloud, rule: NetworkRule): object {
    const address = cloud.store.publicAddresses.get(rule.addressId);
    return {
        id: rule.id,
        protocol: rule.protocol,
        ...(rule.startPort === undefined ? {} : { startport: rule.startPort, endport: rule.endPort }),
        ...(address === undefined ? {} : { ipaddressid: address.id }),
        networkid: rule.networkId,
        ...(address === undefined ? {} : { ipaddress: address.address }),
        state: rule.state,
        cidrlist: rule.cidrs.join(","),
        ...(rule.icmpType === undefined ? {} : { icmptype: rule.icmpType, icmpcode: rule.icmpCode }),
        tags: tagsOf(cloud, rule.id).map((tag) => nestedTagAnswer(cloud, tag)),
        destcidrlist: rule.destinationCidrs.join(","),
        traffictype: rule.trafficType,
    };
}

/** Ports are texts here, and numbers in firewall rules. */
export function portForwardingAnswer(cloud: Cloud, rule: NetworkRule): object {
    const address = cloud.store.publicAddresses.need(rule.addressId!);
    const machine = cloud.store.machines.need(rule.machineId!);
    const nic = machine.nics.find(({ networkId }) => networkId === rule.networkId);
    return {
        id: rule.id,
        privateport: String(rule.privatePort),
        privateendport: String(rule.privateEndPort),
        protocol: rule.protocol,
        publicport: String(rule.startPort),
        publicendport: String(rule.endPort),
        virtualmachineid: machine.id,
        virtualmachinename: machine.name,
        virtualmachinedisplayname: machine.displayName,
        ipaddressid: address.id,
        ipaddress: address.address,
        state: rule.state,
        cidrlist: rule.cidrs.join(","),
        tags: tagsOf(cloud, rule.id).map((tag) => nestedTagAnswer(cloud, tag)),
        ...(nic === undefined ? {} : { vmguestip: nic.address }),
        networkid: rule.networkId,
    };
}

/** A rule in CloudStack's error texts. */
export function describeRule(cloud: Cloud, rule: NetworkRule): string {
    return `FirewallRule ${JSON.stringify({
        id: rule.number,
        networkId: cloud.store.networks.need(rule.networkId).number,
        purpose: rule.purpose,
        state: rule.state,
        uuid: rule.id,
    })}`;
}
