import { defaultDnsDomain } from "../../provider/kubernetesSettings/defaults";
import { criSocket, kubeletConfiguration } from "./kubelet";
import { paths } from "./paths";
import type { ControlPlaneSpec, NodeFile } from "./spec";
import { apiEndpoint, apiName, apiPort, cipherSuites } from "./versions";
import { toYamlDocuments } from "../yaml";

const apiVersion = "kubeadm.k8s.io/v1beta4";

/**
 * The configuration of `kubeadm init` and of `kubeadm join`. Every control plane has both: which one creates the
 * cluster is only decided at run time.
 *
 * Source: https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export function kubeadmFiles(spec: ControlPlaneSpec): NodeFile[] {
    return [
        {
            path: paths.kubeadmInit,
            content: toYamlDocuments(
                initConfiguration(spec),
                clusterConfiguration(spec),
                kubeletConfiguration(spec.cluster),
                kubeProxyConfiguration(spec),
            ),
        },
        { path: paths.kubeadmJoin, content: toYamlDocuments(joinConfiguration(spec)) },
    ];
}

function initConfiguration(spec: ControlPlaneSpec): object {
    return {
        apiVersion,
        kind: "InitConfiguration",
        localAPIEndpoint: localEndpoint(spec),
        nodeRegistration: nodeRegistration(spec),
        patches: { directory: `${paths.kubeadmLocal}/patches` },
        timeouts: { controlPlaneComponentHealthCheck: "10m0s", kubernetesAPICall: "2m0s" },
    };
}

function clusterConfiguration({ cluster, etcd, extraSans = [] }: ControlPlaneSpec): object {
    const { endpoint } = cluster;
    return {
        apiVersion,
        kind: "ClusterConfiguration",
        clusterName: cluster.name,
        kubernetesVersion: `v${cluster.kubernetesVersion}`,
        controlPlaneEndpoint: apiEndpoint(cluster.name, endpoint),
        encryptionAlgorithm: "ECDSA-P256",
        networking: {
            podSubnet: cluster.podCidr,
            serviceSubnet: cluster.serviceCidr,
            dnsDomain: cluster.dnsDomain ?? defaultDnsDomain,
        },
        etcd: {
            external: {
                endpoints: [...etcd.endpoints],
                caFile: `${paths.pki}/etcd/ca.crt`,
                certFile: `${paths.pki}/apiserver-etcd-client.crt`,
                keyFile: `${paths.pki}/apiserver-etcd-client.key`,
            },
        },
        apiServer: {
            // kubeadm adds the address of this node. Those of the others are left out: adding a control plane must
            // not change the certificates of the existing ones.
            certSANs: [
                ...new Set([
                    endpoint.mode === "nodeLocal" ? apiName(cluster.name) : endpoint.host,
                    "127.0.0.1",
                    ...extraSans,
                ]),
            ],
            extraArgs: apiServerArguments(),
            extraVolumes: [
                { name: "conf", hostPath: paths.conf, mountPath: paths.conf, readOnly: true, pathType: "Directory" },
                {
                    name: "audit",
                    hostPath: "/var/log/kubernetes",
                    mountPath: "/var/log/kubernetes",
                    pathType: "DirectoryOrCreate",
                },
            ],
        },
        controllerManager: {
            extraArgs: args({ profiling: "false", "terminated-pod-gc-threshold": "100" }),
        },
        scheduler: { extraArgs: args({ profiling: "false" }) },
    };
}

/**
 * Flags that the CIS Kubernetes Benchmark requires beyond kubeadm's defaults, and those for the files of
 * `apiServer.ts`.
 */
function apiServerArguments(): object[] {
    return args({
        "admission-control-config-file": `${paths.conf}/admission.yaml`,
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
        "audit-log-path": "/var/log/kubernetes/audit.log",
        "audit-policy-file": `${paths.conf}/audit-policy.yaml`,
        "authentication-config": `${paths.conf}/authentication.yaml`,
        "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs",
        "encryption-provider-config": `${paths.conf}/encryption.yaml`,
        "encryption-provider-config-automatic-reload": "true",
        "goaway-chance": "0.001",
        "kubelet-certificate-authority": `${paths.pki}/ca.crt`,
        profiling: "false",
        "service-account-extend-token-expiration": "false",
        "tls-cipher-suites": cipherSuites.join(","),
        "tls-min-version": "VersionTLS12",
    });
}

function joinConfiguration(spec: ControlPlaneSpec): object {
    return {
        apiVersion,
        kind: "JoinConfiguration",
        // Created on the machine, which has the authority's key: unlike a token it cannot expire before the machine
        // joins.
        discovery: { file: { kubeConfigPath: "/etc/kubernetes/admin.conf" } },
        controlPlane: { localAPIEndpoint: localEndpoint(spec) },
        nodeRegistration: nodeRegistration(spec),
        patches: { directory: `${paths.kubeadmLocal}/patches` },
        timeouts: {
            controlPlaneComponentHealthCheck: "10m0s",
            discovery: "5m0s",
            kubeletHealthCheck: "8m0s",
            tlsBootstrap: "10m0s",
        },
    };
}

function kubeProxyConfiguration({ cluster }: ControlPlaneSpec): object {
    return {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        mode: "nftables",
        clusterCIDR: cluster.podCidr,
        metricsBindAddress: "127.0.0.1:10249",
        // `kubernetes-prepare` sets the size of the connection tracking table, with the other kernel settings.
        conntrack: { maxPerCore: 0, min: 0 },
    };
}

function localEndpoint({ cluster, nodeName }: ControlPlaneSpec): object {
    return { advertiseAddress: cluster.controlPlanes[nodeName], bindPort: apiPort };
}

function nodeRegistration({ cluster, nodeName }: ControlPlaneSpec): object {
    return {
        name: nodeName,
        criSocket,
        imagePullPolicy: "IfNotPresent",
        taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
        kubeletExtraArgs: args({ "node-ip": cluster.controlPlanes[nodeName] }),
    };
}

function args(values: Record<string, string>): object[] {
    return Object.entries(values).map(([name, value]) => ({ name, value }));
}
