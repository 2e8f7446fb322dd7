import type * as pulumi from "@pulumi/pulumi";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import type { ArtifactsArgs } from "../artifacts";
import type { CloudConfigArgs } from "../cloudInit";
import type { DataVolumeArgs } from "../machineGroup/args";
import type { PlacementArgs } from "../placement";

/**
 * What defines a cluster. Names of members and pools must be plain values, since resources are named after them;
 * everything else may be an output.
 */
export interface RecipeArgs {
    /**
     * Such as `1.36.4`. A later version of the same or the next minor version reinstalls the control planes and then
     * the workers, one after another; earlier ones are refused at preview. A cluster keeps the version that it was
     * created with until the program sets another.
     * @default "1.36.4", or the cluster's version
     */
    kubernetesVersion?: pulumi.Input<string>;
    /** Such as `2.3.4`. A change applies to machines when they are created or reinstalled. @default "2.3.4" */
    containerdVersion?: pulumi.Input<string>;
    /** The control plane machines. @example { members: { a: "10.1.1.21" }, serviceOffering: "Large Instance" } */
    controlPlane: ControlPlaneArgs;
    /** Worker pools by name. @default none @example { general: { count: 4, serviceOffering: "Large Instance" } } */
    pools?: { [name: string]: PoolArgs };
    /**
     * How nodes reach the API. It cannot be changed on a running cluster.
     *
     * @default `{ mode: "nodeLocal" }`
     * @example { mode: "dns", host: "api.example.com" }
     */
    endpoint?: EndpointArgs;
    /**
     * The network of the machines; only used to check other addresses against it.
     *
     * @default not checked
     * @example "10.1.1.0/24"
     */
    networkCidr?: pulumi.Input<string>;
    /**
     * The network of pods; each node gets a /24 of it. It cannot be changed on a running cluster.
     * @default "10.244.0.0/16"
     */
    podCidr?: pulumi.Input<string>;
    /**
     * The network of services' virtual addresses. It cannot be changed on a running cluster.
     * @default "10.96.0.0/16"
     */
    serviceCidr?: pulumi.Input<string>;
    /** The DNS domain of the cluster. It cannot be changed on a running cluster. @default "cluster.local" */
    dnsDomain?: pulumi.Input<string>;
    /**
     * How pods reach each other. It cannot be changed on a running cluster.
     *
     * @default `{ backend: "vxlan" }`
     * @example { backend: "wireguard" }
     */
    podNetwork?: PodNetworkArgs;
    /**
     * Networks from which `pulumi up` or `kubectl` connects: opens port 6443 of control planes. (For etcd, set
     * `operatorCidrs` of the `EtcdCluster`.) @default none
     * @example ["203.0.113.0/24"]
     */
    operatorCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may reach services of type NodePort on workers. @default none @example ["0.0.0.0/0"] */
    nodePortCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Networks that may scrape metrics of machines: port 9100. (For etcd: `metricsCidrs` of `EtcdCluster`.)
     *
     * @default none
     * @example ["10.99.1.0/24"]
     */
    monitoringCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may connect to the nodes with SSH. @default none @example ["203.0.113.0/24"] */
    sshCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Additional names and addresses for the API server's certificate.
     *
     * @default none
     * @example ["api.example.com", "203.0.113.10"]
     */
    extraSans?: pulumi.Input<pulumi.Input<string>[]>;
    /** Mirrors by registry, such as `{ "docker.io": ["https://mirror.example.org"] }`. @default none */
    registryMirrors?: pulumi.Input<{ [registry: string]: pulumi.Input<pulumi.Input<string>[]> }>;
    /** Time servers. @default the template's own @example ["ntp.example.org"] */
    timeServers?: pulumi.Input<pulumi.Input<string>[]>;
    /** How often a machine checks its user data for changes, in seconds. @default 300 */
    convergeIntervalSeconds?: pulumi.Input<number>;
    /**
     * Where machines download programs, packages and images from.
     *
     * @default the projects' own sites
     * @example { mirror: "http://10.1.1.1/artifacts" }
     */
    artifacts?: pulumi.Input<ArtifactsArgs>;
    /** The longest user data that the cloud accepts, in characters of base64. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
}

/** What `pulumi up` waits for: nothing, API servers, nodes as well, or cluster DNS and the pod network as well. */
export type KubernetesWaitFor = "none" | "api" | "nodes" | "addons";

/** The control plane machines. */
export interface ControlPlaneArgs {
    /**
     * IPv4 addresses by member name; a machine is named `<cluster>-<member>`. One or three are usual: the API is
     * available while one of them runs. The addresses are fixed, so that replacing a machine changes nothing elsewhere.
     *
     * @example { a: "10.1.1.21", b: "10.1.1.22", c: "10.1.1.23" }
     */
    members: { [name: string]: pulumi.Input<string> };
    /** Name or id. kubeadm requires at least 2 CPUs and 1,700 MB. */
    serviceOffering: pulumi.Input<string>;
    /** Additional cloud-init configuration of these machines. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
}

/** A pool of identical workers. */
export interface PoolArgs {
    /** Number of nodes, named `<cluster>-<pool>-0` and so on. Either this or `nodes`. @example 4 */
    count?: number;
    /**
     * Names of nodes, `<cluster>-<pool>-<name>`: any of them can be removed, not only the last.
     *
     * @example ["a", "b"]
     */
    nodes?: string[];
    /** Name or id. */
    serviceOffering: pulumi.Input<string>;
    /**
     * How many nodes may be away at once, of all pools, when one of this pool is stopped, reinstalled or removed. Not
     * used for control planes, which change one at a time.
     *
     * @default 1
     * @example 2
     */
    maxUnavailable?: pulumi.Input<number>;
    /** Labels of its Node objects; changed on running nodes. @default none @example { workload: "batch" } */
    labels?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
    /**
     * Taints of its Node objects; changed on running nodes.
     *
     * @default none
     * @example [{ key: "dedicated", value: "batch", effect: "NoSchedule" }]
     */
    taints?: pulumi.Input<pulumi.Input<TaintArgs>[]>;
    /** Additional cloud-init configuration of these machines. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
}

/** A taint: it keeps pods without a matching toleration away from a node. */
export interface TaintArgs {
    /** Its key, such as `dedicated`. */
    key: pulumi.Input<string>;
    /** The value that tolerations are compared with. @default none @example "batch" */
    value?: pulumi.Input<string>;
    /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. @example "NoSchedule" */
    effect: pulumi.Input<string>;
}

/** How nodes reach the API. */
export interface EndpointArgs {
    /**
     * `nodeLocal`: a load balancer on every node; works in every network, including those with security groups.
     * `cloudstackLoadBalancer`: a load balancer rule on a public address of an isolated network or VPC.
     * `dns`: your own name that resolves to the control planes.
     * `external`: your own load balancer in front of them.
     *
     * @default "nodeLocal"
     */
    mode?: pulumi.Input<string>;
    /** Name or address, for all modes but `nodeLocal`. @example "api.example.com" */
    host?: pulumi.Input<string>;
    /** The API's port, for all modes but `nodeLocal`. @default 6443 */
    port?: pulumi.Input<number>;
}

/** How pods reach each other. */
export interface PodNetworkArgs {
    /** `vxlan`, `wireguard` (encrypted), or `none`: you install a network plugin and add its rules. @default "vxlan" */
    backend?: pulumi.Input<string>;
    /**
     * MTU of the machines' network in bytes; CloudStack networks on VXLAN have 1450.
     *
     * @default the interface's
     * @example 1450
     */
    mtu?: pulumi.Input<number>;
}

/** The connection to etcd: an `EtcdCluster`, or an etcd cluster that is managed elsewhere. */
export interface EtcdConnectionArgs {
    /** Client URLs, such as `https://10.1.1.11:2379`. */
    endpoints: pulumi.Input<pulumi.Input<string>[]>;
    /** The CA certificate of etcd's servers, PEM. */
    caCertificate: pulumi.Input<string>;
    /** The API servers' client certificate, PEM. */
    clientCertificate: pulumi.Input<string>;
    /** Its key, PEM. */
    clientKey: pulumi.Input<string>;
    /**
     * The id of the members' security group, to which rules for the control plane are added.
     *
     * @default none: the user opens 2379
     */
    securityGroupId?: pulumi.Input<string>;
    /** The name of that group, which may ping the control plane. @default none */
    securityGroupName?: pulumi.Input<string>;
}

/** Additional rules, beside those that a cluster needs. */
export interface ExtraRulesArgs {
    /** Of the control plane's group. @default none @example [{ ports: "9100", cidrs: ["10.99.1.0/24"] }] */
    controlPlane?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /** Of the workers' group. @default none @example [{ ports: "30443", cidrs: ["0.0.0.0/0"] }] */
    workers?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
}

/** The arguments of a `KubernetesCluster`. */
export interface KubernetesClusterArgs extends RecipeArgs, PlacementArgs {
    /** The etcd cluster: an {@link EtcdCluster}, or the connection to another one. */
    etcd: EtcdConnectionArgs;
    /**
     * The cluster's name: machines are named `<name>-<member>` and `<name>-<pool>-<key>`.
     *
     * @default `<stack>-<resource name>`
     */
    name?: string;
    /** Additional rules by group. @default none */
    extraRules?: ExtraRulesArgs;
    /** A data disk for each worker. @default none */
    workerVolume?: DataVolumeArgs;
    /**
     * `api`: `pulumi up` ends when every API server is ready; `nodes`: and every node is Ready; `addons`: and cluster
     * DNS, kube-proxy and the pod network are available. With all three, a node is drained before its machine is
     * stopped, reinstalled or removed, such a change begins only while all other nodes are Ready, and the next machine
     * waits until the node is Ready again. The runner connects to port 6443 of the control planes, so its address must
     * be in `operatorCidrs`. `none`: the API is not asked; machines change one at a time, without draining and waiting.
     *
     * @default "addons" ("api" if `podNetwork.backend` is `none`) if `operatorCidrs` is not empty, else "none"
     */
    waitFor?: KubernetesWaitFor;
    /** How long each wait for the API, nodes and addons may take, in seconds. @default 900 */
    waitTimeoutSeconds?: pulumi.Input<number>;
    /**
     * How long the eviction of a node's pods may take, in seconds. Disruption budgets are kept: where one forbids an
     * eviction for so long, the change ends with an error that names the pod, and the node is uncordoned.
     *
     * @default 600
     */
    drainTimeoutSeconds?: pulumi.Input<number>;
    /**
     * Whether secrets are removed from a machine's user data in CloudStack when its node is Ready. A reinstallation by
     * `pulumi up` sends them again; after a reinstallation by other means, `pulumi up --replace` of the machine does.
     *
     * @default true if `waitFor` is `nodes` or `addons`
     */
    scrubUserData?: boolean;
    /**
     * Names of nodes, as `kubectl get nodes` shows them, that may be not Ready when others change, such as one that the
     * change repairs.
     *
     * @default none
     * @example ["dev-k8s-general-1"]
     */
    allowNotReady?: pulumi.Input<pulumi.Input<string>[]>;
}
