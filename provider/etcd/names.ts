/** Where a member listens. */
export const clientPort = 2379;
export const peerPort = 2380;
export const metricsPort = 2381;

export function clientUrl(address: string): string {
    return `https://${address}:${clientPort}`;
}

export function peerUrl(address: string): string {
    return `https://${address}:${peerPort}`;
}

/** The name of a member and of its machine, which is its host name. */
export function memberName(cluster: string, key: string): string {
    return `${cluster}-etcd-${key}`;
}

/** For how long founders may found a cluster where nothing else is said. */
export const defaultBootstrapWindowSeconds = 900;

/** How long a gate waits where nothing else is said, in seconds. */
export const defaultTimeoutSeconds = 600;

/**
 * Below this key the cluster itself remembers who was taken out of the program, by the member's name: a machine that goes
 * on after that, or comes back, asks before it joins.
 */
export const removedPrefix = "pulumi-cloudstack/removed/";
