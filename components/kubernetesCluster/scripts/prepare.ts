import { sh } from "../../cloudInit";

/** `kubernetes-prepare`: run before every start of kubelet, and before kubeadm. */
export const prepare = sh`
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

# kubeadm lets everybody read it.
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

# If the renewed certificate expired while the node was off, kubelet falls back to the initial one.
current=/var/lib/kubelet/pki/kubelet-client-current.pem
given=/etc/kubernetes/pki/kubelet-client.crt
if [ -e "$current" ] && [ -e "$given" ] && ! openssl x509 -checkend 0 -noout -in "$current"; then
    rm -f "$current"
fi
`;
