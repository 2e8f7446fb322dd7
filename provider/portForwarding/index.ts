import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, identity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of a {@link PortForwardingRule}. */
export interface PortForwardingRuleArgs {
    /** The id of the public address. A change replaces the rule. @example address.id */
    address: pulumi.Input<string>;
    /** `tcp` or `udp`. A change replaces the rule. @default "tcp" */
    protocol?: pulumi.Input<string>;
    /**
     * The port ("8080") or range of ports ("8000-8010") of the public address. No other forwarding or load balancer rule
     * of the address may have one of them. A change replaces the rule.
     *
     * @example "8080"
     */
    publicPorts: pulumi.Input<string | number>;
    /** The port or range of ports of the machine, changed in place. @default `publicPorts` @example "80" */
    privatePorts?: pulumi.Input<string | number>;
    /** The id of the machine, changed in place. It must be in the network of the address. @example server.id */
    virtualMachine: pulumi.Input<string>;
    /**
     * The IPv4 networks that the rule is for, changed in place. The firewall (`FirewallRules`) must allow them, too.
     *
     * @default all
     * @example ["203.0.113.0/24"]
     */
    cidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** The name or id of the project. A change replaces the rule. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * Forwards ports of a public address to a machine. It does not open the firewall of the address: `FirewallRules` say who
 * may connect.
 *
 * If CloudStack has removed the rule together with a machine, the next run that gives it another machine creates it
 * again.
 *
 * @example SSH to one machine
 * ```ts
 * new cloudstack.PortForwardingRule("ssh", { address: address.id, publicPorts: "2222", privatePorts: "22", virtualMachine: server.id });
 * ```
 */
export class PortForwardingRule extends CloudStackResource {
    /** CloudStack's id of the rule. */
    declare readonly ruleId: pulumi.Output<string>;
    /** The cloud and account that the rule belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: PortForwardingRuleArgs, opts?: pulumi.CustomResourceOptions) {
        const inputs = { ...args, ...identity("PortForwardingRule", name, opts) };
        super("PortForwardingRule", "portForwardingRule", name, inputs, ["ruleId", "cloud"], opts);
    }
}
