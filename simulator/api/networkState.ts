/** What happens to an isolated network: its virtual router starts, and it gets and loses public addresses. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../cloud";
import { PUBLIC_RANGE, toAddress, toNumber } from "../state/addresses";
import type { Network, PublicAddress } from "../state/records";
import { ApiError } from "./errors";

/** The addresses of a network, in use or being allocated. */
export function addressesOf(cloud: Cloud, networkId: string): PublicAddress[] {
    return cloud.store.publicAddresses.filter((address) => address.networkId === networkId);
}

const sourceNats = (cloud: Cloud, networkId: string) =>
    addressesOf(cloud, networkId).filter(({ sourceNat, state }) => sourceNat && state === "Allocated");

/** Whether an address that is assigned to this network now becomes the one of its source NAT. */
export function needsSourceNat(cloud: Cloud, network: Network): boolean {
    const { guestType } = cloud.store.networkOfferings.need(network.offeringId);
    return guestType === "Isolated" && sourceNats(cloud, network.id).length === 0;
}

/**
 * Whether a network has several addresses for source NAT, which simultaneous calls of associateIpAddress give to a
 * network without a router. Its router then cannot be configured any more.
 */
export function isBroken(cloud: Cloud, networkId: string): boolean {
    return sourceNats(cloud, networkId).length > 1;
}

/** Starts the virtual router of a network that has none: the network gets its address for source NAT. */
export function implementNetwork(cloud: Cloud, network: Network): void {
    if (network.state !== "Allocated") return;
    if (needsSourceNat(cloud, network))
        allocateAddress(cloud, { zoneId: network.zoneId, ownerId: network.ownerId!, networkId: network.id }, true);
    cloud.store.networks.change(network.id, { state: "Implemented" });
}

type Holder = Pick<PublicAddress, "zoneId" | "ownerId" | "networkId">;

/**
 * Allocates the address after the last one that was allocated. Its id stays the same when it is released and allocated
 * again, as in CloudStack.
 *
 * @param wanted a certain address
 * @throws ApiError 533 if it is in use, or none is free
 */
export function allocateAddress(cloud: Cloud, holder: Holder, sourceNat: boolean, wanted?: string): PublicAddress {
    const address = wanted ?? nextAddress(cloud);
    const known = cloud.store.publicAddresses.find((other) => other.address === address);
    if (address === undefined || !isPublic(address) || (known !== undefined && known.state !== "Free"))
        throw new ApiError(533, "Insufficient address capacity", 9999);
    const values = { ...holder, state: sourceNat ? "Allocated" : "Allocating", sourceNat } as const;
    const allocated = cloud.now();
    if (known !== undefined) return cloud.store.publicAddresses.change(known.id, { ...values, allocated });
    const number = cloud.store.next("publicAddress");
    return cloud.store.publicAddresses.insert({ id: randomUUID(), number, address, ...values, allocated });
}

function isPublic(address: string): boolean {
    const value = toNumber(address);
    return value >= toNumber(PUBLIC_RANGE.start) && value <= toNumber(PUBLIC_RANGE.end);
}

function nextAddress(cloud: Cloud): string | undefined {
    const [first, last] = [PUBLIC_RANGE.start, PUBLIC_RANGE.end].map(toNumber);
    const size = last - first + 1;
    const used = new Set(
        cloud.store.publicAddresses.filter(({ state }) => state !== "Free").map(({ address }) => address),
    );
    for (let tries = 0; tries < size; tries += 1) {
        const address = toAddress(first + ((cloud.store.next("publicAddressPosition") - 1) % size));
        if (!used.has(address)) return address;
    }
    return undefined;
}

/** Removes a rule with its tags, and the firewall rule that was made with it. */
export function removeRule(cloud: Cloud, id: string): void {
    if (cloud.store.networkRules.get(id) === undefined) return;
    for (const opened of cloud.store.networkRules.filter(({ openedFor }) => openedFor === id))
        removeRule(cloud, opened.id);
    for (const tag of cloud.store.tags.filter((t) => t.resourceId === id)) cloud.store.tags.remove(tag.id);
    cloud.store.networkRules.remove(id);
}

/** Releases an address, with its rules and tags. */
export function releaseAddress(cloud: Cloud, { id }: PublicAddress): void {
    const { store } = cloud;
    for (const rule of store.networkRules.filter(({ addressId }) => addressId === id)) removeRule(cloud, rule.id);
    for (const tag of store.tags.filter((t) => t.resourceId === id)) store.tags.remove(tag.id);
    store.publicAddresses.change(id, { state: "Free", sourceNat: false, networkId: undefined });
}

/** Removes a network, and releases its addresses. */
export function removeNetwork(cloud: Cloud, network: Network): void {
    const { store } = cloud;
    for (const address of addressesOf(cloud, network.id)) releaseAddress(cloud, address);
    for (const rule of store.networkRules.filter(({ networkId }) => networkId === network.id))
        removeRule(cloud, rule.id);
    for (const tag of store.tags.filter((t) => t.resourceId === network.id)) store.tags.remove(tag.id);
    store.networks.change(network.id, { removed: cloud.now() });
}
