import type { Artifacts } from "../artifacts";
import type { CloudConfig, WriteFile } from "../cloudInit";

/**
 * The input of the renderers in this folder: plain values only. The component resolves its arguments, certificates and
 * addresses to these. For values that are not known yet, a preview uses placeholders of the real length.
 */

/** How nodes and users reach the Kubernetes API. */
export type EndpointSpec =
    /**
     * HAProxy on every node, on 127.0.0.1:7443, under the name `api.<cluster>.internal`. It does not depend on the
     * network's services, so it also works in networks with security groups, and it is not a single point of failure.
     */
    | { mode: "nodeLocal" }
    /** A CloudStack load balancer rule (isolated networks and VPCs); `host` is its public address. */
    | { mode: "cloudstackLoadBalancer"; host: string; port?: number }
    /** The user's own DNS name for the control planes: for all of them, or for those that are healthy. */
    | { mode: "dns"; host: string; port?: number }
    /** The user's own load balancer in front of the control planes. */
    | { mode: "external"; host: string; port?: number };

/** How pods reach each other. */
export interface PodNetworkSpec {
    /**
     * `vxlan`: Flannel over UDP 8472. `wireguard`: Flannel, encrypted, over UDP 51820. `none`: the user installs a
     * network plugin and adds the rules it needs with `extraRules`; until then nodes are not Ready.
     */
    backend: "vxlan" | "wireguard" | "none";
    /**
     * MTU of the machines' network in bytes; Flannel subtracts the overhead of its backend. CloudStack networks on
     * VXLAN have 1450. @default the interface's
     */
    mtu?: number;
}

/** The settings that all nodes of a cluster share. */
export interface ClusterSpec {
    /** Name of the cluster: the prefix of host names, and part of the API's name. */
    name: string;
    /** Such as `1.36.4`. */
    kubernetesVersion: string;
    /** Such as `2.3.4`; determines the format of containerd's configuration file. @default 2.3.4 */
    containerdVersion?: string;
    endpoint: EndpointSpec;
    /**
     * Fixed IPv4 address of each control plane by node name, in the order of the program. The first one manages
     * cluster-wide objects (addons, labels); apart from that, all are equal.
     */
    controlPlanes: Record<string, string>;
    /** The network of pods. */
    podCidr: string;
    /** The network of services' virtual addresses. */
    serviceCidr: string;
    /** The DNS domain of the cluster. @default cluster.local */
    dnsDomain?: string;
    /** The CA certificate of the cluster, PEM. */
    caCertificate: string;
    /** Mirrors by registry, such as `{ "docker.io": ["https://mirror.example.org"] }`. */
    registryMirrors?: Record<string, readonly string[]>;
    /** Time servers for chrony. @default the template's own */
    timeServers?: readonly string[];
    /** Where programs, packages and images are downloaded from. @default the projects' own sites */
    artifacts?: Artifacts;
    /** How often a running machine checks its user data for changes, in seconds. @default 300 */
    convergeIntervalSeconds?: number;
}

/** A file of a node. A file with a secret has mode 0600, see `withoutSecrets`. */
export type NodeFile = WriteFile;

/** What the control planes know of a pool: its nodes, and the labels and taints of their Node objects. */
export interface PoolSpec {
    /** Names of its nodes. */
    nodes: readonly string[];
    labels?: Record<string, string>;
    taints?: readonly TaintSpec[];
}

/** A taint: it keeps pods without a matching toleration away from a node. */
export interface TaintSpec {
    key: string;
    value?: string;
    effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/**
 * A control plane. It has the keys of the cluster's authorities, with which it signs its own certificates: it can join
 * at any time, without a token that expires. It also has a client key for etcd, but never a key of etcd's authorities.
 */
export interface ControlPlaneSpec {
    cluster: ClusterSpec;
    /** Name of the node: the machine's name, which is its host name. */
    nodeName: string;
    etcd: {
        /** Client URLs, `https://10.1.1.11:2379`. */
        endpoints: readonly string[];
        /** The CA certificate of etcd's servers, PEM. */
        caCertificate: string;
        /** Client certificate of the API server, PEM. */
        clientCertificate: string;
        clientKey: string;
    };
    /** Key of `cluster.caCertificate`, PEM. */
    caKey: string;
    /** The CA certificate of the aggregation layer, PEM. */
    frontProxyCaCertificate: string;
    frontProxyCaKey: string;
    /** Key pair that signs service account tokens, PEM. */
    serviceAccountPublicKey: string;
    serviceAccountPrivateKey: string;
    /** 32 random bytes, base64: the API server encrypts secrets with it before it stores them in etcd. */
    encryptionKey: string;
    /** The previous `encryptionKey`: kept for decryption while the key is being changed. */
    previousEncryptionKey?: string;
    podNetwork: PodNetworkSpec;
    /** Pools by name. */
    pools: Record<string, PoolSpec>;
    /** Additional names and addresses for the API server's certificate. */
    extraSans?: readonly string[];
    /** What the user adds. */
    extraCloudConfig?: CloudConfig;
}

/** A worker. It gets the cluster's CA certificate and its own client certificate and key, and no other credentials. */
export interface WorkerSpec {
    cluster: ClusterSpec;
    /** Name of the node: the machine's name, which is its host name. */
    nodeName: string;
    /** Client certificate, CN=system:node:NAME, O=system:nodes, PEM. */
    clientCertificate: string;
    clientKey: string;
    /**
     * The address of the Node object; needed if a machine has several. @default the address of the interface with the
     * default route
     */
    address?: string;
    /** Labels at registration. The control planes set those that a kubelet may not set itself. */
    labels?: Record<string, string>;
    /** Taints at registration. */
    taints?: readonly TaintSpec[];
    /** What the user adds. */
    extraCloudConfig?: CloudConfig;
}
