import type { EndpointSpec } from "./spec";

/** What goes with a minor version of Kubernetes. */
export interface Release {
    /** The newest patch that this package knows. */
    readonly latest: string;
    /** Sandbox image that this version's kubeadm and containerd agree on. */
    readonly pause: string;
}

/**
 * Supported minor versions, oldest first: the newest is the default, the one before it is there to upgrade from (the
 * control plane moves one minor version at a time).
 *
 * Both read the same files: kubeadm v1beta4, kubelet's drop-in folder, structured authentication v1 and kube-proxy's
 * nftables mode are stable in 1.35 as in 1.36. What differs is in this table.
 */
export const releases: Readonly<Record<string, Release>> = {
    "1.35": { latest: "1.35.8", pause: "3.10.1" },
    "1.36": { latest: "1.36.4", pause: "3.10.2" },
};

/** @default of `containerdVersion`. */
export const defaultContainerdVersion = "2.3.4";

/** Images of the pod network. Flannel's own manifest of that release names the same two. */
export const flannelImages = {
    flannel: "ghcr.io/flannel-io/flannel:v0.28.9",
    cniPlugin: "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3",
} as const;

/** `1.36` of `1.36.4`. */
export function minorOf(version: string): string {
    return version.split(".").slice(0, 2).join(".");
}

/** What goes with a version, or undefined where it is not supported. */
export function releaseOf(version: string): Release | undefined {
    return /^\d+\.\d+\.\d+$/.test(version) ? releases[minorOf(version)] : undefined;
}

/** Port of the balancer on every node. */
export const nodeLocalPort = 7443;
/** Port of the API server itself. */
export const apiPort = 6443;

/** `host:port` under which every node reaches the API; kubeadm's `controlPlaneEndpoint`. */
export function apiEndpoint(cluster: string, endpoint: EndpointSpec): string {
    return endpoint.mode === "nodeLocal"
        ? `${apiName(cluster)}:${nodeLocalPort}`
        : `${endpoint.host}:${endpoint.port ?? apiPort}`;
}

/** The name that stands for 127.0.0.1 on every node of a cluster with a node-local endpoint. */
export function apiName(cluster: string): string {
    return `api.${cluster}.internal`;
}
