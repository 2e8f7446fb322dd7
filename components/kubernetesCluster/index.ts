import * as pulumi from "@pulumi/pulumi";
import { defaultName } from "../../provider/resource";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import { Certificate, CertificateAuthority, RandomSecret, SigningKeyPair } from "../certificates";
import { type CloudConfig, renderUserData } from "../cloudInit";
import { type DataVolumeArgs, type GroupMachineArgs, MachineGroup } from "../machineGroup";
import { type PlacementArgs, placementOf } from "../placement";
import { throwProblems } from "../problems";
import type { KubernetesClusterArgs as RecipeArgs, PoolArgs } from "./args";
import { checkKubernetesArgs } from "./check";
import { makeGroups } from "./groups";
import { renderKubeconfig, renderKubeconfigs } from "./kubeconfig";
import { controlPlaneName, poolNodeNames } from "./names";
import { defaultCidrs } from "./network";
import { renderControlPlane, renderWorker } from "./render";
import type { ClusterSpec, EndpointSpec, PodNetworkSpec, TaintSpec } from "./spec";
import { apiPort, defaultKubernetesVersion } from "./versions";

export type { ControlPlaneArgs, EndpointArgs, PodNetworkArgs, PoolArgs, TaintArgs } from "./args";

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
    /** The id of the members' security group, which gets the rules that let the control plane in. @default none: the user opens 2379 */
    securityGroupId?: pulumi.Input<string>;
    /** The name of that group. */
    securityGroupName?: pulumi.Input<string>;
}

/** The arguments of a {@link KubernetesCluster}. */
export interface KubernetesClusterArgs extends RecipeArgs, PlacementArgs {
    /** The database: an {@link EtcdCluster}, or the like. */
    etcd: EtcdConnectionArgs;
    /** The cluster's name, a plain text: machines are named `<name>-<member>` and `<name>-<pool>-<key>`. @default `<stack>-<resource name>` */
    name?: string;
    /** Further rules by group. @default none */
    extraRules?: { controlPlane?: pulumi.Input<SecurityGroupRule>[]; workers?: pulumi.Input<SecurityGroupRule>[] };
    /** A data disk for each worker. @default none */
    workerVolume?: DataVolumeArgs;
}

/**
 * A Kubernetes cluster on an external etcd: kubeadm's control plane without a first node that may not be lost, workers that join with a
 * certificate of their own, an API endpoint on every node, Flannel, encryption at rest, audit log, Pod Security.
 *
 * @example One control plane and four workers
 * ```ts
 * const etcd = new cloudstack.EtcdCluster("etcd", {
 *     members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
 *     serviceOffering: "Medium Instance",
 *     template: "Debian 12",
 * });
 * const cluster = new cloudstack.KubernetesCluster("k8s", {
 *     etcd,
 *     template: "Debian 12",
 *     controlPlane: { members: { a: "10.1.1.21" }, serviceOffering: "Large Instance" },
 *     pools: { general: { count: 4, serviceOffering: "Large Instance" } },
 *     operatorCidrs: ["203.0.113.0/24"],
 * });
 * export const kubeconfig = cluster.kubeconfig;
 * ```
 */
