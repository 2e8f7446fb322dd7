import { envFile } from "../cloudInit";
import { defaultDnsDomain } from "../../provider/kubernetesSettings/defaults";
import { dnsAddress } from "./network";
import { paths } from "./paths";
import type { ClusterSpec, NodeFile, TaintSpec, WorkerSpec } from "./spec";
import { apiEndpoint } from "./versions";
import { toYamlDocuments } from "../yaml";

export const criSocket = "unix:///run/containerd/containerd.sock";

/**
 * The configuration of every kubelet. A control plane's travels through kubeadm, a worker's in its user data; one
 * function, so that they cannot differ.
 *
 * What CIS asks for beyond the defaults is here: certificates signed by the cluster, seccomp by default, a limit of
 * processes per pod, no read-only port, kernel settings checked.
 */
export function kubeletConfiguration(cluster: ClusterSpec): object {
    return {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: `${paths.pki}/ca.crt` },
        },
        authorization: { mode: "Webhook" },
        cgroupDriver: "systemd",
        clusterDNS: [dnsAddress(cluster.serviceCidr)],
        clusterDomain: cluster.dnsDomain ?? defaultDnsDomain,
        containerRuntimeEndpoint: criSocket,
        containerLogMaxFiles: 5,
        containerLogMaxSize: "50Mi",
        eventRecordQPS: 50,
        kubeReserved: { cpu: "100m", memory: "256Mi", "ephemeral-storage": "1Gi" },
        maxParallelImagePulls: 5,
        podPidsLimit: 4096,
        protectKernelDefaults: true,
        readOnlyPort: 0,
        rotateCertificates: true,
        seccompDefault: true,
        serializeImagePulls: false,
        serverTLSBootstrap: true,
        shutdownGracePeriod: "60s",
        shutdownGracePeriodCriticalPods: "20s",
        staticPodPath: "/etc/kubernetes/manifests",
        streamingConnectionIdleTimeout: "5m0s",
        systemReserved: { cpu: "100m", memory: "256Mi", "ephemeral-storage": "1Gi" },
        tlsMinVersion: "VersionTLS12",
    };
}

/**
 * What makes a machine a worker: kubelet with a client certificate that the cluster's authority signed beforehand. No
 * token that expires or that would let its finder become any node, no kubeadm, no anonymous question to the API;
 * kubelet asks until the API answers. It renews the certificate itself from then on.
 */
export function workerKubeletFiles(worker: WorkerSpec): NodeFile[] {
    const { cluster } = worker;
    const taints = worker.taints ?? [];
    return [
        {
            path: paths.kubeletConfig,
            content: toYamlDocuments({
                ...kubeletConfiguration(cluster),
                ...(taints.length > 0 && { registerWithTaints: taints.map(taintObject) }),
            }),
        },
        { path: "/etc/kubernetes/kubelet.conf", content: kubeletKubeconfig(cluster), permissions: "0640" },
        {
            path: "/etc/kubernetes/kubelet.env",
            content: envFile({ KUBELET_NODE_ARGS: kubeletFlags(worker).join(" ") }),
        },
        { path: `${paths.pki}/ca.crt`, content: cluster.caCertificate },
        { path: `${paths.pki}/kubelet-client.crt`, content: worker.clientCertificate },
        { path: `${paths.pki}/kubelet-client.key`, content: worker.clientKey, permissions: "0600" },
    ];
}

function kubeletKubeconfig(cluster: ClusterSpec): string {
    return toYamlDocuments({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
            {
                name: cluster.name,
                cluster: {
                    server: `https://${apiEndpoint(cluster.name, cluster.endpoint)}`,
                    "certificate-authority": `${paths.pki}/ca.crt`,
                },
            },
        ],
        users: [
            {
                name: "node",
                user: {
                    "client-certificate": `${paths.pki}/kubelet-client.crt`,
                    "client-key": `${paths.pki}/kubelet-client.key`,
                },
            },
        ],
        contexts: [{ name: "node", context: { cluster: cluster.name, user: "node" } }],
        "current-context": "node",
    });
}

function kubeletFlags({ nodeName, address, labels = {} }: WorkerSpec): string[] {
    const own = Object.entries(labels).filter(([key]) => kubeletMaySet(key));
    return [
        `--hostname-override=${nodeName}`,
        ...(address === undefined ? [] : [`--node-ip=${address}`]),
        ...(own.length === 0 ? [] : [`--node-labels=${own.map(([key, value]) => `${key}=${value}`).join(",")}`]),
    ];
}

/**
 * Whether a kubelet may give its own Node a label. It refuses to start with others of `kubernetes.io` and `k8s.io`, and
 * the NodeRestriction admission refuses `node-restriction.kubernetes.io`: a node that was broken into must not be able
 * to draw workloads to itself. The control planes set those.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export function kubeletMaySet(label: string): boolean {
    const domain = label.includes("/") ? label.slice(0, label.indexOf("/")) : "";
    if (!/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) return true;
    return (
        /(^|\.)(kubelet|node)\.kubernetes\.io$/.test(domain) ||
        [
            "kubernetes.io/hostname",
            "kubernetes.io/arch",
            "kubernetes.io/os",
            "topology.kubernetes.io/region",
            "topology.kubernetes.io/zone",
        ].includes(label)
    );
}

function taintObject({ key, value, effect }: TaintSpec): object {
    return { key, ...(value !== undefined && { value }), effect };
}

/** `key=value:effect`, as kubectl and kubelet write it. */
export function taintText({ key, value, effect }: TaintSpec): string {
    return `${key}${value === undefined ? "" : `=${value}`}:${effect}`;
}
