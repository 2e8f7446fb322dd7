/** The ports of a member. */
export const clientPort = 2379;
export const peerPort = 2380;
export const metricsPort = 2381;

export function clientUrl(address: string): string {
    return `https://${address}:${clientPort}`;
}

export function peerUrl(address: string): string {
    return `https://${address}:${peerPort}`;
}

/** The name of a member, which is also the name and host name of its machine. */
export function memberName(cluster: string, key: string): string {
    return `${cluster}-etcd-${key}`;
}

/** The default length of the bootstrap window, in seconds. */
export const defaultBootstrapWindowSeconds = 900;

/** The default timeout for waiting until etcd is healthy, in seconds. */
export const defaultTimeoutSeconds = 600;

/**
 * The prefix of keys in etcd that record removed members by name. A machine checks its key before it joins, in case it
 * still runs or starts again after its member was removed.
 */
export const removedPrefix = "pulumi-cloudstack/removed/";
