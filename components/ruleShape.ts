import type { SecurityGroupRule } from "../provider/securityGroup";
import { boolean, fields, list, matching, network, number, text } from "./shape";

/** The shape of a security group rule; the provider checks which arguments can be combined. */
export const ruleShape = fields<SecurityGroupRule>({
    protocol: matching("tcp, udp, icmp, all or the number of a protocol", /^(tcp|udp|icmp|all|\d{1,3})$/i),
    ports: matching('a port such as "443" or a range such as "30000-32767"', /^\d{1,5}(-\d{1,5})?$/),
    icmpType: number,
    icmpCode: number,
    cidrs: list(network),
    groups: list(text),
    self: boolean,
});
