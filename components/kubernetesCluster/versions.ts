import type { EndpointSpec } from "./spec";

/** What depends on the minor version of Kubernetes. */
export interface Release {
    /** The newest patch that this package knows. */
    readonly latest: string;
    /** Tag of the sandbox image that kubeadm of this version expects. */
    readonly pause: string;
}

/**
 * Supported minor versions, oldest first. The newest is the default. The one before it allows upgrades, since a control
 * plane cannot skip minor versions.
 *
 * The same files work with both: kubeadm v1beta4, kubelet's drop-in directory, structured authentication v1 and
 * kube-proxy's nftables mode are stable in 1.35 and 1.36. This table has the differences.
 */
export const releases: Readonly<Record<string, Release>> = {
    "1.35": { latest: "1.35.8", pause: "3.10.1" },
    "1.36": { latest: "1.36.4", pause: "3.10.2" },
};

/** @default of `containerdVersion`. */
export const defaultContainerdVersion = "2.3.4";

/** Images of the pod network, the same as in Flannel's manifest of this release. */
export const flannelImages = {
    flannel: "ghcr.io/flannel-io/flannel:v0.28.9",
    cniPlugin: "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3",
} as const;

/** What kubelets and API servers offer with TLS 1.2; those of TLS 1.3 cannot be chosen. */
export const cipherSuites = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
] as const;

/** `1.36` of `1.36.4`. */
export function minorOf(version: string): string {
    return version.split(".").slice(0, 2).join(".");
}

/** The release that a version belongs to, or undefined if it is not supported. */
export function releaseOf(version: string): Release | undefined {
    return /^\d+\.\d+\.\d+$/.test(version) ? releases[minorOf(version)] : undefined;
}

/** Port of HAProxy on every node. */
export const nodeLocalPort = 7443;
/** Port of the API server. */
export const apiPort = 6443;

/** The `host:port` at which nodes reach the API: kubeadm's `controlPlaneEndpoint`. */
export function apiEndpoint(cluster: string, endpoint: EndpointSpec): string {
    return endpoint.mode === "nodeLocal"
        ? `${apiName(cluster)}:${nodeLocalPort}`
        : `${endpoint.host}:${endpoint.port ?? apiPort}`;
}

/** The name that resolves to 127.0.0.1 on every node of a cluster with a node-local endpoint. */
export function apiName(cluster: string): string {
    return `api.${cluster}.internal`;
}
