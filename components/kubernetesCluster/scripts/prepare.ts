import { sh } from "../../cloudInit";

/** `kubernetes-prepare`: run before kubelet whenever it starts, and before kubeadm. */
export const prepare = sh`
#!/bin/bash
# Makes this machine what kubelet expects.
set -euo pipefail
. /etc/kubernetes/node.env

# A module may be built in, and a setting may be the host's where this machine is a container: kubelet and kubeadm check
# what they cannot do without and say so.
while read -r module; do
    modprobe -q "$module" || echo "cannot load module $module"
done </etc/modules-load.d/kubernetes.conf
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf || echo "cannot set some kernel settings"
connections=$((32768 * $(nproc)))
[ "$connections" -ge 131072 ] || connections=131072
sysctl -q -w "net.netfilter.nf_conntrack_max=$connections" || echo "cannot set the size of the connection table: it is the host's"

# Only swap of this machine's own.
awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab | while read -r device; do swapoff "$device" || true; done

mkdir -p /etc/containerd/conf.d /etc/kubernetes/kubelet.conf.d /etc/kubernetes/kubeadm.d/patches
install -d -m 0700 /var/log/kubernetes /var/lib/kubernetes

# Pods are given the real name servers, not the stub on 127.0.0.53 that they cannot reach.
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

# cloud-init may have written /etc/hosts anew at this boot.
if [ -n "$API_NAME" ] && ! grep -qwF "$API_NAME" /etc/hosts; then
    echo "127.0.0.1 $API_NAME" >>/etc/hosts
fi

# A node that was off for so long that the certificate it renewed itself has expired goes back to the one it came with.
current=/var/lib/kubelet/pki/kubelet-client-current.pem
given=/etc/kubernetes/pki/kubelet-client.crt
if [ -e "$current" ] && [ -e "$given" ] && ! openssl x509 -checkend 0 -noout -in "$current"; then
    rm -f "$current"
fi
`;
