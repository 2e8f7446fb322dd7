/** The part of a pool's arguments that its nodes are named after. */
export interface PoolMembers {
    count?: number;
    nodes?: readonly string[];
}

/** Host name of a control plane. */
export function controlPlaneName(cluster: string, member: string): string {
    return `${cluster}-${member}`;
}

/** Host names of a pool's nodes, by the key of each: its name or its number. */
export function poolNodeNames(cluster: string, pool: string, { count, nodes }: PoolMembers): Record<string, string> {
    const keys = nodes ?? Array.from({ length: count ?? 0 }, (_, index) => String(index));
    return Object.fromEntries(keys.map((key) => [key, `${cluster}-${pool}-${key}`]));
}
