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

young() { openssl x509 -noout -checkend $((90 * 86400)) >/dev/null; } # whether the certificate that it reads is
# A renewal that was interrupted is not over: what reads the certificates may still have the old ones.
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

# The files may name another version than this machine has; what is renewed is of the one that it has.
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
