/** Networks and their offerings in answers. */
import { timestamp, type Cloud } from "../../cloud";
import { rangeOf } from "../../state/addresses";
import type { Network, NetworkOffering } from "../../state/records";
import { DOMAIN } from "../entities";
import { accountFields } from "../ownership";
import { tagAnswer, tagsOf } from "./tags";

type Capabilities = readonly (readonly [name: string, value: string])[];

const VIRTUAL_ROUTER = "VirtualRouter";

/**
 * Services of the two types of networks: name, provider, and capabilities in answers of networks and of offerings.
 */
const SERVICES: Readonly<
    Record<
        NetworkOffering["guestType"],
        readonly { name: string; provider: string; network: Capabilities; offering: Capabilities }[]
    >
> = {
    Shared: [
        { name: "Dhcp", provider: VIRTUAL_ROUTER, network: [["DhcpAccrossMultipleSubnets", "true"]], offering: [] },
        { name: "SecurityGroup", provider: "SecurityGroupProvider", network: [], offering: [] },
        { name: "Dns", provider: VIRTUAL_ROUTER, network: [["AllowDnsSuffixModification", "true"]], offering: [] },
        { name: "UserData", provider: VIRTUAL_ROUTER, network: [], offering: [] },
    ],
    Isolated: [
        {
            name: "Lb",
            provider: VIRTUAL_ROUTER,
            network: [["SupportedProtocols", "tcp, udp, tcp-proxy"]],
            offering: [
                ["SupportedLBIsolation", "dedicated"],
                ["ElasticLb", "false"],
                ["InlineMode", "false"],
                ["VmAutoScaling", "true"],
            ],
        },
        { name: "Firewall", provider: VIRTUAL_ROUTER, network: [["SupportedProtocols", "tcp,udp,icmp"]], offering: [] },
        {
            name: "StaticNat",
            provider: VIRTUAL_ROUTER,
            network: [],
            offering: [
                ["ElasticIp", "false"],
                ["AssociatePublicIP", "true"],
            ],
        },
        { name: "Dhcp", provider: VIRTUAL_ROUTER, network: [["DhcpAccrossMultipleSubnets", "true"]], offering: [] },
        { name: "PortForwarding", provider: VIRTUAL_ROUTER, network: [], offering: [] },
        { name: "Vpn", provider: VIRTUAL_ROUTER, network: [["VpnTypes", "removeaccessvpn"]], offering: [] },
        { name: "Dns", provider: VIRTUAL_ROUTER, network: [["AllowDnsSuffixModification", "true"]], offering: [] },
        {
            name: "SourceNat",
            provider: VIRTUAL_ROUTER,
            network: [["SupportedSourceNatTypes", "peraccount"]],
            offering: [
                ["SupportedSourceNatTypes", "peraccount"],
                ["RedundantRouter", "false"],
            ],
        },
        { name: "UserData", provider: VIRTUAL_ROUTER, network: [], offering: [] },
    ],
};

const capabilityAnswers = (capabilities: Capabilities) =>
    capabilities.map(([name, value]) => ({ name, value, canchooseservicecapability: false }));

export function networkAnswer(cloud: Cloud, network: Network): object {
    const { store } = cloud;
    const zone = store.zones.need(network.zoneId);
    const offering = store.networkOfferings.need(network.offeringId);
    const shared = network.ownerId === undefined;
    return {
        id: network.id,
        name: network.name,
        displaytext: network.displayText,
        broadcastdomaintype: "Vlan",
        traffictype: "Guest",
        gateway: network.gateway,
        netmask: rangeOf(network.cidr).netmask,
        cidr: network.cidr,
        zoneid: zone.id,
        zonename: zone.name,
        networkofferingid: offering.id,
        networkofferingname: offering.name,
        networkofferingdisplaytext: offering.displayText,
        networkofferingconservemode: true,
        networkofferingavailability: shared ? "Optional" : "Required",
        issystem: false,
        state: network.state,
        related: network.id,
        dns1: network.gateway,
        type: offering.guestType,
        acltype: shared ? "Domain" : "Account",
        ...(network.ownerId === undefined ? { subdomainaccess: true } : accountFields({ cloud }, network.ownerId)),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        domainpath: DOMAIN.name,
        service: SERVICES[offering.guestType].map(({ name, provider, network: capabilities }) => ({
            name,
            provider: [{ name: provider }],
            capability: capabilityAnswers(capabilities),
        })),
        networkdomain: network.domain,
        physicalnetworkid: zone.id,
        restartrequired: false,
        specifyvlan: shared,
        specifyipranges: shared,
        canusefordeploy: true,
        ispersistent: false,
        tags: tagsOf(cloud, network.id).map((tag) => tagAnswer(cloud, tag)),
        strechedl2subnet: false,
        redundantrouter: false,
        supportsvmautoscaling: !shared,
        created: timestamp(network.created),
        receivedbytes: 0,
        sentbytes: 0,
        publicmtu: 1500,
        privatemtu: 1500,
        hasannotations: false,
    };
}

export function networkOfferingAnswer(offering: NetworkOffering): object {
    const shared = offering.guestType === "Shared";
    return {
        id: offering.id,
        name: offering.name,
        displaytext: offering.displayText,
        created: timestamp(offering.created),
        traffictype: "Guest",
        isdefault: true,
        specifyvlan: shared,
        conservemode: true,
        specifyipranges: shared,
        availability: shared ? "Optional" : "Required",
        networkrate: 200,
        state: "Enabled",
        guestiptype: offering.guestType,
        serviceofferingid: offering.id,
        service: SERVICES[offering.guestType].map(({ name, provider, offering: capabilities }) => ({
            name,
            provider: [{ name: provider }],
            ...(capabilities.length === 0 ? {} : { capability: capabilityAnswers(capabilities) }),
        })),
        forvpc: false,
        fornsx: false,
        fortungsten: false,
        ispersistent: false,
        egressdefaultpolicy: false,
        supportsstrechedl2subnet: false,
        supportspublicaccess: false,
        supportsinternallb: false,
        internetprotocol: "IPv4",
        specifyasnumber: false,
        hasannotations: false,
    };
}
