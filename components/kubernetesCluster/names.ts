/** The arguments of a pool that determine the names of its nodes. */
export interface PoolMembers {
    count?: number;
    nodes?: readonly string[];
}

/** Host name of a control plane. */
export function controlPlaneName(cluster: string, member: string): string {
    return `${cluster}-${member}`;
}

/** Host names of a pool's nodes by key: the node's name or number. */
export function poolNodeNames(cluster: string, pool: string, { count, nodes }: PoolMembers): Record<string, string> {
    const keys = nodes ?? Array.from({ length: count ?? 0 }, (_, index) => String(index));
    return Object.fromEntries(keys.map((key) => [key, `${cluster}-${pool}-${key}`]));
}

/** Host names of all nodes of a cluster. */
export function nodeNames(
    cluster: string,
    { controlPlane, pools = {} }: { controlPlane: { members: object }; pools?: Record<string, PoolMembers> },
): string[] {
    return [
        ...Object.keys(controlPlane.members).map((member) => controlPlaneName(cluster, member)),
        ...Object.entries(pools).flatMap(([pool, args]) => Object.values(poolNodeNames(cluster, pool, args))),
    ];
}
