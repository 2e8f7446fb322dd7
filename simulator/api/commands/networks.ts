/** Networks: the shared one with security groups, and isolated ones of accounts. */
import { randomUUID } from "node:crypto";
import { isIPv4 } from "node:net";
import type { Cloud } from "../../cloud";
import { isWithin, type Range, rangeOf, toAddress, toNumber } from "../../state/addresses";
import type { Account, Network, NetworkOffering, Zone } from "../../state/records";
import { networkAnswer } from "../answers/network";
import type { Commands, Request, Work } from "../command";
import { failed, invalid } from "../errors";
import { checkLimits } from "../limits";
import { contains, matches, equalsName, page } from "../lists";
import { implementNetwork, removeNetwork } from "../networkState";
import { checkAccess, ownerOf, scopeOf } from "../ownership";
import { hasTags } from "./tags";

export function defaultIsolatedNetworks(cloud: Cloud, owner: Account, zone: Zone): Network[] {
    return cloud.store.networks.filter(
        (n) =>
            n.ownerId === owner.id &&
            n.zoneId === zone.id &&
            n.removed === undefined &&
            cloud.store.networkOfferings.need(n.offeringId).guestType === "Isolated",
    );
}

interface Wishes {
    readonly name: string;
    readonly displayText?: string;
    readonly range?: Range;
    readonly gateway?: string;
    readonly domain?: string;
    readonly dns?: readonly string[];
    readonly offering?: NetworkOffering;
}

/** CloudStack's `guest.cidr`: isolated networks may overlap, so all have this CIDR by default. */
const ISOLATED_CIDR = "10.1.1.0/24";

const NO_RANGE = { cidr: "", gateway: "", start: "", end: "" };

export function createGuestNetwork(cloud: Cloud, owner: Account, zone: Zone, wishes: Wishes): Network {
    const { store } = cloud;
    checkLimits(cloud, owner, { network: 1 });
    const offering = wishes.offering ?? store.networkOfferings.find(({ guestType }) => guestType === "Isolated")!;
    const range = offering.guestType === "L2" ? NO_RANGE : (wishes.range ?? rangeOf(ISOLATED_CIDR));
    const network = store.networks.insert({
        id: randomUUID(),
        number: store.next("network"),
        name: wishes.name,
        displayText: wishes.displayText ?? wishes.name,
        zoneId: zone.id,
        offeringId: offering.id,
        ownerId: owner.id,
        state: "Allocated",
        cidr: range.cidr,
        gateway: range.cidr === "" ? "" : (wishes.gateway ?? range.gateway),
        start: range.start,
        end: range.end,
        domain: wishes.domain ?? "cs2cloud.internal",
        dns: wishes.dns,
        vlan: 100 + store.next("vlan"),
        created: cloud.now(),
    });
    if (offering.persistent === true) implementNetwork(cloud, network);
    return store.networks.need(network.id);
}

/** Private networks (RFC 1918) and shared address space (RFC 6598). */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((cidr) => {
    const [address, bits] = cidr.split("/");
    return [address, toAddress(toNumber(address) + 2 ** (32 - Number(bits)) - 1)] as const;
});

/** The range of the gateway and netmask of a `createNetwork`. A gateway alone is ignored, as in CloudStack. */
function rangeFrom(gateway: string | undefined, netmask: string | undefined): Range | undefined {
    if (gateway === undefined || netmask === undefined) return undefined;
    const ones = netmask
        .split(".")
        .map((part) => Number(part).toString(2).padStart(8, "0"))
        .join("")
        .indexOf("0");
    const prefix = ones === -1 ? 32 : ones;
    if (toAddress(2 ** 32 - 2 ** (32 - prefix)) !== netmask) throw invalid(`Invalid netmask ${netmask}`);
    const range = readRange(`${gateway}/${prefix}`);
    if (range === undefined) throw invalid(`Invalid gateway ${gateway} or netmask ${netmask}`);
    if (!PRIVATE.some(([start, end]) => isWithin(gateway, start, end)))
        throw invalid(`Virtual Guest Cidr ${range.cidr} is not RFC 1918 or 6598 compliant`);
    return range;
}

function readRange(cidr: string): Range | undefined {
    try {
        return rangeOf(cidr);
    } catch {
        return undefined;
    }
}

/** The name servers of a request; undefined if it names none. */
function dnsFrom({ dns1, dns2 }: Request["arguments"]): string[] | undefined {
    const given = [dns1, dns2].filter((server) => server !== undefined);
    for (const server of given) if (!isIPv4(server)) throw invalid("Invalid IP for DNS");
    return given.length === 0 ? undefined : given;
}

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** @throws ApiError 431 if it is not the name of a domain */
function checkDomain(domain: string | undefined): void {
    if (domain === undefined || (domain.length <= 190 && domain.split(".").every((label) => LABEL.test(label)))) return;
    throw invalid(
        "Invalid network domain. Total length shouldn't exceed 190 chars. Each domain label must be between 1 and 63 " +
            "characters long, can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the hyphen " +
            "('-'); can't start or end with \"-\"",
    );
}

