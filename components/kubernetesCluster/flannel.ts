import { paths } from "./paths";
import type { NodeFile, PodNetworkSpec } from "./spec";
import { flannelImages } from "./versions";
import { toYamlDocuments } from "../yaml";

const namespace = "kube-flannel";
const name = "flannel";
const labels = { app: name };

/**
 * The manifest of the pod network. The control plane applies it, so a cluster has a pod network before `pulumi up` or
 * `kubectl` can reach its API.
 *
 * Flannel reads the pod CIDR of each node from its Node object, so nodes need no access to etcd. Both backends
 * encapsulate packets, which leave with the node's address as source. `host-gw` is not offered: its packets have pods'
 * addresses as source, and CloudStack's protection against spoofed source addresses drops these.
 *
 * Source of flanneld's flags, permissions and directories: https://github.com/flannel-io/flannel
 */
export function podNetworkFiles(podCidr: string, network: PodNetworkSpec): NodeFile[] {
    if (network.backend === "none") return [];
    return [
        {
            path: `${paths.addons}/flannel.yaml`,
            content: toYamlDocuments(...namespaceAndRights(), configuration(podCidr, network), daemonSet()),
        },
    ];
}

function namespaceAndRights(): object[] {
    const metadata = { name, labels };
    return [
        {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: {
                name: namespace,
                labels: {
                    ...labels,
                    ...Object.fromEntries(
                        ["enforce", "audit", "warn"].map((mode) => [
                            `pod-security.kubernetes.io/${mode}`,
                            "privileged",
                        ]),
                    ),
                },
            },
        },
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...metadata, namespace } },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata,
            rules: [
                { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
                { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
                { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
            ],
        },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRoleBinding",
            metadata,
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
            subjects: [{ kind: "ServiceAccount", name, namespace }],
        },
    ];
}

function configuration(podCidr: string, { backend, mtu }: PodNetworkSpec): object {
    const net = { Network: podCidr, Backend: { Type: backend, ...(mtu !== undefined && { MTU: mtu }) } };
    const cni = {
        name: "cbr0",
        cniVersion: "1.0.0",
        plugins: [
            { type: "flannel", delegate: { hairpinMode: true, isDefaultGateway: true } },
            { type: "portmap", capabilities: { portMappings: true } },
        ],
    };
    return {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace, labels },
        data: { "cni-conf.json": JSON.stringify(cni), "net-conf.json": JSON.stringify(net) },
    };
}

/** Host paths that flanneld and its init containers use, and where they are mounted in the pod. */
const folders = [
    { name: "run", node: "/run/flannel", pod: "/run/flannel" },
    { name: "locks", node: "/run/xtables.lock", pod: "/run/xtables.lock", type: "FileOrCreate" },
    { name: "plugins", node: "/opt/cni/bin", pod: "/opt/cni/bin" },
    { name: "networks", node: "/etc/cni/net.d", pod: "/etc/cni/net.d" },
] as const;

function daemonSet(): object {
    const mount = (...names: string[]) => [
        ...folders
            .filter((folder) => names.includes(folder.name))
            .map((folder) => ({ name: folder.name, mountPath: folder.pod })),
        ...(names.includes("configuration") ? [{ name: "configuration", mountPath: "/etc/kube-flannel" }] : []),
    ];
    const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
    return {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name, namespace, labels },
        spec: {
            selector: { matchLabels: labels },
            updateStrategy: { rollingUpdate: { maxUnavailable: 1 } },
            template: {
                metadata: { labels },
                spec: {
                    hostNetwork: true,
                    priorityClassName: "system-node-critical",
                    nodeSelector: { "kubernetes.io/os": "linux" },
                    // A node is not Ready without Flannel, and a node with taints, including NoExecute, still needs it.
                    tolerations: [{ operator: "Exists" }],
                    serviceAccountName: name,
                    initContainers: [
                        {
                            name: "install-plugin",
                            image: flannelImages.cniPlugin,
                            command: ["cp", "-f", "/flannel", "/opt/cni/bin/flannel"],
                            volumeMounts: mount("plugins"),
                        },
                        {
                            name: "install-network",
                            // Flannel's own `install-conf` would let everybody read the file: `cp` keeps the mode.
                            image: flannelImages.cniPlugin,
                            command: [
                                "cp",
                                "-f",
                                "/etc/kube-flannel/cni-conf.json",
                                "/etc/cni/net.d/10-flannel.conflist",
                            ],
                            volumeMounts: mount("networks", "configuration"),
                        },
                    ],
                    containers: [
                        {
                            name,
                            image: flannelImages.flannel,
                            command: ["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr", "--healthz-port=8081"],
                            env: [
                                { name: "POD_NAME", ...field("metadata.name") },
                                { name: "POD_NAMESPACE", ...field("metadata.namespace") },
                                { name: "EVENT_QUEUE_DEPTH", value: "5000" },
                            ],
                            readinessProbe: { httpGet: { path: "/readyz", port: 8081 }, periodSeconds: 5 },
                            livenessProbe: {
                                httpGet: { path: "/healthz", port: 8081 },
                                initialDelaySeconds: 10,
                                periodSeconds: 30,
                            },
                            resources: { requests: { cpu: "100m", memory: "50Mi" } },
                            securityContext: { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
                            volumeMounts: mount("run", "locks", "configuration"),
                        },
                    ],
                    volumes: [
                        ...folders.map((folder) => ({
                            name: folder.name,
                            hostPath: { path: folder.node, ...("type" in folder && { type: folder.type }) },
                        })),
                        { name: "configuration", configMap: { name, defaultMode: 0o600 } },
                    ],
                },
            },
        },
    };
}
