import { envFile } from "../cloudInit";
import { removedPrefix } from "../../provider/etcd/names";
import {
    clientUrl,
    defaultBootstrapWindowSeconds,
    type EtcdMemberSpec,
    memberName,
    metricsPort,
    peerUrl,
} from "./spec";

/** Paths on a member's machine. */
export const paths = {
    bin: "/usr/local/bin",
    scripts: "/usr/local/sbin",
    common: "/usr/local/lib/etcd-common.sh",
    etcdEnvironment: "/etc/etcd/etcd.env",
    nodeEnvironment: "/etc/etcd/node.env",
    pki: "/etc/etcd/pki",
    /** The mount point of the data volume. */
    home: "/var/lib/etcd",
    data: "/var/lib/etcd/data",
    snapshots: "/var/lib/etcd/snapshots",
    run: "/run/etcd",
} as const;

/** The supported minor versions. */
export const supportedMinors = ["3.5", "3.6"] as const;
type Minor = (typeof supportedMinors)[number];

/** `3.6` of `3.6.14`; undefined if it is not supported. */
export function minorOf(version: string): Minor | undefined {
    const minor = /^(\d+\.\d+)\.\d+$/.exec(version)?.[1];
    return supportedMinors.find((supported) => supported === minor);
}

/**
 * Settings whose names depend on the version: checks for data corruption, and the interval of progress notifications of
 * watches.
 */
const byMinor: Record<Minor, Record<string, string>> = {
    "3.5": {
        ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: "true",
        ETCD_EXPERIMENTAL_COMPACT_HASH_CHECK_ENABLED: "true",
        ETCD_EXPERIMENTAL_WATCH_PROGRESS_NOTIFY_INTERVAL: "5s",
    },
    "3.6": {
        ETCD_FEATURE_GATES: "InitialCorruptCheck=true,CompactHashCheck=true",
        ETCD_WATCH_PROGRESS_NOTIFY_INTERVAL: "5s",
    },
};

/** etcd's settings. `ETCD_INITIAL_CLUSTER` and its state are not included: `prestart` sets them at every start. */
export function etcdEnvironment({ cluster, key, birth }: EtcdMemberSpec): string {
    const address = cluster.members[key];
    const minor = minorOf(cluster.version);
    if (minor === undefined) throw new Error(`etcd ${cluster.version} is not one of ${supportedMinors.join(", ")}`);
    const metrics = [`http://127.0.0.1:${metricsPort}`];
    if (cluster.networkMetrics) metrics.push(`http://${address}:${metricsPort}`);
    return envFile({
        ETCD_NAME: memberName(cluster.name, key),
        ETCD_DATA_DIR: paths.data,
        ETCD_INITIAL_CLUSTER_TOKEN: birth.token,
        ETCD_LISTEN_PEER_URLS: peerUrl(address),
        ETCD_INITIAL_ADVERTISE_PEER_URLS: peerUrl(address),
        ETCD_LISTEN_CLIENT_URLS: `${clientUrl(address)},${clientUrl("127.0.0.1")}`,
        ETCD_ADVERTISE_CLIENT_URLS: clientUrl(address),
        ETCD_LISTEN_METRICS_URLS: metrics.join(","),
        ETCD_CERT_FILE: `${paths.pki}/server.crt`,
        ETCD_KEY_FILE: `${paths.pki}/server.key`,
        ETCD_TRUSTED_CA_FILE: `${paths.pki}/ca.crt`,
        ETCD_CLIENT_CERT_AUTH: "true",
        ETCD_PEER_CERT_FILE: `${paths.pki}/peer.crt`,
        ETCD_PEER_KEY_FILE: `${paths.pki}/peer.key`,
        ETCD_PEER_TRUSTED_CA_FILE: `${paths.pki}/peer-ca.crt`,
        ETCD_PEER_CLIENT_CERT_AUTH: "true",
        ETCD_TLS_MIN_VERSION: "TLS1.2",
        // Higher than etcd's defaults (100 and 1000), so that one slow write on a shared disk causes no election.
        ETCD_HEARTBEAT_INTERVAL: 250,
        ETCD_ELECTION_TIMEOUT: 2500,
        ETCD_QUOTA_BACKEND_BYTES: Math.round((cluster.quotaGiB ?? 4) * 2 ** 30),
        ETCD_AUTO_COMPACTION_MODE: "periodic",
        ETCD_AUTO_COMPACTION_RETENTION: "8h",
        ...byMinor[minor],
        ...cluster.extraEnvironment,
    });
}

/** The variables of the scripts. */
export function nodeEnvironment({ cluster, key, birth }: EtcdMemberSpec): string {
    const { members, name } = cluster;
    const founders = birth.founders.filter((founder) => members[founder] !== undefined);
    const isFounder = founders.includes(key);
    const window = cluster.bootstrapWindowSeconds ?? defaultBootstrapWindowSeconds;
    return envFile({
        NAME: memberName(name, key),
        PEER_URL: peerUrl(members[key]),
        CLIENT_URL: clientUrl(members[key]),
        OTHERS: Object.keys(members)
            .sort()
            .filter((other) => other !== key)
            .map((other) => clientUrl(members[other]))
            .join(" "),
        // A member that was added later must never bootstrap a cluster, even if it cannot reach any other member.
        FOUNDERS: isFounder
            ? founders.map((founder) => `${memberName(name, founder)}=${peerUrl(members[founder])}`).join(",")
            : "",
        WINDOW_END: birth.opensAt + window,
        TOKEN: birth.token,
        REMOVED_PREFIX: removedPrefix,
        HOME_DIR: paths.home,
        DATA_DIR: paths.data,
        SNAPSHOT_DIR: paths.snapshots,
        RUN_DIR: paths.run,
        PKI: paths.pki,
        BIN: paths.bin,
        KEEP_HOURLY: cluster.keepHourlySnapshots ?? 24,
        KEEP_DAILY: cluster.keepDailySnapshots ?? 7,
        DEFRAGMENT_PERCENT: cluster.defragmentPercent ?? 30,
    });
}
