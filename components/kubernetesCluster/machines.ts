import * as pulumi from "@pulumi/pulumi";
import { Certificate, CertificateAuthority, RandomSecret, SigningKeyPair } from "../../provider/certificates";
import type { Ending } from "../../provider/certificates/expiry";
import { signedBy } from "../../provider/certificates/certificateAuthority";
import type { MachineStub } from "../../provider/kubernetes/resources";
import { stubComment } from "../../provider/virtualMachine/userData";
import { type CloudConfig, renderUserData } from "../cloudInit";
import type { GroupMachineArgs } from "../machineGroup/args";
import { defaultCidrs, defaultKubernetesVersion } from "../../provider/kubernetesSettings/defaults";
import type { PoolArgs } from "./args";
import type { KubernetesClusterArgs } from "./args";
import { controlPlaneName, poolNodeNames } from "./names";
import { hashOfSecrets, renderControlPlane, renderWorker, withoutSecrets } from "./render";
import type { ClusterSpec, EndpointSpec, PodNetworkSpec, TaintSpec } from "./spec";

/** What the machines and certificates of a cluster are created from. */
export interface ClusterContext {
    /** The component's name, the prefix of resource names. */
    readonly name: string;
    /** The cluster's name, the prefix of machine names. */
    readonly cluster: pulumi.Output<string>;
    readonly args: KubernetesClusterArgs;
    /** Signs the cluster's certificates. */
    readonly authority: CertificateAuthority;
    /** The settings that all nodes share. */
    readonly spec: pulumi.Output<ClusterSpec>;
    /** Certificates and authorities that expire unless `pulumi up` renews them; filled while resources are created. */
    readonly ending: Ending[];
    /** What replaces the user data of each machine that has joined; filled while machines are rendered. */
    readonly stubs: pulumi.Output<NodeStub>[];
    /** The options of child resources. */
    readonly child: pulumi.CustomResourceOptions;
}

/** What replaces the user data of a node. */
export interface NodeStub extends Omit<MachineStub, "id"> {
    readonly node: string;
}

/** The settings that all nodes share, from the arguments. */
export function clusterSpec(
    cluster: pulumi.Output<string>,
    args: KubernetesClusterArgs,
    authority: CertificateAuthority,
): pulumi.Output<ClusterSpec> {
    return pulumi
        .output({
            name: cluster,
            members: args.controlPlane.members,
            caCertificate: authority.bundle,
            kubernetesVersion: args.kubernetesVersion,
            containerdVersion: args.containerdVersion,
            endpoint: args.endpoint,
            podCidr: args.podCidr,
            serviceCidr: args.serviceCidr,
            dnsDomain: args.dnsDomain,
            registryMirrors: args.registryMirrors,
            timeServers: args.timeServers,
            convergeIntervalSeconds: args.convergeIntervalSeconds,
            artifacts: args.artifacts,
        })
        .apply(({ members, ...values }) => ({
            ...values,
            kubernetesVersion: values.kubernetesVersion ?? defaultKubernetesVersion,
            endpoint: { mode: "nodeLocal", ...values.endpoint } as EndpointSpec,
            podCidr: values.podCidr ?? defaultCidrs.podCidr,
            serviceCidr: values.serviceCidr ?? defaultCidrs.serviceCidr,
            controlPlanes: Object.fromEntries(
                Object.entries(members).map(([member, address]) => [controlPlaneName(values.name, member), address]),
            ),
        }));
}

