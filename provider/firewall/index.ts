import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, identity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** Traffic that a firewall allows. */
interface AllowedTraffic {
    /**
     * A port ("443") or a range of ports ("8000-8100"), for tcp and udp.
     *
     * @default all ports
     * @example "443"
     */
    ports?: pulumi.Input<string | number>;
    /** The ICMP type, for icmp; -1 means all. @default all @example 8 */
    icmpType?: pulumi.Input<number>;
    /** The ICMP code, for icmp; -1 means all. @default all @example 0 */
    icmpCode?: pulumi.Input<number>;
}

/** A rule of {@link FirewallRules}: who may connect to the public address. */
export interface FirewallRule extends AllowedTraffic {
    /** `tcp`, `udp` or `icmp`. @default "tcp" */
    protocol?: pulumi.Input<string>;
    /** The IPv4 networks that may connect. @example ["203.0.113.0/24"] */
    cidrs: pulumi.Input<pulumi.Input<string>[]>;
}

/** A rule of {@link EgressFirewallRules}: what the network's machines may connect to. */
export interface EgressFirewallRule extends AllowedTraffic {
    /** `tcp`, `udp`, `icmp` or `all`. @default "tcp" */
    protocol?: pulumi.Input<string>;
    /** The machines that may connect, as networks within the network. @default all of the network @example ["10.1.1.8/29"] */
    cidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** The networks that they may connect to. @default all @example ["203.0.113.0/24"] */
    destinationCidrs?: pulumi.Input<pulumi.Input<string>[]>;
}

/** What both sets of rules have. */
interface RulesArgs {
    /**
     * Whether rules that others have added are removed. With `false` they are reported and left alone.
     *
     * @default false
     */
    exclusive?: pulumi.Input<boolean>;
    /** The name or id of the project. A change replaces the rules. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/** The arguments of {@link FirewallRules}. */
export interface FirewallRulesArgs extends RulesArgs {
    /** The id of the public address. A change replaces the rules. @example address.id */
    address: pulumi.Input<string>;
    /** The rules: all that the program wants for the address. @example [{ ports: "443", cidrs: ["0.0.0.0/0"] }] */
    rules: pulumi.Input<pulumi.Input<FirewallRule>[]>;
}

/** The arguments of {@link EgressFirewallRules}. */
export interface EgressFirewallRulesArgs extends RulesArgs {
    /** The id of the isolated network. A change replaces the rules. @example network.id */
    network: pulumi.Input<string>;
    /** The rules: all that the program wants for the network. @example [{ protocol: "all" }] */
    rules: pulumi.Input<pulumi.Input<EgressFirewallRule>[]>;
}

const OUTPUTS = ["managedRules", "unmanagedRules", "cloud"];

/**
 * The firewall rules of a public address: who may connect to it. Only the difference is changed, one rule after another,
 * and what may connect before and after a change may do so meanwhile, unless CloudStack regards the old rule and the new
 * one as conflicting.
 *
 * An address has one such set in a program.
 *
 * @example HTTPS for everyone, SSH for an office
 * ```ts
 * new cloudstack.FirewallRules("web", {
 *     address: address.id,
 *     rules: [
 *         { ports: "443", cidrs: ["0.0.0.0/0"] },
 *         { ports: "22", cidrs: ["203.0.113.0/24"] },
 *     ],
 * });
 * ```
 */
export class FirewallRules extends CloudStackResource {
    /** The rules that this resource manages, in an internal form. */
    declare readonly managedRules: pulumi.Output<string[]>;
    /** Rules that others have added, in words. */
    declare readonly unmanagedRules: pulumi.Output<string[]>;
    /** The cloud and account that the rules belong to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: FirewallRulesArgs, opts?: pulumi.CustomResourceOptions) {
        const inputs = { ...args, ...identity("FirewallRules", name, opts) };
        super("FirewallRules", "firewallRules", name, inputs, OUTPUTS, opts);
    }
}

/**
 * The egress rules of an isolated network: what its machines may connect to. Without rules they may connect to nothing,
 * or to everything if the network's offering allows egress (`network.egressAllowed`); rules then deny what they match.
 *
 * A network has one such set in a program.
 *
 * @example Machines may use HTTPS and DNS
 * ```ts
 * new cloudstack.EgressFirewallRules("app", {
 *     network: network.id,
 *     rules: [{ ports: "443" }, { protocol: "udp", ports: "53" }],
 * });
 * ```
 */
export class EgressFirewallRules extends CloudStackResource {
    /** The rules that this resource manages, in an internal form. */
    declare readonly managedRules: pulumi.Output<string[]>;
    /** Rules that others have added, in words. */
    declare readonly unmanagedRules: pulumi.Output<string[]>;
    /** The cloud and account that the rules belong to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: EgressFirewallRulesArgs, opts?: pulumi.CustomResourceOptions) {
        const inputs = { ...args, ...identity("EgressFirewallRules", name, opts) };
        super("EgressFirewallRules", "egressFirewallRules", name, inputs, OUTPUTS, opts);
    }
}
