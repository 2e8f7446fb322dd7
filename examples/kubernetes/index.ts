// A TLS etcd cluster and a Kubernetes cluster: the same program for every stack, which differ by configuration alone (Pulumi.<stack>.yaml).
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

interface EtcdConfig {
    /** Addresses by member. */
    members: Record<string, string>;
    serviceOffering: string;
    version?: string;
    dataVolume?: { diskOffering: string; sizeGiB?: number };
}

const config = new pulumi.Config();
const placement = {
    template: config.require("template"),
    network: config.get("network"),
    sshKeyPairs: config.getObject<string[]>("sshKeyPairs"),
};
const artifacts = config.getObject<cloudstack.ArtifactsArgs>("artifacts");
const operatorCidrs = config.getObject<string[]>("operatorCidrs");
const sshCidrs = config.getObject<string[]>("sshCidrs");

const etcd = new cloudstack.EtcdCluster("etcd", {
    ...placement,
    ...config.requireObject<EtcdConfig>("etcd"),
    name: pulumi.getStack(),
    artifacts,
    operatorCidrs,
    sshCidrs,
});

const cluster = new cloudstack.KubernetesCluster("kubernetes", {
    ...placement,
    name: pulumi.getStack(),
    etcd,
    kubernetesVersion: config.get("kubernetesVersion"),
    controlPlane: config.requireObject<cloudstack.ControlPlaneArgs>("controlPlane"),
    pools: config.getObject<Record<string, cloudstack.PoolArgs>>("pools"),
    networkCidr: config.get("networkCidr"),
    artifacts,
    operatorCidrs,
    sshCidrs,
    nodePortCidrs: config.getObject<string[]>("nodePortCidrs"),
    monitoringCidrs: config.getObject<string[]>("monitoringCidrs"),
});

/** Names and addresses. */
export const machines = pulumi.all([etcd.members, cluster.nodes]).apply(([members, nodes]) => ({ ...members, ...nodes }));
export const etcdEndpoints = etcd.endpoints;
export const etcdCertificates = pulumi.secret({ ca: etcd.caCertificate, certificate: etcd.clientCertificate, key: etcd.clientKey });
export const kubernetesEndpoint = cluster.endpoint;
export const kubeconfig = cluster.kubeconfig;
export const kubeconfigs = cluster.kubeconfigs;
