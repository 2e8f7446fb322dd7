import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, identity, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** A rule of a security group: protocol, ports and sources. CloudStack keeps one rule for each source. */
export interface SecurityGroupRule {
    /** `tcp`, `udp`, `icmp`, `all`, or a protocol number (0 to 255) as a string. @default "tcp" @example "udp" */
    protocol?: pulumi.Input<string>;
    /** A port ("443", or as a number) or a range of ports ("30000-32767"); for tcp and udp only. @default all ports */
    ports?: pulumi.Input<string>;
    /** The ICMP type; -1 means all. For icmp only. @default -1 @example 8 */
    icmpType?: pulumi.Input<number>;
    /**
     * The ICMP code. CloudStack has no rule for all codes of one type. For icmp only.
     *
     * @default 0 with a type, else all
     * @example 0
     */
    icmpCode?: pulumi.Input<number>;
    /** The sources (for egress: destinations), as IPv4 or IPv6 CIDRs ("10.0.0.0/8", "2001:db8::/32"). */
    cidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * The sources (for egress: destinations), as names of security groups of the same account: their current members.
     *
     * @example [web.name]
     */
    groups?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Whether members of the group itself are a source (without such a rule they cannot reach each other).
     * @default false
     */
    self?: pulumi.Input<boolean>;
}

/** The arguments of a {@link SecurityGroup}. */
export interface SecurityGroupArgs {
    /** The group's name, unique in the account. A change replaces the group. @default `<stack>-<resource name>` */
    name?: pulumi.Input<string>;
    /**
     * A description. CloudStack cannot change it afterwards: a change takes effect when the group is created again.
     * @default none
     */
    description?: pulumi.Input<string>;
    /**
     * The traffic that may reach the members. Without a rule, none may. Rules are added and removed in place, one by
     * one.
     *
     * @default none
     * @example [{ ports: "443", cidrs: ["0.0.0.0/0"] }]
     */
    ingress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * The traffic that members may send. Without a rule, all traffic is allowed; with rules, only what they allow.
     *
     * @default none
     * @example [{ protocol: "udp", ports: "53", cidrs: ["10.0.0.2/32"] }]
     */
    egress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * Whether rules that no resource of the stack manages are removed. With `false`, a refresh reports them
     * (`unmanagedRules`) and they are kept. With `true`, the ingress rules are part of the group resource, so its
     * machines wait for them.
     *
     * @default false
     */
    exclusive?: pulumi.Input<boolean>;
    /** The name or id of the project. A change replaces the group. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /**
     * How long each operation may take, in seconds.
     *
     * @default create 900, update 900, delete 600
     * @example { delete: 1200 }
     */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * A security group with its rules.
 *
 * Rules are compared one by one (protocol, ports or ICMP type and code, source): a change adds and removes only what
 * differs, on running machines. Groups whose rules name each other need {@link SecurityGroupRules}.
 *
 * Ingress rules are a child resource, `<name>-ingress`, so that machines and groups that use the group do not wait for
 * them. Egress rules are part of the group: without one, members may send any traffic, so they are added before any
 * machine is created.
 *
 * @example A web server that one network may administer
 * ```ts
 * const web = new cloudstack.SecurityGroup("web", {
 *     ingress: [
 *         { ports: "80", cidrs: ["0.0.0.0/0", "::/0"] },
 *         { ports: "443", cidrs: ["0.0.0.0/0", "::/0"] },
 *         { ports: "22", cidrs: ["203.0.113.0/24"] },
 *         { protocol: "icmp", icmpType: 8, icmpCode: 0, cidrs: ["0.0.0.0/0"] },
 *     ],
 * });
 * ```
 *
 * @example A database that only members of another group, and its own, may reach
 * ```ts
 * new cloudstack.SecurityGroup("database", { ingress: [{ ports: "5432", groups: [web.name] }, { ports: "5433", self: true }] });
 * ```
 */
export class SecurityGroup extends CloudStackResource {
    /** The group's name, by which rules of other groups refer to it. */
    declare readonly name: pulumi.Output<string>;
    /** Rules of the group that no resource of the stack manages, as text, as of the last refresh. */
    declare readonly unmanagedRules: pulumi.Output<string[]>;
    /** The cloud and account that the group belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: SecurityGroupArgs = {}, opts?: pulumi.CustomResourceOptions) {
        const { ingress, ...others } = args;
        const apart = hasRulesApart(args, opts?.replaceOnChanges);
        super(
            "SecurityGroup",
            "securityGroup",
            name,
            {
                ...(apart ? { ...others, ingressApart: true } : args),
                ...namedIdentity("SecurityGroup", name, args, opts),
            },
            ["managedRules", "unmanagedRules", "cloud"],
            opts,
        );
        if (!apart) return;
        const { project, profile, timeoutSeconds } = args;
        const own = { securityGroup: this.id, ingress, project, profile, timeoutSeconds, ofGroup: true };
        new SecurityGroupRules(`${name}-ingress`, own, {
            parent: this,
            // CloudStack deletes rules together with their group.
            deletedWith: this,
            ignoreChanges: opts?.ignoreChanges?.filter((path) => OF_INGRESS.test(path)),
            customTimeouts: opts?.customTimeouts,
        });
    }
}

/** Property paths in resource options that concern ingress rules. */
const OF_INGRESS = /^(ingress\b|\*)/;

/**
 * Whether a group's ingress rules are a separate resource, so that machines and groups that use the group need not wait
 * for them. Not for an exclusive group, where one resource must know all rules, nor if a change of the rules is to
 * replace the group.
 */
function hasRulesApart(
    { ingress, exclusive = false }: SecurityGroupArgs,
    replaceOnChanges: readonly string[] = [],
): boolean {
    if (replaceOnChanges.some((path) => OF_INGRESS.test(path))) return false;
    return exclusive === false && ingress !== undefined && !(Array.isArray(ingress) && ingress.length === 0);
}

/** The arguments of {@link SecurityGroupRules}. */
export interface SecurityGroupRulesArgs {
    /** The id of the group that gets the rules. A change replaces this resource. @example web.id */
    securityGroup: pulumi.Input<string>;
    /**
     * The traffic that may reach the group's members.
     * @default none
     * @example [{ ports: "5432", groups: [database.name] }]
     */
    ingress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * The traffic that members may send. Without an egress rule, all traffic is allowed.
     *
     * @default none
     * @example [{ ports: "443", cidrs: ["10.0.0.0/8"] }]
     */
    egress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /** The name or id of the project. A change replaces this resource. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** How long each operation may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * Rules of an existing group: for groups whose rules name each other, and for groups of other stacks. Only these rules
 * are managed; all other rules of the group are kept.
 *
 * @example Two groups that talk to each other
 * ```ts
 * const api = new cloudstack.SecurityGroup("api");
 * const worker = new cloudstack.SecurityGroup("worker");
 * new cloudstack.SecurityGroupRules("api", { securityGroup: api.id, ingress: [{ ports: "6443", groups: [worker.name] }] });
 * new cloudstack.SecurityGroupRules("worker", { securityGroup: worker.id, ingress: [{ ports: "10250", groups: [api.name] }] });
 * ```
 */
export class SecurityGroupRules extends CloudStackResource {
    /** The cloud and account that the group belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: SecurityGroupRulesArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "SecurityGroupRules",
            "securityGroupRules",
            name,
            { ...args, ...identity("SecurityGroupRules", name, opts) },
            ["managedRules", "cloud"],
            opts,
        );
    }
}
