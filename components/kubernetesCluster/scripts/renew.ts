import { sh } from "../../cloudInit";

/**
 * `kubernetes-renew`: run daily on every control plane. kubeadm's certificates are valid for one year, and kubeadm
 * renews them only during upgrades. Without an upgrade, the control plane would fail after a year.
 *
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/
 */
export const renew = sh`
#!/bin/bash
# Renews kubeadm's certificates in their last 90 days, one control plane at a time.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh

[ -e "$STATE/joined" ] || exit 0

young() { openssl x509 -noout -checkend $((90 * 86400)) >/dev/null; } # whether the certificate on stdin is not due
# An interrupted renewal is repeated, since components may still use the old certificates.
due=
[ ! -e "$STATE/renewing" ] || due=yes
for certificate in apiserver apiserver-kubelet-client front-proxy-client; do
    young <"$PKI/$certificate.crt" || due=yes
done
for user in admin controller-manager scheduler; do
    data=$(sed -n 's/^ *client-certificate-data: //p' "/etc/kubernetes/$user.conf" 2>/dev/null)
    [ -z "$data" ] || base64 -d <<<"$data" | young || due=yes
done
[ -n "$due" ] || exit 0

# The version in the files may differ from the installed one, if this machine is to be reinstalled.
installed=$(kubeadm version -o short) || exit 1
sed "s/^kubernetesVersion: .*/kubernetesVersion: $installed/" /etc/kubernetes/kubeadm-init.yaml >"$STATE/renew.yaml" || exit 1

lock || exit 1
touch "$STATE/renewing"
kubeadm certs renew all --config "$STATE/renew.yaml" || exit 1
restart_pod kube-controller-manager 10257
restart_pod kube-scheduler 10259
restart_pod kube-apiserver 6443
wait_ready || exit 1
rm -f "$STATE/renewing" "$STATE/renew.yaml"
`;
