/** Networks and their offerings in answers. */
import { timestamp, type Cloud } from "../../cloud";
import { netmaskOf } from "../../state/addresses";
import type { Network, NetworkOffering } from "../../state/records";
import { DOMAIN } from "../entities";
import { accountFields } from "../ownership";
import { tagAnswer, tagsOf } from "./tags";

type Capabilities = readonly (readonly [name: string, value: string])[];

const VIRTUAL_ROUTER = "VirtualRouter";

/** The name server of both zones. */
export const ZONE_DNS = "10.147.28.6";

/**
 * Services of each type of networks: name, provider, and capabilities in answers of networks and of offerings.
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
    L2: [],
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
    const { guestType } = offering;
    const shared = guestType === "Shared";
    const [dns1, dns2] = network.dns ?? [shared ? network.gateway : ZONE_DNS];
    return {
        id: network.id,
        name: network.name,
        displaytext: network.displayText,
        broadcastdomaintype: "Vlan",
        traffictype: "Guest",
        ...(network.cidr === ""
            ? {}
            : { gateway: network.gateway, netmask: netmaskOf(network.cidr), cidr: network.cidr }),
        zoneid: zone.id,
        zonename: zone.name,
        networkofferingid: offering.id,
        networkofferingname: offering.name,
        networkofferingdisplaytext: offering.displayText,
        networkofferingconservemode: true,
        networkofferingavailability: guestType === "Isolated" ? "Required" : "Optional",
        issystem: false,
        state: network.state,
        related: network.id,
        dns1,
        ...(dns2 === undefined ? {} : { dns2 }),
        type: guestType,
        acltype: shared ? "Domain" : "Account",
        ...(network.ownerId === undefined ? { subdomainaccess: true } : accountFields({ cloud }, network.ownerId)),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        domainpath: DOMAIN.name,
        service: SERVICES[guestType].map(({ name, provider, network: capabilities }) => ({
            name,
            provider: [{ name: provider }],
            capability: capabilityAnswers(capabilities),
        })),
        ...(guestType === "L2" ? {} : { networkdomain: network.domain }),
        physicalnetworkid: zone.id,
        restartrequired: false,
        specifyvlan: shared,
        specifyipranges: shared,
        canusefordeploy: true,
        ispersistent: offering.persistent ?? false,
        tags: tagsOf(cloud, network.id).map((tag) => tagAnswer(cloud, tag)),
        strechedl2subnet: false,
        redundantrouter: false,
        supportsvmautoscaling: guestType === "Isolated",
        created: timestamp(network.created),
        receivedbytes: 0,
        sentbytes: 0,
        ...(guestType === "Isolated" ? { egressdefaultpolicy: offering.egressAllowed ?? false } : {}),
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
        isdefault: offering.name.startsWith("Default"),
        specifyvlan: shared,
        conservemode: true,
        specifyipranges: shared,
        availability: offering.guestType === "Isolated" ? "Required" : "Optional",
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
        ispersistent: offering.persistent ?? false,
        egressdefaultpolicy: offering.egressAllowed ?? false,
        supportsstrechedl2subnet: false,
        supportspublicaccess: false,
        supportsinternallb: false,
        internetprotocol: "IPv4",
        specifyasnumber: false,
        hasannotations: false,
    };
}
