/**
 * Paths on a node. They follow Kubernetes' conventions where there are any. Scripts contain them literally, so that
 * shellcheck checks the text that runs.
 */
export const paths = {
    /** Settings of this node, in a format that both shells and systemd read. */
    nodeEnv: "/etc/kubernetes/node.env",
    pki: "/etc/kubernetes/pki",
    /** Configuration files of the API server, including the encryption key. */
    conf: "/etc/kubernetes/conf",
    /** Manifests that the first control plane applies. */
    addons: "/etc/kubernetes/addons",
    kubeadmInit: "/etc/kubernetes/kubeadm-init.yaml",
    kubeadmJoin: "/etc/kubernetes/kubeadm-join.yaml",
    /** Settings of a single machine: kubeadm's `patches/`, and `*.ignore` with names of preflight checks to ignore. */
    kubeadmLocal: "/etc/kubernetes/kubeadm.d",
    /** Settings of a single machine: kubelet merges every `*.conf` here into its configuration. */
    kubeletLocal: "/etc/kubernetes/kubelet.conf.d",
    /** Taints with which a worker registers. */
    kubeletTaints: "/etc/kubernetes/kubelet.conf.d/20-taints.conf",
    /** Settings of a single machine: containerd merges every `*.toml` here into its configuration. */
    containerdLocal: "/etc/containerd/conf.d",
    kubeletConfig: "/var/lib/kubelet/config.yaml",
    kubeletUnit: "/etc/systemd/system/kubelet.service",
    kubeletKubeconfig: "/etc/kubernetes/kubelet.conf",
    /**
     * SHA-256 of the secrets in the user data, written after them: it says which ones the machine has. kubelet serves this
     * directory to the API.
     */
    secretsHash: "/var/log/cs-secrets",
    library: "/usr/local/lib/kubernetes/control-plane.sh",
    units: "/etc/systemd/system",
    bin: "/usr/local/sbin",
} as const;
