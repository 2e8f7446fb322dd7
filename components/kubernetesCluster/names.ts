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
