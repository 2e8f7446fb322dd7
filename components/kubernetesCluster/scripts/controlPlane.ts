import { sh } from "../../cloudInit";

/**
 * `kubernetes-control-plane`: run at boot until it succeeds and every few minutes afterwards.
 *
 * All control planes are equal. A lock in etcd elects the one that creates the cluster, and a key in etcd permanently
 * records that it was created: from then on machines, including replaced ones, only join. There is one exception. If
 * all control planes are gone (for example because the only one was reinstalled), there is nothing to join. Then, after
 * a timeout, the lock elects a machine that runs `kubeadm init` on the existing data in etcd, with the same
 * authorities. No object of the cluster is lost.
 */
export const controlPlane = sh`
#!/bin/bash
# Makes this machine a control plane, and applies changes of its configuration files.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh
only_as_installed

INIT=/etc/kubernetes/kubeadm-init.yaml

ignored() { cat /etc/kubernetes/kubeadm.d/*.ignore 2>/dev/null | paste -sd,; }

# Checksum of the files that the API server reads at its start. It reloads authentication and encryption by itself.
settings() { cat $INIT /etc/kubernetes/conf/admission.yaml /etc/kubernetes/conf/audit-policy.yaml | sha256sum; }

other_answers() {
    local each
    for each in $CONTROL_PLANES; do
        [ "\${each%%=*}" = "$NODE" ] || ! answers "\${each#*=}" || return 0
    done
    return 1
}

# Whether there is no other control plane to join: if there is only one, or if none has answered for five minutes.
alone() { [ "$CONTROL_PLANES" = "$NODE=$ADDRESS" ] || [ "$SECONDS" -ge "\${LOST_SECONDS:-300}" ]; }

# Undoes a previous attempt; the certificates and keys of the user data are kept.
clean() {
    if [ -e "$STATE/tried" ]; then
        kubeadm reset --force --cert-dir "$STATE/none" || return 1
    fi
    mkdir -p /etc/kubernetes/kubeadm.d/patches "$STATE" && touch "$STATE/tried"
}

create() {
    log "this machine starts the cluster"
    clean || return 1
    kubeadm init --config $INIT --skip-token-print --ignore-preflight-errors="$(ignored)" || return 1
    write_mark created "$NODE" || return 1
    # Credentials that are not needed: the kubeconfig that bypasses RBAC, and kubeadm's bootstrap token for joining.
    rm -f /etc/kubernetes/super-admin.conf
    kubectl -n kube-system delete secret --field-selector type=bootstrap.kubernetes.io/token || true
}

# kubeadm does not join a machine whose node seems to be Ready. It seems so for some time after the machine was reinstalled
# or replaced, since nobody has noticed yet that the kubelet of that node has gone.
node_is_away() {
    local ready='{"type":"Ready","status":"Unknown","reason":"Reinstalled","message":"the machine is being installed"}'
    [ -n "$(kubectl get node "$NODE" --ignore-not-found -o name)" ] || return 0
    kubectl patch node "$NODE" --subresource=status --type=strategic -p "{\"status\":{\"conditions\":[$ready]}}"
}

join() {
    log "this machine joins the cluster"
    clean || return 1
    kubeadm init phase kubeconfig admin --config $INIT || return 1
    local running
    running=$(kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}' |
        sed -n 's/^kubernetesVersion: //p')
    [ -n "$running" ] || return 1
    # kubeadm installs the version in the cluster's ConfigMap, so the first control plane of a newer version updates it.
    if older "$running" "$VERSION"; then
        log "the cluster goes from $running to $VERSION"
        # With the kubeconfig of another path, since kubeadm uses its own one with this machine's API server.
        ln -sf /etc/kubernetes/admin.conf "$STATE/admin.conf"
        kubeadm init phase upload-config all --config $INIT --kubeconfig "$STATE/admin.conf" || return 1
    fi
    node_is_away || return 1
    kubeadm join --config /etc/kubernetes/kubeadm-join.yaml --ignore-preflight-errors="$(ignored)"
}

bootstrap() {
    local created
    kubernetes-prepare || return 1
    while :; do
        created=$(read_mark created) || return 1
        if [ -n "$created" ] && other_answers; then
            join && return 0
            return 1
        fi
        if { [ -z "$created" ] || alone; } && try_lock; then
            # Another machine may have created the cluster before this one acquired the lock.
            created=$(read_mark created) || return 1
            if [ -z "$created" ] || ! other_answers; then
                create && unlock && return 0
                return 1
            fi
            unlock
        fi
        log "waiting: the cluster was created by \${created:-no control plane yet}, the lock is held by $(read_mark lock)"
        sleep 5
    done
}

# Control planes apply changed settings one at a time. If a step fails, the API server keeps running with the old ones.
reconfigure() {
    lock || return 1
    log "the settings of the control plane have changed"
    mv -f "$PKI/apiserver.crt" "$PKI/apiserver.key" "$STATE/"
    if ! kubeadm init phase certs apiserver --config $INIT; then
        mv -f "$STATE/apiserver.crt" "$STATE/apiserver.key" "$PKI/"
        return 1
    fi
    kubeadm init phase control-plane all --config $INIT || return 1
    restart_pod kube-apiserver 6443
    wait_ready && unlock
}

if [ ! -e "$STATE/joined" ]; then
    bootstrap || exit 1
    settings >"$STATE/settings"
    touch "$STATE/joined"
elif ! settings | cmp -s - "$STATE/settings"; then
    reconfigure || exit 1
    settings >"$STATE/settings"
fi
`;
