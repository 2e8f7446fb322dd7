import { sh } from "../../cloudInit";

/**
 * `kubernetes-addons`: run after `kubernetes-control-plane`, every few minutes. It only has an effect on the first
 * control plane of the program's list, so that control planes with different files cannot conflict. It also runs once
 * on the one that created the cluster, so that pods have a network before the first one of the list has joined.
 */
export const addons = sh`
#!/bin/bash
# Applies cluster-wide objects: labels and taints of pools, kubeadm's addons, manifests.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh
only_as_installed

[ -e "$STATE/joined" ] || exit 0
if [ "\${CONTROL_PLANES%%=*}" != "$NODE" ]; then
    [ ! -e "$STATE/addons" ] && [ "$(read_mark created)" = "$NODE" ] || exit 0
fi

gone() { # OLD NEW: the items of the comma-separated list OLD that are not in NEW
    local each
    for each in \${1//,/ }; do
        case ",$2," in *",$each,"*) ;; *) [ "$each" = - ] || echo "$each" ;; esac
    done
}

# Sets labels and taints, including those that a kubelet may not set itself. An annotation records them, so that those
# removed from the program are removed from the node, and those of other origin are kept.
pool() { # WORKER HAD_LABELS HAD_TAINTS LABELS TAINTS
    local worker=$1 each
    for each in $(gone "$2" "$4"); do kubectl label node "$worker" "\${each%%=*}-" || return 1; done
    for each in $(gone "$3" "$5"); do kubectl taint node "$worker" "$each-" || true; done
    for each in \${4//,/ }; do [ "$each" = - ] || kubectl label --overwrite node "$worker" "$each" || return 1; done
    for each in \${5//,/ }; do [ "$each" = - ] || kubectl taint --overwrite node "$worker" "$each" || return 1; done
    kubectl annotate --overwrite node "$worker" "pulumi-cloudstack/pool=$4 $5"
}

nodes=$(kubectl get nodes -o 'go-template=
    {{- range .items}}
        {{- .metadata.name}} {{with .metadata.annotations}}{{with index . "pulumi-cloudstack/pool"}}{{.}}{{end}}{{end}}{{"\n"}}
    {{- end}}') || exit 1
failed=0
while read -r worker labels taints; do
    read -r _ had_labels had_taints < <(grep "^$worker " <<<"$nodes") || continue
    : "\${had_labels:=-}" "\${had_taints:=-}"
    [ "$had_labels $had_taints" = "$labels $taints" ] ||
        pool "$worker" "$had_labels" "$had_taints" "$labels" "$taints" || failed=1
done </etc/kubernetes/pools
[ "$failed" = 0 ] || exit 1

# Addons are upgraded after the last control plane, since kube-proxy must not be newer than any API server:
# https://kubernetes.io/releases/version-skew-policy/#kube-proxy
wanted=$(cat /etc/kubernetes/kubeadm-init.yaml /etc/kubernetes/addons/* 2>/dev/null | sha256sum)
[ "$wanted" != "$(cat "$STATE/addons" 2>/dev/null)" ] || exit 0
versions=$(kubectl get nodes -l node-role.kubernetes.io/control-plane \
    -o 'jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion}{"\n"}{end}') || exit 1
if grep -qvxF "$VERSION" <<<"$versions"; then
    log "addons are upgraded when every control plane has $VERSION: looked at again soon"
    exit 1
fi
kubeadm init phase upload-config all --config /etc/kubernetes/kubeadm-init.yaml || exit 1
kubeadm init phase addon all --config /etc/kubernetes/kubeadm-init.yaml || exit 1
for manifest in /etc/kubernetes/addons/*.yaml; do
    [ ! -e "$manifest" ] ||
        kubectl apply --server-side --force-conflicts --field-manager=pulumi-cloudstack -f "$manifest" || exit 1
done
echo "$wanted" >"$STATE/addons"
`;
