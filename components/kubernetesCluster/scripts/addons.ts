import { sh } from "../../cloudInit";

/**
 * `kubernetes-addons`: run after `kubernetes-control-plane`, every few minutes. Only the first control plane of the
 * program's list does anything, so that two of them with different files cannot conflict; and, once, the one that
 * created the cluster, so that pods have a network before the first one has joined.
 */
export const addons = sh`
#!/bin/bash
# Keeps the objects of the whole cluster as the program says: labels and taints of pools, kubeadm's addons, manifests.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh
only_as_installed

[ -e "$STATE/joined" ] || exit 0
if [ "\${CONTROL_PLANES%%=*}" != "$NODE" ]; then
    [ ! -e "$STATE/addons" ] && [ "$(read_mark created)" = "$NODE" ] || exit 0
fi

gone() { # OLD NEW: what the comma list OLD has and NEW has not
    local each
    for each in \${1//,/ }; do
        case ",$2," in *",$each,"*) ;; *) [ "$each" = - ] || echo "$each" ;; esac
    done
}

# Labels and taints that a kubelet set at registration, and those it may not set. An annotation remembers what was set,
# so that what the program no longer names goes away and what others have set stays.
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

# What runs on all nodes follows when the last control plane has the version, as kube-proxy may not be newer than an API
# server.
wanted=$(cat /etc/kubernetes/kubeadm-init.yaml /etc/kubernetes/addons/* 2>/dev/null | sha256sum)
[ "$wanted" != "$(cat "$STATE/addons" 2>/dev/null)" ] || exit 0
versions=$(kubectl get nodes -l node-role.kubernetes.io/control-plane \
    -o 'jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion}{"\n"}{end}') || exit 1
if grep -qvxF "$VERSION" <<<"$versions"; then
    log "not every control plane has $VERSION yet"
    exit 0
fi
kubeadm init phase upload-config all --config /etc/kubernetes/kubeadm-init.yaml || exit 1
kubeadm init phase addon all --config /etc/kubernetes/kubeadm-init.yaml || exit 1
for manifest in /etc/kubernetes/addons/*.yaml; do
    [ ! -e "$manifest" ] ||
        kubectl apply --server-side --force-conflicts --field-manager=pulumi-cloudstack -f "$manifest" || exit 1
done
echo "$wanted" >"$STATE/addons"
`;