export class KubernetesCluster extends pulumi.ComponentResource {
    /** The URL of the API for whoever is outside: the first control plane's, or the endpoint's name. */
    declare readonly endpoint: pulumi.Output<string>;
    /** The cluster's authority, PEM. */
    declare readonly caCertificate: pulumi.Output<string>;
    /** For `kubectl` and `@pulumi/kubernetes`. Secret. */
    declare readonly kubeconfig: pulumi.Output<string>;
    /** One per control plane, by name: for when the first does not answer. Secret. */
    declare readonly kubeconfigs: pulumi.Output<Record<string, string>>;
    /** Names and addresses of all nodes. */
    declare readonly nodes: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: KubernetesClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        const cluster = args.name ?? defaultName(pulumi.getStack(), name);
        throwProblems(`KubernetesCluster "${name}"`, checkKubernetesArgs(cluster, args));
        super("cloudstack:index:KubernetesCluster", name, {}, opts);
        const child = { parent: this };
        const groups = args.securityGroups === false ? undefined : makeGroups(name, cluster, args, child);
        const authority = new CertificateAuthority(name, { commonName: `${cluster} Kubernetes` }, child);
        const spec = clusterSpec(cluster, args, authority);
        // Machines with pinned addresses come first: CloudStack might give theirs to one that takes any.
        const etcdFirst = pulumi.Resource.isInstance(args.etcd) ? [args.etcd] : [];
        const controlPlane = new MachineGroup(
            `${name}-control-plane`,
            {
                ...placementOf(args),
                machines: controlPlaneMachines(name, cluster, args, authority, spec, child),
                serviceOffering: args.controlPlane.serviceOffering,
                userDataMaxLength: args.userDataMaxLength,
                onTemplateChange: "reinstall",
                ordered: true,
                ...(groups === undefined ? {} : { securityGroups: [groups.controlPlane.id] }),
            },
            { ...child, dependsOn: etcdFirst },
        );
        const pools = Object.entries(args.pools ?? {}).map(
            ([pool, poolArgs]) =>
                new MachineGroup(
                    `${name}-${pool}`,
                    {
                        ...placementOf(args),
                        machines: poolMachines(name, cluster, pool, poolArgs, args, authority, spec, child),
                        serviceOffering: poolArgs.serviceOffering,
                        dataVolume: args.workerVolume,
                        userDataMaxLength: args.userDataMaxLength,
                        onTemplateChange: "reinstall",
                        ...(groups === undefined ? {} : { securityGroups: [groups.workers.id] }),
                    },
                    { ...child, dependsOn: [controlPlane] },
                ),
        );
        const outputs = {
            ...access(name, cluster, authority, spec, child),
            caCertificate: authority.bundle,
            nodes: pulumi.all([controlPlane, ...pools].map(({ names, addresses }) => pulumi.all([names, addresses]))).apply((parts) =>
                Object.fromEntries(parts.flatMap(([names, addresses]) => Object.keys(names).map((key) => [names[key], addresses[key]]))),
            ),
        };
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
    }
}

/** What all nodes share, once it is known. */
function clusterSpec(cluster: string, args: KubernetesClusterArgs, authority: CertificateAuthority): pulumi.Output<ClusterSpec> {
    const { kubernetesVersion, containerdVersion, endpoint, podCidr, serviceCidr, dnsDomain, registryMirrors, timeServers, artifacts } = args;
    return pulumi
        .output({ kubernetesVersion, containerdVersion, endpoint, podCidr, serviceCidr, dnsDomain, registryMirrors, timeServers, artifacts, members: args.controlPlane.members, caCertificate: authority.bundle })
        .apply(({ members, ...values }) => ({
            ...values,
            name: cluster,
            kubernetesVersion: values.kubernetesVersion ?? defaultKubernetesVersion,
            endpoint: { mode: "nodeLocal", ...values.endpoint } as EndpointSpec,
            podCidr: values.podCidr ?? defaultCidrs.podCidr,
            serviceCidr: values.serviceCidr ?? defaultCidrs.serviceCidr,
            controlPlanes: Object.fromEntries(Object.entries(members).map(([member, address]) => [controlPlaneName(cluster, member), address])),
        }));
}

/** User data of a node; secret, since it holds the node's keys. */
function userData(args: KubernetesClusterArgs, subject: string, document: pulumi.Output<CloudConfig>): pulumi.Output<string> {
    return pulumi
        .all([document, args.userDataMaxLength])
        .apply(([config, maxLength]) => renderUserData(config, { maxLength, subject: `user data of ${subject}` }).base64);
}

function signedBy(authority: CertificateAuthority) {
    return { caCertificate: authority.certificate, caPrivateKey: authority.privateKey };
}

