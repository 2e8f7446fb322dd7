import { envFile } from "../cloudInit";
import { defaultDnsDomain } from "../../provider/kubernetesSettings/defaults";
import { dnsAddress } from "./network";
import { paths } from "./paths";
import type { ClusterSpec, NodeFile, TaintSpec, WorkerSpec } from "./spec";
import { apiEndpoint, cipherSuites } from "./versions";
import { toYamlDocuments } from "../yaml";

export const criSocket = "unix:///run/containerd/containerd.sock";

/**
 * The configuration of all kubelets, so that control planes, which get it from kubeadm, and workers, which get it in
 * their user data, cannot differ.
 *
 * It contains what the CIS Kubernetes Benchmark requires beyond the defaults: serving certificates signed by the
 * cluster's authority, seccomp by default, a limit of processes per pod, no read-only port, and a check of kernel
 * settings.
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
        tlsCipherSuites: [...cipherSuites],
        tlsMinVersion: "VersionTLS12",
    };
}

/**
 * The files of a worker's kubelet. Its first client certificate is signed by the cluster's authority in the program;
 * later kubelet renews it. So a worker needs neither kubeadm nor anonymous access to the API nor a bootstrap token,
 * which could expire, or be used by an attacker to register any node. kubelet retries until the API is available.
 *
 * Labels and taints have files of their own, since kubelet uses them only when it registers: on a running node the control
 * planes change them, and kubelet is not restarted.
 */
export function workerKubeletFiles(worker: WorkerSpec): NodeFile[] {
    const { cluster } = worker;
    return [
        {
            path: paths.kubeletConfig,
            content: toYamlDocuments(kubeletConfiguration(cluster)),
            permissions: "0600",
        },
        {
            path: paths.kubeletTaints,
            content: toYamlDocuments({
                apiVersion: "kubelet.config.k8s.io/v1beta1",
                kind: "KubeletConfiguration",
                registerWithTaints: (worker.taints ?? []).map(taintObject),
            }),
        },
        { path: paths.kubeletKubeconfig, content: kubeletKubeconfig(cluster), permissions: "0600" },
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
    const allowed = Object.entries(labels).filter(([key]) => kubeletMaySet(key));
    return [
        `--hostname-override=${nodeName}`,
        ...(address === undefined ? [] : [`--node-ip=${address}`]),
        ...(allowed.length === 0
            ? []
            : [`--node-labels=${allowed.map(([key, value]) => `${key}=${value}`).join(",")}`]),
    ];
}

/**
 * Whether a kubelet may set a label on its own Node object. With other labels of `kubernetes.io` and `k8s.io` it does
 * not start, and the NodeRestriction admission plugin rejects `node-restriction.kubernetes.io`: a compromised node must
 * not be able to attract workloads. The control planes set these labels.
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
