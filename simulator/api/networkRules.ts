/** Rules that all rules of virtual routers have in common: conflicts with others, and a router that can be configured. */
import type { Cloud } from "../cloud";
import type { NetworkRule } from "../state/records";
import { describeRule } from "./answers/networkRule";
import type { Request } from "./command";
import { hasTags } from "./commands/tags";
import { ApiError, failed } from "./errors";
import { contains, matches, page } from "./lists";
import { isBroken } from "./networkState";
import { scopeOf } from "./ownership";

type New = Pick<
    NetworkRule,
    "purpose" | "protocol" | "startPort" | "endPort" | "icmpType" | "icmpCode" | "cidrs" | "destinationCidrs"
> &
    Partial<Pick<NetworkRule, "addressId" | "networkId" | "trafficType">>;

/** Both lists are empty, or a network is in both of them: larger and smaller networks are different ones. */
function shareOne(some: readonly string[], others: readonly string[]): boolean {
    return some.some((cidr) => others.includes(cidr)) || (some.length === 0 && others.length === 0);
}

/** CloudStack's FirewallManagerImpl.detectRulesConflict, without VPNs. */
function conflicts(rule: NetworkRule, other: New): boolean {
    const bothFirewall = rule.purpose === "Firewall" && other.purpose === "Firewall";
    if (!bothFirewall && (rule.purpose === "Firewall" || other.purpose === "Firewall")) return false;
    const sameProtocol = rule.protocol === other.protocol;
    if (bothFirewall && !sameProtocol) return false;
    if (bothFirewall && !shareOne(rule.cidrs, other.cidrs)) return false;
    if (bothFirewall && other.trafficType === "Egress" && !shareOne(rule.destinationCidrs, other.destinationCidrs))
        return false;
    if (rule.protocol === "icmp" && sameProtocol)
        return rule.icmpType === other.icmpType && rule.icmpCode === other.icmpCode;
    if (rule.startPort === undefined || other.startPort === undefined) return rule.startPort === other.startPort;
    if (rule.purpose === "PortForwarding" && other.purpose === "PortForwarding" && !sameProtocol) return false;
    return rule.startPort <= other.endPort! && other.startPort <= rule.endPort!;
}

/**
 * @param csErrorCode of the error: that of 4.22 depends on the command
 * @throws ApiError 537 if another rule of the address, or egress rule of the network, conflicts with a new one
 */
export function checkConflicts(cloud: Cloud, rule: New, csErrorCode = 4360): void {
    const others = cloud.store.networkRules.filter((other) =>
        rule.addressId === undefined
            ? other.networkId === rule.networkId && other.trafficType === "Egress"
            : other.addressId === rule.addressId,
    );
    const rival = others.find((other) => conflicts(other, rule));
    if (rival === undefined) return;
    if (rule.startPort === undefined)
        throw new ApiError(537, `New rule conflicts with existing rule: ${describeRule(cloud, rival)}`, csErrorCode);
    throw new ApiError(
        537,
        `The range specified, ${rule.startPort}-${rule.endPort}, conflicts with rule ${describeRule(cloud, rival)} ` +
            `which has ${rival.startPort}-${rival.endPort}`,
        csErrorCode,
    );
}

/** @throws ApiError 530 if the virtual router of the network cannot be configured any more */
export function checkRouter(cloud: Cloud, networkId: string): void {
    if (isBroken(cloud, networkId)) throw failed("Multiple generic source NAT IPs provided for network");
}

/** Answers a list of rules, the newest first, as in CloudStack. */
export function listRules(
    request: Request,
    name: string,
    isOfKind: (rule: NetworkRule) => boolean,
    answer: (rule: NetworkRule) => object,
): object {
    const { cloud } = request;
    const { id, ipaddressid, networkid, keyword, tags } = request.arguments;
    const inScope = scopeOf(request);
    const rules = cloud.store.networkRules.filter(
        (rule) =>
            isOfKind(rule) &&
            inScope(rule.ownerId) &&
            matches(rule.id, id) &&
            matches(rule.addressId, ipaddressid) &&
            matches(rule.networkId, networkid) &&
            contains(rule.protocol, keyword) &&
            hasTags(cloud, rule.id, tags),
    );
    return page(request, name, rules.reverse(), answer);
}
