import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, identity, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** A rule of a security group: protocol, ports and sources. CloudStack keeps one rule for each source. */
export interface SecurityGroupRule {
    /** `tcp`, `udp`, `icmp`, `all`, or the number of a protocol (0 to 255) as a string. @default "tcp" @example "udp" */
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
    /** Whether members of the group itself are a source (without such a rule they cannot reach each other). @default false */
    self?: pulumi.Input<boolean>;
}

/** The arguments of a {@link SecurityGroup}. */
export interface SecurityGroupArgs {
    /** The group's name, unique in the account. A change replaces the group. @default `<stack>-<resource name>` */
    name?: pulumi.Input<string>;
    /** A description. CloudStack cannot change it afterwards: a change takes effect when the group is created again. @default none */
    description?: pulumi.Input<string>;
    /**
     * What may reach the members. Nothing may, without a rule. Rules are added and removed in place, one by one.
     *
     * @default none
     * @example [{ ports: "443", cidrs: ["0.0.0.0/0"] }]
     */
    ingress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * What members may reach: everything, until the first rule; from then on only what the rules say.
     *
     * @default none
     * @example [{ protocol: "udp", ports: "53", cidrs: ["10.0.0.2/32"] }]
     */
    egress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * Whether rules that no resource of the stack manages are removed. Without it a refresh reports them (`unmanagedRules`), and they are left
     * alone. With it the group's ingress rules are its own as well, so its machines wait for them.
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
 * Rules are compared one by one (protocol, ports or ICMP type and code, source): a change adds and removes only what differs, on running
 * machines. Groups whose rules name each other need {@link SecurityGroupRules}.
 *
 * Ingress rules are a child of the group, `<name>-ingress`, so that machines and groups that name it do not wait for them. Egress rules are
 * the group's own: until the first of them members may reach everything, so it is there before any machine is.
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
    /** Rules that the group has and no resource of the stack manages, as text, as of the last refresh. */
    declare readonly unmanagedRules: pulumi.Output<string[]>;
    /** The cloud and account that the group lives in. */
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
            // Rules go with their group.
            deletedWith: this,
            ignoreChanges: opts?.ignoreChanges?.filter((path) => OF_INGRESS.test(path)),
            customTimeouts: opts?.customTimeouts,
        });
    }
}

/** Paths of options that are about ingress rules. */
const OF_INGRESS = /^(ingress\b|\*)/;

/**
 * Whether a group's ingress rules are made beside it, so that machines, and groups that name it, need not wait for them. Not where others'
 * rules are to go: that is for one resource to judge. Nor where a change of them is to replace the group.
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
    /** What may reach the group's members. @default none @example [{ ports: "5432", groups: [database.name] }] */
    ingress?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /**
     * What members may reach (everything, until a group's first egress rule).
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
 * Rules of a group that is made elsewhere: for groups whose rules name each other, and for groups that other stacks own. Only these rules
 * are managed; all others of the group are left alone.
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
    /** The cloud and account that the group lives in. */
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
