import * as net from "node:net";
import { cidrOf, isHostOf, isPrivate, parseNetwork } from "../addresses";
import type { Inputs } from "../handler";
import { isUnknown, same } from "../handler";
import { formerOf } from "../identity";
import type { Problems } from "../lifecycle";
import { announce, say } from "../lifecycle";
import { checkLimits } from "../limits";
import { checkDescription } from "../marks";
import { isKept, resolveReference } from "../references";
import type { ApiNetworkOffering, Session } from "../session";
import { sessionFor } from "../session";
import { checkTags } from "../tags";
import { checkZone } from "../zone";
import { adoptable } from "./adopt";

const DEFAULT_OFFERING = "DefaultIsolatedNetworkOfferingWithSourceNatService";

/** Arguments that a network keeps if they are left out. */
const KEPT = ["networkOffering", "cidr", "gateway", "networkDomain", "dns"];

/** Arguments about addresses, which a network of layer 2 has not. */
const OF_LAYER_3 = ["cidr", "gateway", "networkDomain", "dns"];

/** Fills in defaults and reports all invalid arguments of a network. */
export async function checkNetworkArguments(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
): Promise<void> {
    for (const property of KEPT) inputs[property] ??= olds?.[property];
    inputs.networkOffering ??= DEFAULT_OFFERING;
    problems.requiredString(inputs, "name", "give the network a name");
    checkDescription(problems, inputs, "displayText");
    checkTags(problems, inputs);
    problems.timeouts(inputs);
    checkRange(problems, inputs);
    checkDomain(problems, inputs);
    checkDns(problems, inputs);
    const session = sessionFor(inputs);
    const zone = await checkZone(problems, inputs, olds, session);
    const type = await checkOffering(problems, inputs, olds, session, zone?.id);
    if (type === "L2")
        for (const property of OF_LAYER_3.filter((name) => inputs[name] !== undefined && olds?.[name] === undefined))
            problems.add(
                property,
                `is not possible with network offering "${inputs.networkOffering}": a network of layer 2 has no addresses`,
            );
    if (olds !== undefined || zone === undefined) return;
    await sayWhatDeletionNeeds(inputs, session);
    const left = (await session.networks.before()).find((network) => adoptable(network, inputs));
    if (left !== undefined && formerOf(inputs) === undefined)
        say(`network ${left.name} (${left.id}) has this resource's mark and will be adopted`);
    await checkLimits(problems, session, inputs.owner, { network: 1 }, left === undefined ? {} : { network: 1 });
}

/** An account that may not expunge is told at the preview that creates its network how it will be deleted. */
async function sayWhatDeletionNeeds(inputs: Inputs, session: Session): Promise<void> {
    if (await session.mayExpunge()) return;
    const { name } = await session.account();
    announce(
        inputs,
        `account ${name} may not expunge machines: a network with machines can only be deleted when CloudStack has ` +
            "expunged them, by default a day after they were destroyed",
    );
}

function checkRange(problems: Problems, inputs: Inputs): void {
    for (const property of ["cidr", "gateway"]) problems.optionalName(inputs, property);
    const { cidr, gateway } = inputs;
    const known = typeof cidr === "string" && !isUnknown(cidr);
    const network = known ? parseNetwork(cidr) : undefined;
    if (known && network === undefined) problems.add("cidr", `"${cidr}" is not an IPv4 network such as "10.1.1.0/24"`);
    else if (network !== undefined && cidrOf(network) !== cidr)
        problems.add("cidr", `"${cidr}" is an address within network ${cidrOf(network)}: give the network`);
    else if (network !== undefined && (network.bits < 8 || network.bits > 29))
        problems.add("cidr", `"${cidr}" must be a network from /8 to /29`);
    else if (network !== undefined && !isPrivate(network))
        problems.add(
            "cidr",
            `"${cidr}" must be within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10: CloudStack allows no other guest addresses`,
        );
    if (typeof gateway !== "string" || isUnknown(gateway) || gateway === "") return;
    if (!net.isIPv4(gateway)) problems.add("gateway", `"${gateway}" must be an IPv4 address`);
    else if (cidr === undefined) problems.add("gateway", "requires cidr: set both, or leave both out");
    else if (network !== undefined && !isHostOf(network, gateway))
        problems.add("gateway", `${gateway} is not an address for a device in network ${cidrOf(network)}`);
}

/** Labels of letters, digits and hyphens, as in host names. */
const DOMAIN =
    /^(?=.{1,190}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

function checkDomain(problems: Problems, inputs: Inputs): void {
    const { networkDomain } = inputs;
    if (networkDomain === undefined || isUnknown(networkDomain)) return;
    if (typeof networkDomain !== "string" || !DOMAIN.test(networkDomain))
        problems.add("networkDomain", `${JSON.stringify(networkDomain)} must be a domain name such as "app.internal"`);
}

function checkDns(problems: Problems, inputs: Inputs): void {
    problems.each(inputs, "dns", (server) => net.isIPv4(server), "must be an IPv4 address");
    const { dns } = inputs;
    if (Array.isArray(dns) && (dns.length === 0 || dns.length > 2))
        problems.add("dns", `has ${dns.length} addresses: give one or two, or leave it out`);
}

/** @returns the type of the offering's networks, where it is known */
async function checkOffering(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
    zoneId: string | undefined,
): Promise<string | undefined> {
    problems.requiredString(inputs, "networkOffering", "give the name of a network offering");
    const { catalogue } = session;
    const id = await resolveReference(problems, inputs, olds, "networkOffering", (text) =>
        catalogue.networkOffering(text),
    );
    if (isKept(inputs, olds, "networkOffering") && olds?.type !== undefined) {
        inputs.type = olds.type;
        return olds.type;
    }
    const offering = (await catalogue.networkOfferings()).find((item) => item.id === id);
    if (offering === undefined) return undefined;
    inputs.type = offering.guestiptype;
    checkKind(problems, offering);
    if (zoneId === undefined || (olds !== undefined && same(inputs.zone, olds.zone))) return inputs.type;
    const zone = (await catalogue.zones()).find((item) => item.id === zoneId);
    if (zone?.securitygroupsenabled === true && offering.guestiptype === "Isolated")
        problems.add(
            "zone",
            `${zone.name} has security groups, with which CloudStack has no isolated networks: use another zone, or an offering for L2 networks`,
        );
    return inputs.type;
}

function checkKind(problems: Problems, { name, guestiptype, specifyvlan, forvpc }: ApiNetworkOffering): void {
    if (guestiptype === "Shared" || specifyvlan === true)
        problems.add(
            "networkOffering",
            `"${name}" is for networks with a given VLAN, which only an administrator can create: use another offering`,
        );
    else if (forvpc === true) problems.add("networkOffering", `"${name}" is for tiers of a VPC: use another offering`);
}
