/** Public addresses of isolated networks. */
import type { Account, Network, PublicAddress } from "../../state/records";
import { publicAddressAnswer } from "../answers/publicAddress";
import type { Commands, Request, Work } from "../command";
import { failed, internal, invalid } from "../errors";
import { checkLimits } from "../limits";
import { contains, equalsName, matches, page } from "../lists";
import { allocateAddress, needsSourceNat, releaseAddress } from "../networkState";
import { checkAccess, ownerOf, scopeOf } from "../ownership";
import { createGuestNetwork, defaultIsolatedNetworks } from "./networks";
import { hasTags } from "./tags";

/** The address in a parameter of a request. */
export function addressOf(request: Request, id: string = request.arguments.ipaddressid): PublicAddress {
    const address = request.cloud.store.publicAddresses.need(id);
    if (address.state === "Free") throw invalid(`Unable to find ip address by id=${id}`);
    checkAccess(request, address.ownerId);
    return address;
}

/** The network that a new address is for, by its id or as the only one of the zone. */
function networkFor(request: Request): Network {
    const { cloud, arguments: given } = request;
    const { networkid, zoneid } = given;
    if (networkid !== undefined) {
        const network = cloud.store.networks.need(networkid);
        if (network.removed !== undefined) throw invalid("Unable to find network by id specified");
        if (network.ownerId !== undefined) checkAccess(request, network.ownerId);
        return network;
    }
    if (zoneid === undefined)
        throw invalid(
            "Unable to figure out zone to assign IP to. Please specify either zoneId, or networkId, or vpcId in the call",
        );
    const zone = cloud.store.zones.need(zoneid);
    const owner = ownerOf(request);
    const own = defaultIsolatedNetworks(cloud, owner, zone);
    if (own.length > 1) throw invalid("Account has more than one isolated network in the zone");
    return own[0] ?? createGuestNetwork(cloud, owner, zone, { name: `${owner.name}-network` });
}

function associate(request: Request): PublicAddress {
    const { cloud, arguments: given } = request;
    const network = networkFor(request);
    const { guestType } = cloud.store.networkOfferings.need(network.offeringId);
    if (guestType !== "Isolated" || network.ownerId === undefined)
        throw invalid("IP can be associated with guest network of 'shared' type only if it has services enabled");
    const owner: Account = cloud.store.accounts.need(network.ownerId);
    checkLimits(cloud, owner, { public_ip: 1 });
    const holder = { zoneId: network.zoneId, ownerId: owner.id, networkId: network.id };
    return allocateAddress(cloud, holder, false, given.ipaddress);
}

const created = (work: Work) => work.cloud.store.publicAddresses.need(work.arguments.created);

/** The address of `disassociateIpAddress`, by its id or by itself. */
function addressToRelease(request: Request): PublicAddress {
    const { id, ipaddress } = request.arguments;
    const { publicAddresses } = request.cloud.store;
    const address = id === undefined ? publicAddresses.find((a) => a.address === ipaddress) : publicAddresses.need(id);
    if (address === undefined) throw invalid(`Unable to find IP address by ${ipaddress}`);
    // An address that is free already has no account, with which CloudStack does not count.
    if (address.state === "Free") throw internal();
    checkAccess(request, address.ownerId);
    return address;
}

function listPublicIpAddresses(request: Request): object {
    const { cloud } = request;
    const { id, ipaddress, associatednetworkid, zoneid, issourcenat, state, keyword, tags } = request.arguments;
    const inScope = scopeOf(request);
    const addresses = cloud.store.publicAddresses.filter(
        (a) =>
            a.state !== "Free" &&
            inScope(a.ownerId) &&
            matches(a.id, id) &&
            matches(a.address, ipaddress) &&
            matches(a.networkId, associatednetworkid) &&
            matches(a.zoneId, zoneid) &&
            matches(a.sourceNat, issourcenat) &&
            equalsName(a.state, state) &&
            contains(a.address, keyword) &&
            hasTags(cloud, a.id, tags),
    );
    return page(request, "publicipaddress", addresses, (address) => publicAddressAnswer(cloud, address));
}

export const publicAddressCommands: Commands = {
    listPublicIpAddresses: { entity: "publicAddress", run: listPublicIpAddresses },
    associateIpAddress: {
        java: "user.address.AssociateIPAddrCmd",
        instanceType: "IpAddress",
        event: "NET.IPASSIGN",
        submit(request) {
            const { id } = associate(request);
            return { created: id, instanceId: id, queue: id };
        },
        /**
         * The first address of a network without a router becomes its source NAT. Two that are assigned at the same
         * time both do, since neither sees the other.
         */
        begin(work) {
            return needsSourceNat(work.cloud, work.cloud.store.networks.need(created(work).networkId!));
        },
        finish(work) {
            const { publicAddresses } = work.cloud.store;
            const sourceNat = work.job.memo as boolean;
            const assigned = publicAddresses.change(work.arguments.created, { sourceNat });
            const answer = publicAddressAnswer(work.cloud, assigned);
            publicAddresses.change(assigned.id, { state: "Allocated" });
            return { ipaddress: answer };
        },
        abandon: (work) => releaseAddress(work.cloud, created(work)),
    },
    disassociateIpAddress: {
        java: "user.address.DisassociateIPAddrCmd",
        instanceType: "IpAddress",
        entity: "publicAddress",
        event: "NET.IPRELEASE",
        submit(request) {
            const { id } = addressToRelease(request);
            return { instanceId: id, queue: id };
        },
        finish(work) {
            const address = addressToRelease(work);
            if (address.sourceNat)
                throw failed("ip address is used for source nat purposes and can not be disassociated.");
            releaseAddress(work.cloud, address);
            return { success: true };
        },
    },
    updateIpAddress: {
        java: "user.address.UpdateIPAddrCmd",
        instanceType: "IpAddress",
        entity: "publicAddress",
        event: "NET.IPUPDATE",
        submit(request) {
            const { id } = addressOf(request, request.arguments.id);
            return { instanceId: id, queue: id };
        },
        finish: (work) => ({ ipaddress: publicAddressAnswer(work.cloud, addressOf(work, work.arguments.id)) }),
    },
};
