/** Public addresses in answers. */
import { timestamp, type Cloud } from "../../cloud";
import type { PublicAddress } from "../../state/records";
import { ownerFields } from "../ownership";
import { nestedTagAnswer, tagsOf } from "./tags";

export function publicAddressAnswer(cloud: Cloud, address: PublicAddress): object {
    const { store } = cloud;
    const zone = store.zones.need(address.zoneId);
    const network = store.networks.get(address.networkId);
    return {
        id: address.id,
        ipaddress: address.address,
        allocated: timestamp(address.allocated),
        zoneid: zone.id,
        zonename: zone.name,
        issourcenat: address.sourceNat,
        ...ownerFields({ cloud }, address.ownerId),
        forvirtualnetwork: true,
        isstaticnat: false,
        issystem: false,
        ...(network === undefined ? {} : { associatednetworkid: network.id, associatednetworkname: network.name }),
        networkid: zone.id,
        state: address.state,
        physicalnetworkid: zone.id,
        tags: tagsOf(cloud, address.id).map((tag) => nestedTagAnswer(cloud, tag)),
        isportable: false,
        hasrules: false,
        forsystemvms: false,
        forprovider: false,
        hasannotations: false,
    };
}

/** An address in CloudStack's error texts. */
export function describeAddress({ id, number, address }: PublicAddress): string {
    return `IPAddress ${JSON.stringify({ address, dataCenterId: 2, id: number, uuid: id })}`;
}