function controlPlaneMachines(
    name: string,
    cluster: string,
    args: KubernetesClusterArgs,
    authority: CertificateAuthority,
    spec: pulumi.Output<ClusterSpec>,
    opts: pulumi.CustomResourceOptions,
): Record<string, GroupMachineArgs> {
    const frontProxy = new CertificateAuthority(`${name}-front-proxy`, { commonName: `${cluster} front proxy` }, opts);
    const serviceAccounts = new SigningKeyPair(`${name}-service-accounts`, {}, opts);
    const encryption = new RandomSecret(`${name}-encryption`, { bytes: 32 }, opts);
    const { endpoints, caCertificate, clientCertificate, clientKey } = args.etcd;
    const shared = pulumi.output({
        cluster: spec,
        etcd: { endpoints, caCertificate, clientCertificate, clientKey },
        caKey: authority.privateKey,
        frontProxyCaCertificate: frontProxy.certificate,
        frontProxyCaKey: frontProxy.privateKey,
        serviceAccountPublicKey: serviceAccounts.publicKey,
        serviceAccountPrivateKey: serviceAccounts.privateKey,
        encryptionKey: encryption.value,
        podNetwork: pulumi.output(args.podNetwork).apply((network) => ({ backend: "vxlan", ...network }) as PodNetworkSpec),
        extraSans: args.extraSans,
        pools: Object.fromEntries(
            Object.entries(args.pools ?? {}).map(([pool, poolArgs]) => [pool, { nodes: Object.values(poolNodeNames(cluster, pool, poolArgs)), ...marks(poolArgs) }]),
        ),
    });
    return Object.fromEntries(
        Object.entries(args.controlPlane.members).map(([member, ipAddress]) => {
            const nodeName = controlPlaneName(cluster, member);
            const document = shared.apply((values) => renderControlPlane({ ...values, nodeName }));
            return [member, { name: nodeName, ipAddress, userDataBase64: userData(args, nodeName, document) }];
        }),
    );
}

function poolMachines(
    name: string,
    cluster: string,
    pool: string,
    poolArgs: PoolArgs,
    args: KubernetesClusterArgs,
    authority: CertificateAuthority,
    spec: pulumi.Output<ClusterSpec>,
    opts: pulumi.CustomResourceOptions,
): Record<string, GroupMachineArgs> {
    return Object.fromEntries(
        Object.entries(poolNodeNames(cluster, pool, poolArgs)).map(([key, nodeName]) => {
            const own = new Certificate(
                `${name}-${pool}-${key}`,
                { ...signedBy(authority), commonName: `system:node:${nodeName}`, organizations: ["system:nodes"], usages: ["client"] },
                opts,
            );
            const document = pulumi
                .output({ cluster: spec, nodeName, clientCertificate: own.certificate, clientKey: own.privateKey, ...marks(poolArgs) })
                .apply((worker) => renderWorker(worker));
            return [key, { name: nodeName, userDataBase64: userData(args, nodeName, document) }];
        }),
    );
}

function marks({ labels, taints }: PoolArgs) {
    return { labels, taints: pulumi.output(taints) as pulumi.Output<TaintSpec[] | undefined> };
}

/** How whoever runs `pulumi up` reaches the cluster. */
function access(
    name: string,
    cluster: string,
    authority: CertificateAuthority,
    spec: pulumi.Output<ClusterSpec>,
    opts: pulumi.CustomResourceOptions,
) {
    const admin = new Certificate(
        `${name}-admin`,
        { ...signedBy(authority), commonName: `${cluster}-admin`, organizations: ["kubeadm:cluster-admins"], usages: ["client"] },
        opts,
    );
    const endpoint = spec.apply(({ endpoint: at, controlPlanes }) =>
        at.mode === "nodeLocal" ? `https://${Object.values(controlPlanes)[0]}:${apiPort}` : `https://${at.host}:${at.port ?? apiPort}`,
    );
    const user = { caCertificate: authority.bundle, clientCertificate: admin.certificate, clientKey: admin.privateKey };
    const known = pulumi.output({ ...user, server: endpoint, spec });
    return {
        endpoint,
        kubeconfig: pulumi.secret(known.apply(({ spec: _spec, ...config }) => renderKubeconfig({ cluster, ...config }))),
        kubeconfigs: pulumi.secret(known.apply(({ spec: { controlPlanes }, server: _server, ...config }) => renderKubeconfigs({ cluster, ...config }, controlPlanes))),
    };
}
