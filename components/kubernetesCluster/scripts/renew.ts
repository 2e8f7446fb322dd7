import { sh } from "../../cloudInit";

/**
 * `kubernetes-renew`: run daily on every control plane. kubeadm signs its certificates for a year and renews them only
 * when something is upgraded; a cluster that is left alone would die on its first birthday.
 */
export const renew = sh`
#!/bin/bash
# Renews what kubeadm signed when it has less than 90 days left, one control plane after the other.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh

[ -e "$STATE/joined" ] || exit 0
due=
for certificate in apiserver apiserver-kubelet-client front-proxy-client; do
    openssl x509 -noout -checkend $((90 * 86400)) -in "$PKI/$certificate.crt" >/dev/null || due=yes
done
[ -n "$due" ] || exit 0

lock || exit 1
kubeadm certs renew all --config /etc/kubernetes/kubeadm-init.yaml || exit 1
restart_pod kube-controller-manager 10257
restart_pod kube-scheduler 10259
restart_pod kube-apiserver 6443
wait_ready
`;
