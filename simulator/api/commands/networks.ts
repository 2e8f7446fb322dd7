/** Networks: the shared one with security groups, and isolated ones of accounts. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import { rangeOf, toAddress } from "../../state/addresses";
import type { Account, Network, Zone } from "../../state/records";
import { networkAnswer } from "../answers/network";
import type { Commands, Request } from "../command";
import { failed, invalid } from "../errors";
import { checkLimits } from "../limits";
import { contains, matches, equalsName, page } from "../lists";
import { checkAccess, ownerOf, scopeOf } from "../ownership";
import { hasTags } from "./tags";

export function defaultIsolatedNetworks(cloud: Cloud, owner: Account, zone: Zone): Network[] {
    return cloud.store.networks.filter(
        (n) => n.ownerId === owner.id && n.zoneId === zone.id && n.removed === undefined,
    );
}

interface Wishes {
    readonly name: string;
    readonly displayText?: string;
    readonly cidr?: string;
    readonly gateway?: string;
    readonly domain?: string;
    readonly offeringId?: string;
}

/** CloudStack's `guest.cidr`: isolated networks may overlap, so all have this CIDR by default. */
const ISOLATED_CIDR = "10.1.1.0/24";

export function createIsolatedNetwork(cloud: Cloud, owner: Account, zone: Zone, wishes: Wishes): Network {
    const { store } = cloud;
    checkLimits(cloud, owner, { network: 1 });
    const range = rangeOf(wishes.cidr ?? ISOLATED_CIDR);
    const offeringId =
        wishes.offeringId ?? store.networkOfferings.find((offering) => offering.guestType === "Isolated")!.id;
    return store.networks.insert({
        id: randomUUID(),
        name: wishes.name,
        displayText: wishes.displayText ?? wishes.name,
        zoneId: zone.id,
        offeringId,
        ownerId: owner.id,
        state: "Allocated",
        cidr: range.cidr,
        gateway: wishes.gateway ?? range.gateway,
        start: range.start,
        end: range.end,
        domain: wishes.domain ?? "cs2cloud.internal",
        vlan: 100 + store.next("vlan"),
        created: cloud.now(),
    });
}

/** The CIDR of the gateway and netmask of a `createNetwork`. */
function cidrFrom(gateway: string | undefined, netmask: string | undefined): string | undefined {
    if (gateway === undefined && netmask === undefined) return undefined;
    if (gateway === undefined || netmask === undefined) throw invalid("gateway and netmask must be specified together");
    const ones = netmask
        .split(".")
        .map((part) => Number(part).toString(2).padStart(8, "0"))
        .join("")
        .indexOf("0");
    const prefix = ones === -1 ? 32 : ones;
    if (toAddress(2 ** 32 - 2 ** (32 - prefix)) !== netmask) throw invalid(`Invalid netmask ${netmask}`);
    try {
        return rangeOf(`${gateway}/${prefix}`).cidr;
    } catch {
        throw invalid(`Invalid gateway ${gateway} or netmask ${netmask}`);
    }
}

function createNetwork(request: Request): object {
    const { cloud, arguments: given } = request;
    const { store } = cloud;
    const owner = ownerOf(request);
    const zone = store.zones.need(given.zoneid);
    const offering = store.networkOfferings.need(given.networkofferingid);
    if (offering.guestType === "Shared")
        throw invalid("Shared networks of this zone can only be created by an administrator");
    if (zone.securityGroups)
        throw invalid("Cannot create a network with SourceNat service in a zone with security groups enabled");
    const network = createIsolatedNetwork(cloud, owner, zone, {
        name: given.name,
        displayText: given.displaytext,
        cidr: cidrFrom(given.gateway, given.netmask),
        gateway: given.gateway,
        domain: given.networkdomain,
        offeringId: offering.id,
    });
    return { network: networkAnswer(cloud, network) };
}

function networkOf(request: Request): Network {
    const network = request.cloud.store.networks.need(request.arguments.id);
    if (network.removed !== undefined) throw invalid(`unable to find network with id ${network.id}`);
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
            const { name, displaytext, networkdomain } = work.arguments;
            const changed = work.cloud.store.networks.change(network.id, {
                name: name ?? network.name,
                displayText: displaytext ?? network.displayText,
                domain: networkdomain ?? network.domain,
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
            work.cloud.store.networks.change(network.id, { removed: work.cloud.now() });
            return { success: true };
        },
    },
};
