import { clientPort, metricsPort, peerPort } from "./spec";

/** The source of a connection: machines of a group, or addresses. */
export type RuleSource = { readonly group: "etcd" | "clients" } | { readonly cidr: string };

/** An ingress rule of the members' security group. */
export interface EtcdRule {
    readonly to: "etcd";
    readonly protocol: "tcp" | "icmp";
    /** For tcp. */
    readonly port?: number;
    /** For icmp; -1 means all. */
    readonly icmpType?: number;
    readonly icmpCode?: number;
    readonly from: RuleSource;
    /** Why the rule is needed. */
    readonly reason: string;
}

/** The sources that are allowed in addition to the members themselves. */
export interface EtcdRuleArgs {
    /** Whether there is a security group of clients, such as Kubernetes' control planes. @default false */
    readonly clients?: boolean;
    /** Networks from which `pulumi up` checks health. @default none */
    readonly operatorCidrs?: readonly string[];
    /** Networks that may read metrics over plain HTTP. @default none */
    readonly metricsCidrs?: readonly string[];
    /** Networks that may connect with SSH. @default none */
    readonly sshCidrs?: readonly string[];
}

/** The rules that are needed, each with its reason. */
export function etcdRules(args: EtcdRuleArgs = {}): EtcdRule[] {
    const tcp = (port: number, from: RuleSource, reason: string): EtcdRule => ({
        to: "etcd",
        protocol: "tcp",
        port,
        from,
        reason,
    });
    const icmp = (icmpType: number, icmpCode: number, from: RuleSource, reason: string): EtcdRule => ({
        to: "etcd",
        protocol: "icmp",
        icmpType,
        icmpCode,
        from,
        reason,
    });
    const groups: RuleSource[] = [{ group: "etcd" }, ...(args.clients ? [{ group: "clients" } as const] : [])];
    const cidrs = (list: readonly string[] | undefined) => [...new Set(list)].sort().map((cidr) => ({ cidr }));
    return [
        tcp(peerPort, { group: "etcd" }, "Raft between members"),
        tcp(clientPort, { group: "etcd" }, "members query each other when they start, join or run maintenance"),
        ...(args.clients ? [tcp(clientPort, { group: "clients" }, "clients of the database")] : []),
        ...cidrs(args.operatorCidrs).map((from) => tcp(clientPort, from, "health checks of pulumi up")),
        ...cidrs(args.metricsCidrs).map((from) => tcp(metricsPort, from, "metrics")),
        ...cidrs(args.sshCidrs).map((from) => tcp(22, from, "SSH")),
        ...groups.flatMap((from) => [
            icmp(3, 4, from, "path MTU discovery: packets that are too large"),
            icmp(8, 0, from, "ping"),
        ]),
    ];
}