/** The control planes. Each has the keys of the cluster's authorities and the API server's client key for etcd. */
export function controlPlaneMachines(context: ClusterContext): Record<string, GroupMachineArgs> {
    const { name, cluster, args, authority, spec, ending, child } = context;
    const frontProxy = new CertificateAuthority(
        `${name}-front-proxy`,
        { commonName: pulumi.interpolate`${cluster} front proxy` },
        child,
    );
    ending.push(frontProxy);
    const serviceAccounts = new SigningKeyPair(`${name}-service-accounts`, {}, child);
    const encryption = new RandomSecret(`${name}-encryption`, { bytes: 32 }, child);
    const { endpoints, caCertificate, clientCertificate, clientKey } = args.etcd;
    const shared = pulumi.output({
        cluster: spec,
        etcd: { endpoints, caCertificate, clientCertificate, clientKey: pulumi.secret(clientKey) },
        caKey: authority.privateKey,
        frontProxyCaCertificate: frontProxy.certificate,
        frontProxyCaKey: frontProxy.privateKey,
        serviceAccountPublicKey: serviceAccounts.publicKey,
        serviceAccountPrivateKey: serviceAccounts.privateKey,
        encryptionKey: encryption.value,
        podNetwork: pulumi
            .output(args.podNetwork)
            .apply((network) => ({ backend: "vxlan", ...network }) as PodNetworkSpec),
        extraSans: args.extraSans,
        extraCloudConfig: args.controlPlane.extraCloudConfig as pulumi.Input<CloudConfig>,
        pools: Object.fromEntries(
            Object.entries(args.pools ?? {}).map(([pool, poolArgs]) => [
                pool,
                {
                    nodes: cluster.apply((called) => Object.values(poolNodeNames(called, pool, poolArgs))),
                    ...labelsAndTaints(poolArgs),
                },
            ]),
        ),
    });
    return Object.fromEntries(
        Object.entries(args.controlPlane.members).map(([member, ipAddress]) => {
            const nodeName = cluster.apply((called) => controlPlaneName(called, member));
            const document = pulumi
                .all([shared, nodeName])
                .apply(([values, known]) => renderControlPlane({ ...values, nodeName: known }));
            return [member, { name: nodeName, ipAddress, userDataBase64: userData(context, nodeName, document) }];
        }),
    );
}

/** The workers of a pool. The only private key that each has is its own. */
export function poolMachines(
    context: ClusterContext,
    pool: string,
    poolArgs: PoolArgs,
): Record<string, GroupMachineArgs> {
    const { name, cluster, authority, spec, ending, child } = context;
    return Object.fromEntries(
        Object.keys(poolNodeNames("", pool, poolArgs)).map((key) => {
            const nodeName = cluster.apply((called) => poolNodeNames(called, pool, poolArgs)[key]);
            const own = new Certificate(
                `${name}-${pool}-${key}`,
                {
                    ...signedBy(authority),
                    commonName: pulumi.interpolate`system:node:${nodeName}`,
                    organizations: ["system:nodes"],
                    usages: ["client"],
                },
                child,
            );
            ending.push(own);
            const document = pulumi
                .output({
                    cluster: spec,
                    nodeName,
                    clientCertificate: own.certificate,
                    clientKey: own.privateKey,
                    extraCloudConfig: poolArgs.extraCloudConfig as pulumi.Input<CloudConfig>,
                    ...labelsAndTaints(poolArgs),
                })
                .apply((worker) => renderWorker(worker));
            return [key, { name: nodeName, userDataBase64: userData(context, nodeName, document) }];
        }),
    );
}

/** User data of a node; secret, since it contains the node's keys. */
function userData(
    { args, stubs }: ClusterContext,
    nodeName: pulumi.Output<string>,
    document: pulumi.Output<CloudConfig>,
): pulumi.Output<string> {
    const rendered = pulumi.all([document, args.userDataMaxLength, nodeName]).apply(([config, maxLength, node]) => {
        const options = { maxLength, subject: `user data of ${node}` };
        const { base64 } = renderUserData(config, options);
        const stub = renderUserData(withoutSecrets(config), { ...options, comment: stubComment(base64) }).base64;
        return { base64, stub: { node, stub, secrets: hashOfSecrets(config) } };
    });
    stubs.push(rendered.stub);
    return pulumi.secret(rendered.base64);
}

function labelsAndTaints({ labels, taints }: PoolArgs) {
    return { labels, taints: pulumi.output(taints) as pulumi.Output<TaintSpec[] | undefined> };
}
