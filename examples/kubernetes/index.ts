// A TLS etcd cluster and a Kubernetes cluster: the same program for every stack, which differ by configuration alone
// (Pulumi.<stack>.yaml).
import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

interface EtcdConfig {
    /** Addresses by member. */
    members: Record<string, string>;
    serviceOffering: string;
    version?: string;
    dataVolume?: { diskOffering: string; sizeGiB?: number; protect?: boolean };
    waitFor?: "none" | "healthy";
    allowDataLoss?: boolean;
}

const config = new pulumi.Config();
/** The prefix of the names of machines and groups. */
const name = config.get("name") ?? pulumi.getStack();
const placement = {
    template: config.require("template"),
    network: config.get("network"),
    sshKeyPairs: config.getObject<string[]>("sshKeyPairs"),
};
const kubernetesVersion = config.get("kubernetesVersion") ?? "1.36.4";
/** Mirror and host address of the embedded cloud, as `cloudstack-local env` exports them if it boots machines. */
const local = config.getBoolean("embedded") && process.env.CLOUDSTACK_LOCAL_MIRROR ? embedded(process.env) : undefined;
const artifacts = config.getObject<cloudstack.ArtifactsArgs>("artifacts") ?? local?.artifacts;
/** The networks that may connect; none by default. */
const operatorCidrs = config.getObject<string[]>("operatorCidrs") ?? local?.operatorCidrs;
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

/** The demo leaves it out with `--without-kubernetes`. */
const withKubernetes = config.getBoolean("kubernetes") ?? process.env.CLOUDSTACK_LOCAL_KUBERNETES !== "false";
const cluster = withKubernetes ? kubernetes() : undefined;

/** Names and addresses. */
export const machines = pulumi
    .all([etcd.members, cluster?.nodes ?? {}])
    .apply(([members, nodes]) => ({ ...members, ...nodes }));
export const etcdEndpoints = etcd.endpoints;
export const etcdCertificates = pulumi.secret({
    ca: etcd.caCertificate,
    certificate: etcd.clientCertificate,
    key: etcd.clientKey,
});
export const kubernetesEndpoint = cluster?.endpoint ?? null;
export const kubeconfig = cluster?.kubeconfig ?? null;
export const kubeconfigs = cluster?.kubeconfigs ?? null;

function kubernetes(): cloudstack.KubernetesCluster {
    return new cloudstack.KubernetesCluster("kubernetes", {
        ...placement,
        name,
        etcd,
        kubernetesVersion,
        controlPlane: config.requireObject<cloudstack.ControlPlaneArgs>("controlPlane"),
        pools: config.getObject<Record<string, cloudstack.PoolArgs>>("pools"),
        networkCidr: config.get("networkCidr"),
        artifacts,
        operatorCidrs,
        sshCidrs,
        nodePortCidrs: config.getObject<string[]>("nodePortCidrs"),
        monitoringCidrs,
        waitFor: config.get<cloudstack.KubernetesWaitFor>("waitFor"),
    });
}

/** Machines of the embedded cloud reach no other site: programs and images come from its mirror, packages with the template. */
function embedded(environment: NodeJS.ProcessEnv): { artifacts: cloudstack.ArtifactsArgs; operatorCidrs: string[] } {
    const {
        CLOUDSTACK_LOCAL_MIRROR: mirror,
        CLOUDSTACK_LOCAL_MANIFEST: file,
        CLOUDSTACK_LOCAL_HOST: host,
    } = environment;
    const manifest = JSON.parse(fs.readFileSync(file!, "utf8")) as Record<string, string>;
    const archives = (role: string) =>
        Object.keys(manifest).filter((name) => name.startsWith(`kubernetes-${role}-images-v${kubernetesVersion}-`));
    return {
        artifacts: {
            mirror,
            manifest,
            packages: "template",
            imageArchives: archives("node"),
            controlPlaneImageArchives: archives("control-plane"),
        },
        operatorCidrs: [host!],
    };
}
