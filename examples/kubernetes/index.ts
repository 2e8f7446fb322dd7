// A TLS etcd cluster and a Kubernetes cluster: the same program for every stack, which differ by configuration alone
// (Pulumi.<stack>.yaml).
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

interface EtcdConfig {
    /** Addresses by member. */
    members: Record<string, string>;
    serviceOffering: string;
    version?: string;
    dataVolume?: { diskOffering: string; sizeGiB?: number; protect?: boolean };
}

const config = new pulumi.Config();
/** What names of machines and groups begin with. */
const name = config.get("name") ?? pulumi.getStack();
const placement = {
    template: config.require("template"),
    network: config.get("network"),
    sshKeyPairs: config.getObject<string[]>("sshKeyPairs"),
};
const artifacts = config.getObject<cloudstack.ArtifactsArgs>("artifacts");
/** Who may reach what; nobody, where nothing is said. */
const operatorCidrs = config.getObject<string[]>("operatorCidrs");
const sshCidrs = config.getObject<string[]>("sshCidrs");
const monitoringCidrs = config.getObject<string[]>("monitoringCidrs");

const etcd = new cloudstack.EtcdCluster("etcd", {
    ...placement,
    ...config.requireObject<EtcdConfig>("etcd"),
    name,
    artifacts,
    operatorCidrs,
    sshCidrs,
    metricsCidrs: monitoringCidrs,
});

const cluster = new cloudstack.KubernetesCluster("kubernetes", {
    ...placement,
    name,
    etcd,
    kubernetesVersion: config.get("kubernetesVersion"),
    controlPlane: config.requireObject<cloudstack.ControlPlaneArgs>("controlPlane"),
    pools: config.getObject<Record<string, cloudstack.PoolArgs>>("pools"),
    networkCidr: config.get("networkCidr"),
    artifacts,
    operatorCidrs,
    sshCidrs,
    nodePortCidrs: config.getObject<string[]>("nodePortCidrs"),
    monitoringCidrs,
});

/** Names and addresses. */
export const machines = pulumi
    .all([etcd.members, cluster.nodes])
    .apply(([members, nodes]) => ({ ...members, ...nodes }));
export const etcdEndpoints = etcd.endpoints;
export const etcdCertificates = pulumi.secret({
    ca: etcd.caCertificate,
    certificate: etcd.clientCertificate,
    key: etcd.clientKey,
});
export const kubernetesEndpoint = cluster.endpoint;
export const kubeconfig = cluster.kubeconfig;
export const kubeconfigs = cluster.kubeconfigs;
