import type { Artifacts } from "../artifacts";
import type { CloudConfig, WriteFile } from "../cloudInit";

/**
 * What the renderers of this folder take: plain values, all of them known. The component class resolves its arguments,
 * certificates and addresses to these, and a preview puts placeholders of the real length where something is not known
 * yet.
 */

/** How nodes and users reach the Kubernetes API. */
export type EndpointSpec =
    /**
     * haproxy on every node, on 127.0.0.1:7443, under the name `api.<cluster>.internal`. It needs nothing of the
     * network, so it works where security groups rule, and has no single point of failure.
     */
    | { mode: "nodeLocal" }
    /** A rule of CloudStack's load balancer (isolated networks and VPCs); `host` is its public address. */
    | { mode: "cloudstackLoadBalancer"; host: string; port?: number }
    /** A name of the user's that resolves to the control planes, all of them or those that answer. */
    | { mode: "dns"; host: string; port?: number }
    /** Any other balancer that the user runs before the control planes. */
    | { mode: "external"; host: string; port?: number };

/** How pods reach each other. */
export interface PodNetworkSpec {
    /**
     * `vxlan`: Flannel over UDP 8472. `wireguard`: Flannel, encrypted, over UDP 51820. `none`: the user brings a
     * network plugin, and with `extraRules` the rules it needs; nodes are not Ready before.
     */
    backend: "vxlan" | "wireguard" | "none";
    /**
     * MTU of the machines' own network, in bytes; the backend's overhead is taken off. CloudStack networks on VXLAN
     * have 1450. @default that of the interface
     */
    mtu?: number;
}

/** What all nodes of a cluster share. */
export interface ClusterSpec {
    /** Name of the cluster; part of host names and of the API's name. */
    name: string;
    /** Such as `1.36.4`. */
    kubernetesVersion: string;
    /** Such as `2.3.4`; decides the syntax of its configuration. @default 2.3.4 */
    containerdVersion?: string;
    endpoint: EndpointSpec;
    /**
     * Node name to pinned IPv4 address of every control plane, in the order of the program. The first one keeps
     * cluster-wide objects (addons, labels) as the program says; none is needed for anything else.
     */
    controlPlanes: Record<string, string>;
    /** Addresses of pods. */
    podCidr: string;
    /** Virtual addresses of services. */
    serviceCidr: string;
    /** Suffix of the cluster's own names. @default cluster.local */
    dnsDomain?: string;
    /** The authority of the Kubernetes API, PEM. */
    caCertificate: string;
    /** Where images come from, by registry, such as `{ "docker.io": ["https://mirror.example.org"] }`. */
    registryMirrors?: Record<string, readonly string[]>;
    /** Time servers for chrony. @default the template's own */
    timeServers?: readonly string[];
    /** Where programs, packages and images come from. @default the projects' own sites, the distribution's packages */
    artifacts?: Artifacts;
    /** How often a running machine reads its user data again, in seconds. @default 300 */
    convergeIntervalSeconds?: number;
}

/** A file of a node. Mode 0600 says that it holds a secret, see `withoutSecrets`. */
export type NodeFile = WriteFile;

/** A pool as the control planes see it: which nodes it has and what is to be on their Node objects. */
export interface PoolSpec {
    /** Names of its nodes. */
    nodes: readonly string[];
    labels?: Record<string, string>;
    taints?: readonly TaintSpec[];
}

/** What keeps pods away from a node. */
export interface TaintSpec {
    key: string;
    value?: string;
    effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/**
 * A control plane. Its keys: those of the cluster's authorities (it signs its own certificates, so it can join at any
 * time and needs no token that expires), and the client key for etcd. Never a key of etcd's authorities.
 */
export interface ControlPlaneSpec {
    cluster: ClusterSpec;
    /** Name of the node: the machine's name, which is its host name. */
    nodeName: string;
    etcd: {
        /** Client URLs, `https://10.1.1.11:2379`. */
        endpoints: readonly string[];
        /** The authority of etcd's client port, PEM. */
        caCertificate: string;
        /** Client certificate of the API server, PEM. */
        clientCertificate: string;
        clientKey: string;
    };
    /** Key of `cluster.caCertificate`, PEM. */
    caKey: string;
    /** The authority of the aggregation layer, PEM. */
    frontProxyCaCertificate: string;
    frontProxyCaKey: string;
    /** Key pair that signs tokens of service accounts, PEM. */
    serviceAccountPublicKey: string;
    serviceAccountPrivateKey: string;
    /** 32 random bytes, base64: secrets are encrypted with it before etcd gets them. */
    encryptionKey: string;
    /** Key before `encryptionKey`, kept for reading while it is being changed. */
    previousEncryptionKey?: string;
    podNetwork: PodNetworkSpec;
    /** Pools by name. */
    pools: Record<string, PoolSpec>;
    /** Further names and addresses for the API server's certificate. */
    extraSans?: readonly string[];
    /** What the user adds. */
    extraCloudConfig?: CloudConfig;
}

/** A worker. It gets the cluster's certificate and a client certificate of its own, and nothing else. */
export interface WorkerSpec {
    cluster: ClusterSpec;
    /** Name of the node: the machine's name, which is its host name. */
    nodeName: string;
    /** Client certificate, CN=system:node:NAME, O=system:nodes, PEM. */
    clientCertificate: string;
    clientKey: string;
    /** The address to register; needed where a machine has several. @default the one of the default route */
    address?: string;
    /** Labels at registration; those that a kubelet may not set are left to the control planes. */
    labels?: Record<string, string>;
    /** Taints at registration. */
    taints?: readonly TaintSpec[];
    /** What the user adds. */
    extraCloudConfig?: CloudConfig;
}
