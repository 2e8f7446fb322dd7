import type * as pulumi from "@pulumi/pulumi";
import type { Artifacts } from "../artifacts";
import { type CloudConfig, placeholder } from "../cloudInit";
import { clientUrl, memberName } from "../../provider/etcd/names";
import type { RecipeArguments } from "./args";

export {
    clientPort,
    clientUrl,
    defaultBootstrapWindowSeconds,
    memberName,
    metricsPort,
    peerPort,
    peerUrl,
} from "../../provider/etcd/names";

/** A certificate and its key, PEM. */
export interface KeyPair {
    readonly certificate: string;
    readonly privateKey: string;
}

/** The certificates and keys on a member's machine. The keys of the authorities are not among them. */
export interface MemberCertificates {
    /** All trusted CA certificates of the client port, PEM. */
    readonly clientAuthorities: string;
    /**
     * All trusted CA certificates of the peer port, PEM. They differ from those of the client port, since otherwise any
     * client could connect as a peer.
     */
    readonly peerAuthorities: string;
    /** For the client port. */
    readonly server: KeyPair;
    /** For the peer port, as server and client. */
    readonly peer: KeyPair;
    /** For the scripts of the machine. */
    readonly client: KeyPair;
}

/** When the cluster may be bootstrapped, and by which members: outputs of a `ClusterToken` and an `EtcdFounding`. */
export interface ClusterBirth {
    readonly token: string;
    /** The start of the bootstrap window, in seconds since 1970. */
    readonly opensAt: number;
    /** Keys of the members that the cluster was created with. */
    readonly founders: readonly string[];
}

/** The settings that all members of a cluster share: the arguments as plain values, and what follows from others. */
export interface EtcdClusterSpec extends Readonly<
    Omit<pulumi.Unwrap<RecipeArguments>, "artifacts" | "extraCloudConfig">
> {
    /** Part of the machines' names: letters, digits and hyphens. */
    readonly name: string;
    /** Such as `3.6.14`. */
    readonly version: string;
    /** Whether data is on a separate volume. @default true */
    readonly dataVolume?: boolean;
    /**
     * Whether metrics are served on the network too: HTTP, port 2381. @default false: on the loopback interface only
     */
    readonly networkMetrics?: boolean;
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

/** Addresses of the members by name. */
export function membersByName([cluster, members]: [string, Record<string, string>]): Record<string, string> {
    return Object.fromEntries(Object.entries(members).map(([key, address]) => [memberName(cluster, key), address]));
}

/** The client URLs of all members, in the order of their keys. */
export function endpoints(members: Readonly<Record<string, string>>): string[] {
    return Object.keys(members)
        .sort()
        .map((key) => clientUrl(members[key]));
}

/** The subject and usages of a certificate; the rest of `CertificateArgs` is the authority. */
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
        // etcd's gRPC gateway uses the server certificate as its client certificate, so that needs both usages:
        // https://github.com/etcd-io/etcd/issues/9785
        server: {
            commonName: name,
            dnsNames: [name, "localhost"],
            ipAddresses: [address, "127.0.0.1"],
            usages: ["peer"],
        },
        // etcd requires a peer's address to be in its certificate.
        peer: { commonName: name, dnsNames: [name], ipAddresses: [address], usages: ["peer"] },
        client: { commonName: `${name}-scripts`, dnsNames: [], ipAddresses: [], usages: ["client"] },
    };
}

/** Placeholders of the real length: a preview uses them to check the length of user data. */
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
