/**
 * Where things are on a node. Kubernetes' own places where it has some; scripts name them literally, so that what
 * shellcheck sees is what runs.
 */
export const paths = {
    /** Values of this node for scripts, read with `.` and by systemd alike. */
    nodeEnv: "/etc/kubernetes/node.env",
    pki: "/etc/kubernetes/pki",
    /** What the API server reads: policies and the encryption key. */
    conf: "/etc/kubernetes/conf",
    /** Manifests that the first control plane applies. */
    addons: "/etc/kubernetes/addons",
    kubeadmInit: "/etc/kubernetes/kubeadm-init.yaml",
    kubeadmJoin: "/etc/kubernetes/kubeadm-join.yaml",
    /**
     * For what only this machine needs: `patches/` in kubeadm's format, and `*.ignore` with names of preflight checks.
     */
    kubeadmLocal: "/etc/kubernetes/kubeadm.d",
    /** For what only this machine needs: kubelet merges every `*.conf` here over its configuration. */
    kubeletLocal: "/etc/kubernetes/kubelet.conf.d",
    /** For what only this machine needs: containerd merges every `*.toml` here over its configuration. */
    containerdLocal: "/etc/containerd/conf.d",
    kubeletConfig: "/var/lib/kubelet/config.yaml",
    library: "/usr/local/lib/kubernetes/control-plane.sh",
    units: "/etc/systemd/system",
    bin: "/usr/local/sbin",
} as const;
