import type { Artifacts } from "../artifacts";
import { type CloudConfig, placeholder } from "../cloudInit";
import { clientUrl, memberName } from "../../provider/etcd/names";

export { clientPort, clientUrl, defaultBootstrapWindowSeconds, memberName, metricsPort, peerPort, peerUrl } from "../../provider/etcd/names";

/** A certificate and its key, PEM. */
export interface KeyPair {
    readonly certificate: string;
    readonly privateKey: string;
}

/** What a member's machine holds: its own keys, and of the authorities nothing but certificates. */
export interface MemberCertificates {
    /** All trusted authorities of the client port: PEM. */
    readonly clientAuthorities: string;
    /**
     * All trusted authorities of the peer port: PEM. Others than those of the client port, else any client could speak
     * raft.
     */
    readonly peerAuthorities: string;
    /** For the client port. */
    readonly server: KeyPair;
    /** For the peer port, both ways. */
    readonly peer: KeyPair;
    /** With which the scripts of the machine ask etcd. */
    readonly client: KeyPair;
}

/** When and by whom the cluster may be founded: outputs of a `ClusterToken` and of an `EtcdFounding`. */
export interface ClusterBirth {
    readonly token: string;
    /** From when on founders may found it: seconds since 1970. */
    readonly opensAt: number;
    /** Keys of the members that were there. */
    readonly founders: readonly string[];
}

/** What all members of a cluster share, all values known. */
export interface EtcdClusterSpec {
    /** Part of the machines' names: letters, digits and hyphens. */
    readonly name: string;
    /** Member key to IPv4 address. */
    readonly members: Readonly<Record<string, string>>;
    /** Such as `3.6.14`. */
    readonly version: string;
    /** For so long after `opensAt` may founders without data start a new cluster. @default 900 */
    readonly bootstrapWindowSeconds?: number;
    /** Whether data is on a volume of its own. @default true */
    readonly dataVolume?: boolean;
    /** The most that the database may grow to. @default 4 */
    readonly quotaGiB?: number;
    /** How many hourly snapshots stay. @default 24 */
    readonly keepHourlySnapshots?: number;
    /** Of how many days the last snapshot stays. @default 7 */
    readonly keepDailySnapshots?: number;
    /** From how many percent of unused space on a member is defragmented, weekly. @default 30 */
    readonly defragmentPercent?: number;
    /** Whether metrics are served to the network: HTTP, port 2381. @default false: on the loopback only */
    readonly networkMetrics?: boolean;
    /** How often a machine looks for changes of its user data, in seconds. @default 300 */
    readonly convergeIntervalSeconds?: number;
    /** Further settings by their environment names, such as `ETCD_SNAPSHOT_COUNT`. */
    readonly extraEnvironment?: Readonly<Record<string, string>>;
    readonly artifacts?: Artifacts;
    readonly extraCloudConfig?: CloudConfig;
}

/** One member's machine. */
export interface EtcdMemberSpec {
    readonly cluster: EtcdClusterSpec;
    /** Its key in `members`. */
    readonly key: string;
    readonly birth: ClusterBirth;
    readonly certificates: MemberCertificates;
}

/** Addresses by the members' names. */
export function membersByName([cluster, members]: [string, Record<string, string>]): Record<string, string> {
    return Object.fromEntries(Object.entries(members).map(([key, address]) => [memberName(cluster, key), address]));
}

/** The client URLs of all members, in the order of their keys. */
export function endpoints(members: Readonly<Record<string, string>>): string[] {
    return Object.keys(members)
        .sort()
        .map((key) => clientUrl(members[key]));
}

/** What a certificate must say; the rest of `CertificateArgs` is the authority. */
export interface CertificateRequest {
    readonly commonName: string;
    readonly dnsNames: string[];
    readonly ipAddresses: string[];
    readonly usages: string[];
}

/**
 * The certificates of a member. `server` and `client` are signed by the client authority, `peer` by the peer authority.
 */
export function certificateRequests(
    cluster: string,
    key: string,
    address: string,
): Record<"server" | "peer" | "client", CertificateRequest> {
    const name = memberName(cluster, key);
    return {
        // etcd's gateway calls its own client port with the server certificate: a client's usage as well.
        server: {
            commonName: name,
            dnsNames: [name, "localhost"],
            ipAddresses: [address, "127.0.0.1"],
            usages: ["peer"],
        },
        // A peer's address must be among those of its certificate.
        peer: { commonName: name, dnsNames: [name], ipAddresses: [address], usages: ["peer"] },
        client: { commonName: `${name}-scripts`, dnsNames: [], ipAddresses: [], usages: ["client"] },
    };
}

/** Stand-ins of the real length, for a preview that checks the length of user data before any certificate exists. */
export function placeholderCertificates(seed: string): MemberCertificates {
    const pair = (name: string): KeyPair => ({
        certificate: placeholder("certificate", `${seed}:${name}`),
        privateKey: placeholder("privateKey", `${seed}:${name}`),
    });
    return {
        clientAuthorities: placeholder("authority", `${seed}:client`),
        peerAuthorities: placeholder("authority", `${seed}:peer`),
        server: pair("server"),
        peer: pair("peer"),
        client: pair("client"),
    };
}
