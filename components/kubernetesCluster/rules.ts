/** The security groups that rules are created for. */
export type GroupKey = "etcd" | "controlPlane" | "workers";

/** Clients outside the cluster. Their networks are arguments, which are empty by default. */
export type Audience = "operator" | "monitoring" | "nodePorts" | "ssh";

/** A row of the table: which port is open, on which groups, for which clients, and why. */
export interface RuleRow {
    readonly to: readonly GroupKey[];
    readonly protocol: "tcp" | "udp" | "icmp";
    /** A port or a range, for tcp and udp. */
    readonly ports?: string;
    readonly icmp?: { readonly type: number; readonly code: number };
    /** Groups whose members may connect. Members of one group may connect to each other only if it is listed. */
    readonly from: readonly GroupKey[];
    /** Clients outside the cluster that may connect, if the argument with their networks is set. */
    readonly audience?: Audience;
    /** The row applies only with this pod network. */
    readonly backend?: "vxlan" | "wireguard";
    readonly why: string;
}

const nodes = ["controlPlane", "workers"] as const;
const ping = { type: 8, code: 0 };
const tooBig = { type: 3, code: 4 };

/**
 * All ports that are open; everything else is closed. Ports that are only used locally (7443 of HAProxy, 10248, 10249,
 * 10256, 10257, 10259, and 8081 of Flannel) are not in the table. Rules for a load balancer in front of NodePorts or
 * for another pod network can be added with `extraRules`.
 *
 * ICMP type 3 code 4 (fragmentation needed) is required for path MTU discovery, type 8 is ping; both are allowed
 * between groups that communicate.
 */
export const ruleTable: readonly RuleRow[] = [
    {
        to: ["etcd"],
        protocol: "tcp",
        ports: "2379",
        from: ["controlPlane", "etcd"],
        audience: "operator",
        why: "etcd's clients: API servers, and members that join, promote learners or save snapshots",
    },
    { to: ["etcd"], protocol: "tcp", ports: "2380", from: ["etcd"], why: "etcd's peers" },
    { to: ["etcd"], protocol: "tcp", ports: "2381", from: [], audience: "monitoring", why: "metrics of etcd" },
    {
        to: ["controlPlane"],
        protocol: "tcp",
        ports: "6443",
        from: nodes,
        audience: "operator",
        why: "the Kubernetes API",
    },
    { to: nodes, protocol: "tcp", ports: "10250", from: ["controlPlane"], why: "kubelet: logs, exec, metrics" },
    {
        to: nodes,
        protocol: "udp",
        ports: "8472",
        from: nodes,
        backend: "vxlan",
        why: "pods of different nodes (VXLAN)",
    },
    {
        to: nodes,
        protocol: "udp",
        ports: "51820",
        from: nodes,
        backend: "wireguard",
        why: "pods of different nodes (WireGuard)",
    },
    {
        to: ["workers"],
        protocol: "tcp",
        ports: "30000-32767",
        from: [],
        audience: "nodePorts",
        why: "services of type NodePort",
    },
    {
        to: ["workers"],
        protocol: "udp",
        ports: "30000-32767",
        from: [],
        audience: "nodePorts",
        why: "services of type NodePort",
    },
    {
        to: nodes,
        protocol: "tcp",
        ports: "9100",
        from: [],
        audience: "monitoring",
        why: "metrics of machines (node-exporter)",
    },
    { to: ["etcd", ...nodes], protocol: "tcp", ports: "22", from: [], audience: "ssh", why: "administrators" },
    ...[tooBig, ping].flatMap((icmp): RuleRow[] => [
        { to: ["etcd"], protocol: "icmp", icmp, from: ["controlPlane", "etcd"], why: whyIcmp(icmp) },
        { to: ["controlPlane"], protocol: "icmp", icmp, from: ["etcd", ...nodes], why: whyIcmp(icmp) },
        { to: ["workers"], protocol: "icmp", icmp, from: nodes, why: whyIcmp(icmp) },
    ]),
];

function whyIcmp(icmp: { type: number }): string {
    return icmp === ping ? "ping" : "path MTU discovery";
}

/** The networks of clients outside the cluster, and the pod network. */
export interface RuleOptions {
    /** @default "vxlan" */
    podNetwork?: "vxlan" | "wireguard" | "none";
    /** Networks from which `pulumi up` or `kubectl` connects: 6443 and etcd's 2379. @default none */
    operatorCidrs?: readonly string[];
    /** Networks that may scrape metrics: 2381 of etcd, 9100 of nodes. @default none */
    monitoringCidrs?: readonly string[];
    /** Networks that may reach services of type NodePort on workers. @default none */
    nodePortCidrs?: readonly string[];
    /** Networks that may connect to the nodes with SSH. @default none */
    sshCidrs?: readonly string[];
}

/** A rule of one group. Its sources are either groups or networks: a CloudStack rule cannot have both. */
export interface PlannedRule {
    protocol: "tcp" | "udp" | "icmp";
    ports?: string;
    icmpType?: number;
    icmpCode?: number;
    groups?: GroupKey[];
    cidrs?: string[];
    why: string;
}

/** The ingress rules of each group, from the table. */
export function planRules(options: RuleOptions = {}): Record<GroupKey, PlannedRule[]> {
    const { podNetwork = "vxlan" } = options;
    const networks: Record<Audience, readonly string[]> = {
        operator: options.operatorCidrs ?? [],
        monitoring: options.monitoringCidrs ?? [],
        nodePorts: options.nodePortCidrs ?? [],
        ssh: options.sshCidrs ?? [],
    };
    const planned: Record<GroupKey, PlannedRule[]> = { etcd: [], controlPlane: [], workers: [] };
    for (const row of ruleTable) {
        if (row.backend !== undefined && row.backend !== podNetwork) continue;
        const what = {
            protocol: row.protocol,
            ...(row.ports !== undefined && { ports: row.ports }),
            ...(row.icmp !== undefined && { icmpType: row.icmp.type, icmpCode: row.icmp.code }),
        };
        const cidrs = row.audience === undefined ? [] : networks[row.audience];
        for (const group of row.to) {
            if (row.from.length > 0) planned[group].push({ ...what, groups: [...row.from], why: row.why });
            if (cidrs.length > 0) planned[group].push({ ...what, cidrs: [...cidrs], why: row.why });
        }
    }
    return planned;
}
