import type * as pulumi from "@pulumi/pulumi";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import type { ArtifactsArgs } from "../artifacts";
import type { CloudConfigArgs } from "../cloudInit";
import type { DataVolumeArgs } from "../machineGroup/args";
import type { PlacementArgs } from "../placement";

/**
 * What decides how a cluster looks. Names of members and pools must be plain values, since resources are named after
 * them; everything else may be an output.
 */
export interface RecipeArgs {
    /**
     * Such as `1.36.4`. A cluster keeps the version that it was made with: another one is refused at preview, since
     * upgrading a running cluster is not supported yet. @default "1.36.4", or what the cluster has
     */
    kubernetesVersion?: pulumi.Input<string>;
    /** Such as `2.3.4`. Another one reaches a machine when it is made or installed anew. @default "2.3.4" */
    containerdVersion?: pulumi.Input<string>;
    /** The machines that run the API. @example { members: { a: "10.1.1.21" }, serviceOffering: "Large Instance" } */
    controlPlane: ControlPlaneArgs;
    /** Worker pools by name. @default none @example { general: { count: 4, serviceOffering: "Large Instance" } } */
    pools?: { [name: string]: PoolArgs };
    /**
     * How nodes reach the API. A running cluster takes no other.
     *
     * @default `{ mode: "nodeLocal" }`
     * @example { mode: "dns", host: "api.example.com" }
     */
    endpoint?: EndpointArgs;
    /**
     * Addresses of the machines' network; only used to check the others against it.
     *
     * @default not checked
     * @example "10.1.1.0/24"
     */
    networkCidr?: pulumi.Input<string>;
    /** Addresses of pods; a /24 of it for each node. A running cluster takes no other. @default "10.244.0.0/16" */
    podCidr?: pulumi.Input<string>;
    /** Virtual addresses of services. A running cluster takes no other. @default "10.96.0.0/16" */
    serviceCidr?: pulumi.Input<string>;
    /** Suffix of the cluster's own names. A running cluster takes no other. @default "cluster.local" */
    dnsDomain?: pulumi.Input<string>;
    /**
     * How pods reach each other. A running cluster takes no other backend.
     *
     * @default `{ backend: "vxlan" }`
     * @example { backend: "wireguard" }
     */
    podNetwork?: PodNetworkArgs;
    /**
     * Networks of whoever runs `pulumi up` or `kubectl`: opens 6443 of control planes. (For etcd, give them to the
     * `EtcdCluster`, whose group it is.) @default none
     * @example ["203.0.113.0/24"]
     */
    operatorCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may reach services of type NodePort on workers. @default none @example ["0.0.0.0/0"] */
    nodePortCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Networks that may scrape metrics of machines: 9100. (Those of etcd: `metricsCidrs` of `EtcdCluster`.)
     *
     * @default none
     * @example ["10.99.1.0/24"]
     */
    monitoringCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /** Networks that may use ssh on the nodes. @default none @example ["203.0.113.0/24"] */
    sshCidrs?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * Further names and addresses for the API server's certificate.
     *
     * @default none
     * @example ["api.example.com", "203.0.113.10"]
     */
    extraSans?: pulumi.Input<pulumi.Input<string>[]>;
    /** Mirrors by registry, such as `{ "docker.io": ["https://mirror.example.org"] }`. @default none */
    registryMirrors?: pulumi.Input<{ [registry: string]: pulumi.Input<pulumi.Input<string>[]> }>;
    /** Time servers. @default the template's own @example ["ntp.example.org"] */
    timeServers?: pulumi.Input<pulumi.Input<string>[]>;
    /** How often a machine looks for changes of its user data, in seconds. @default 300 */
    convergeIntervalSeconds?: pulumi.Input<number>;
    /**
     * Where machines get programs, packages and images from.
     *
     * @default the projects' own sites
     * @example { mirror: "http://10.1.1.1/artifacts" }
     */
    artifacts?: pulumi.Input<ArtifactsArgs>;
    /** The most characters of base64 that the cloud takes as user data. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
}

/** The machines that run the API. */
export interface ControlPlaneArgs {
    /**
     * Addresses (IPv4) by member name; a machine is named `<cluster>-<member>`. One or three are usual: the API is up
     * while one of them is. The addresses are pinned, so that a machine that is made anew changes nothing elsewhere.
     *
     * @example { a: "10.1.1.21", b: "10.1.1.22", c: "10.1.1.23" }
     */
    members: { [name: string]: pulumi.Input<string> };
    /** Name or id. kubeadm asks for 2 CPUs and 1,700 MB at least. */
    serviceOffering: pulumi.Input<string>;
    /** What these machines get beside it. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
}

/** Workers that are alike. */
export interface PoolArgs {
    /** Number of nodes, named `<cluster>-<pool>-0` and so on. Either this or `nodes`. @example 4 */
    count?: number;
    /**
     * Names of nodes, `<cluster>-<pool>-<name>`: any of them can be taken out, not only the last.
     *
     * @example ["a", "b"]
     */
    nodes?: string[];
    /** Name or id. */
    serviceOffering: pulumi.Input<string>;
    /** Labels of its Node objects; changed on running nodes. @default none @example { workload: "batch" } */
    labels?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
    /**
     * Taints of its Node objects; changed on running nodes.
     *
     * @default none
     * @example [{ key: "dedicated", value: "batch", effect: "NoSchedule" }]
     */
    taints?: pulumi.Input<pulumi.Input<TaintArgs>[]>;
    /** What these machines get beside it. @default none @example { packages: ["htop"] } */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
}

/** What keeps pods away from a node unless they tolerate it. */
export interface TaintArgs {
    /** Its name, such as `dedicated`. */
    key: pulumi.Input<string>;
    /** What a toleration compares with. @default none @example "batch" */
    value?: pulumi.Input<string>;
    /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. @example "NoSchedule" */
    effect: pulumi.Input<string>;
}

/** How nodes reach the API. */
export interface EndpointArgs {
    /**
     * `nodeLocal`: a balancer on every node; works in every network, and is the one for security groups.
     * `cloudstackLoadBalancer`: a rule on a public address of an isolated network or VPC.
     * `dns`: a name of yours that resolves to the control planes.
     * `external`: a balancer of yours before them.
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
    /** `vxlan`, `wireguard` (encrypted), or `none`: you bring a network plugin, and its rules. @default "vxlan" */
    backend?: pulumi.Input<string>;
    /**
     * MTU of the machines' network in bytes; CloudStack networks on VXLAN have 1450.
     *
     * @default the interface's
     * @example 1450
     */
    mtu?: pulumi.Input<number>;
}

/** The database of a cluster: an `EtcdCluster`, or one that is run elsewhere. */
export interface EtcdConnectionArgs {
    /** Client URLs, such as `https://10.1.1.11:2379`. */
    endpoints: pulumi.Input<pulumi.Input<string>[]>;
    /** The authority of the servers' certificates, PEM. */
    caCertificate: pulumi.Input<string>;
    /** The API servers' certificate, PEM. */
    clientCertificate: pulumi.Input<string>;
    /** Its key, PEM. */
    clientKey: pulumi.Input<string>;
    /**
     * The id of the members' security group, which gets the rules that let the control plane in.
     *
     * @default none: the user opens 2379
     */
    securityGroupId?: pulumi.Input<string>;
    /** The name of that group, which may ping the control plane. @default none */
    securityGroupName?: pulumi.Input<string>;
}

/** Rules of the user's, beside those that a cluster needs. */
export interface ExtraRulesArgs {
    /** Of the control plane's group. @default none @example [{ ports: "9100", cidrs: ["10.99.1.0/24"] }] */
    controlPlane?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
    /** Of the workers' group. @default none @example [{ ports: "30443", cidrs: ["0.0.0.0/0"] }] */
    workers?: pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;
}

/** The arguments of a `KubernetesCluster`. */
export interface KubernetesClusterArgs extends RecipeArgs, PlacementArgs {
    /** The database: an {@link EtcdCluster}, or the like. */
    etcd: EtcdConnectionArgs;
    /**
     * The cluster's name: machines are named `<name>-<member>` and `<name>-<pool>-<key>`.
     *
     * @default `<stack>-<resource name>`
     */
    name?: string;
    /** Further rules by group. @default none */
    extraRules?: ExtraRulesArgs;
    /** A data disk for each worker. @default none */
    workerVolume?: DataVolumeArgs;
}
