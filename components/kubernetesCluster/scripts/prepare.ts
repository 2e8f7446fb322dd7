import { sh } from "../../cloudInit";

const common = sh`
#!/bin/bash
# Prepares this machine for kubelet.
set -euo pipefail
. /etc/kubernetes/node.env

# Failures are not fatal: a module may be built into the kernel, and in a container some settings are the host's. kubelet
# and kubeadm check what they require.
while read -r module; do
    modprobe -q "$module" || echo "cannot load module $module"
done </etc/modules-load.d/kubernetes.conf
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf || echo "cannot set some kernel settings"
connections=$((32768 * $(nproc)))
[ "$connections" -ge 131072 ] || connections=131072
sysctl -q -w "net.netfilter.nf_conntrack_max=$connections" || echo "cannot set the size of the connection table: it is the host's"

# Swap devices of /etc/fstab only: in a container, others are the host's.
awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab | while read -r device; do swapoff "$device" || true; done

# kubeadm lets every user read it.
[ ! -e /var/lib/kubelet/config.yaml ] || chmod 0600 /var/lib/kubelet/config.yaml

mkdir -p /etc/containerd/conf.d /etc/kubernetes/kubelet.conf.d /etc/kubernetes/kubeadm.d/patches
install -d -m 0700 /var/log/kubernetes /var/lib/kubernetes

# Pods need the real name servers, since they cannot reach systemd-resolved's stub on 127.0.0.53:
# https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/#known-issues
resolver=/etc/kubernetes/kubelet.conf.d/10-resolver.conf
if [ -e /run/systemd/resolve/resolv.conf ]; then
    cat >"$resolver" <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
resolvConf: /run/systemd/resolve/resolv.conf
END
else
    rm -f "$resolver"
fi

# cloud-init may have rewritten /etc/hosts at this boot.
if [ -n "$API_NAME" ] && ! grep -qwF "$API_NAME" /etc/hosts; then
    echo "127.0.0.1 $API_NAME" >>/etc/hosts
fi

current=/var/lib/kubelet/pki/kubelet-client-current.pem
valid() { openssl x509 -checkend 0 -noout -in "$1" >/dev/null; }
`;

/**
 * A worker whose kubelet's certificate expired while it was off falls back to its first one, which `pulumi up` renews in its
 * last quarter.
 */
const workerCertificate = sh`
first=/etc/kubernetes/pki/kubelet-client.crt
if [ -e "$current" ] && ! valid "$current"; then
    echo "kubelet's certificate has expired: it uses the first one of this node"
    rm -f "$current"
fi
[ -e "$current" ] || valid "$first" || echo "<3>$first has expired: run 'pulumi up', which renews it" >&2
`;

/**
 * A control plane signs a new one, since it has the key of the authority. Otherwise kubelet would not start, and neither
 * would the API server that could renew the certificate.
 */
const controlPlaneCertificate = sh`
if [ -e "$current" ] && ! valid "$current"; then
    echo "kubelet's certificate has expired: this control plane signs a new one"
    signed=/var/lib/kubelet/pki/kubelet-client-$(date +%F-%H-%M-%S).pem
    work=$(mktemp -d)
    installed=$(kubeadm version -o short)
    sed "s/^kubernetesVersion: .*/kubernetesVersion: $installed/" /etc/kubernetes/kubeadm-init.yaml >"$work/config"
    kubeadm init phase kubeconfig kubelet --config "$work/config" --kubeconfig-dir "$work"
    (umask 077 && sed -n 's/^ *client-[a-z]*-data: //p' "$work/kubelet.conf" |
        while read -r part; do base64 -d <<<"$part"; done >"$signed")
    # kubelet accepts nothing but a symbolic link.
    ln -sfn "$signed" "$current"
    rm -rf "$work"
fi
`;

/** `kubernetes-prepare`: run before every start of kubelet, and before kubeadm. */
export const prepare = {
    worker: common + workerCertificate,
    controlPlane: common + controlPlaneCertificate,
} as const;