function createNetwork(request: Request): object {
    const { cloud, arguments: given } = request;
    const { store } = cloud;
    const owner = ownerOf(request);
    const zone = store.zones.need(given.zoneid);
    const offering = store.networkOfferings.need(given.networkofferingid);
    if (offering.guestType === "Shared")
        throw invalid("Shared networks of this zone can only be created by an administrator");
    if (zone.securityGroups && offering.guestType === "Isolated")
        throw invalid("Cannot create a network with SourceNat service in a zone with security groups enabled");
    checkDomain(given.networkdomain);
    const network = createGuestNetwork(cloud, owner, zone, {
        name: given.name,
        displayText: given.displaytext,
        range: rangeFrom(given.gateway, given.netmask),
        gateway: given.netmask === undefined ? undefined : given.gateway,
        domain: given.networkdomain,
        dns: dnsFrom(given),
        offering,
    });
    return { network: networkAnswer(cloud, network) };
}

function networkOf(request: Request): Network {
    const network = request.cloud.store.networks.need(request.arguments.id);
    if (network.removed !== undefined) throw invalid(`Network ID=${network.number ?? network.id} doesn't exist`);
    if (network.ownerId === undefined) {
        if (!request.caller.isAdmin)
            checkAccess(request, request.cloud.store.accounts.find((account) => account.type === 1)!.id);
        return network;
    }
    checkAccess(request, network.ownerId);
    return network;
}

function listNetworks(request: Request): object {
    const { cloud } = request;
    const { id, zoneid, type, keyword, tags, canusefordeploy, networkofferingid } = request.arguments;
    const inScope = scopeOf(request);
    // The shared network belongs to the domain, so that all accounts see it.
    const networks = cloud.store.networks.filter(
        (n) =>
            n.removed === undefined &&
            (n.ownerId === undefined || inScope(n.ownerId)) &&
            matches(n.id, id) &&
            matches(n.zoneId, zoneid) &&
            matches(n.offeringId, networkofferingid) &&
            canusefordeploy !== false &&
            contains(n.name, keyword) &&
            hasTags(cloud, n.id, tags) &&
            equalsName(cloud.store.networkOfferings.need(n.offeringId).guestType, type === "all" ? undefined : type),
    );
    return page(request, "network", networks, (network) => networkAnswer(cloud, network));
}

/** The offering that a network changes to. @throws ApiError 431 if it is of another kind */
function upgradedTo(work: Work, network: Network, offeringId: string | undefined): string | undefined {
    if (offeringId === undefined) return undefined;
    const { networkOfferings } = work.cloud.store;
    if (networkOfferings.need(offeringId).guestType !== networkOfferings.need(network.offeringId).guestType)
        throw invalid(
            `Can't upgrade from network offering ${network.offeringId} to ${offeringId}; check logs for more information`,
        );
    return offeringId;
}

export const networkCommands: Commands = {
    listNetworks: { entity: "network", run: listNetworks },
    createNetwork: { event: "NETWORK.CREATE", run: createNetwork },
    updateNetwork: {
        java: "user.network.UpdateNetworkCmd",
        instanceType: "Network",
        entity: "network",
        event: "NETWORK.UPDATE",
        submit(request) {
            const network = networkOf(request);
            return { instanceId: network.id, queue: network.id };
        },
        finish(work) {
            const network = networkOf(work);
            const { name, displaytext, networkdomain, networkofferingid } = work.arguments;
            checkDomain(networkdomain);
            const changed = work.cloud.store.networks.change(network.id, {
                name: name ?? network.name,
                displayText: displaytext ?? network.displayText,
                domain: networkdomain ?? network.domain,
                dns: dnsFrom(work.arguments) ?? network.dns,
                offeringId: upgradedTo(work, network, networkofferingid) ?? network.offeringId,
            });
            return { network: networkAnswer(work.cloud, changed) };
        },
    },
    deleteNetwork: {
        java: "user.network.DeleteNetworkCmd",
        instanceType: "Network",
        entity: "network",
        event: "NETWORK.DELETE",
        submit(request) {
            const network = networkOf(request);
            return { instanceId: network.id, queue: network.id };
        },
        finish(work) {
            const network = networkOf(work);
            const used = work.cloud.store.machines.find((m) => m.nics.some((nic) => nic.networkId === network.id));
            // A destroyed machine uses its network until it is expunged.
            if (used !== undefined) throw failed("Failed to delete network");
            removeNetwork(work.cloud, network);
            return { success: true };
        },
    },
};
