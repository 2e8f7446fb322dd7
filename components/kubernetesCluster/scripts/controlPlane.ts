import { sh } from "../../cloudInit";

/**
 * `kubernetes-control-plane`: run at boot until it succeeds and every few minutes afterwards.
 *
 * No control plane is special. A lock in etcd elects the one that creates the cluster, and a mark in etcd says for ever
 * that it was created: from then on a machine, also a replaced one, only joins. One exception: where all control planes
 * are gone (the only one was reinstalled, say) there is nothing to join, so after a while one of them, elected by the
 * same lock, starts on what etcd still holds, with the same authorities; no object of the cluster is lost by it.
 */
export const controlPlane = sh`
#!/bin/bash
# Makes this machine a control plane, and keeps it one that is set up as its files say.
set -uo pipefail
. /etc/kubernetes/node.env
. /usr/local/lib/kubernetes/control-plane.sh
only_as_installed

INIT=/etc/kubernetes/kubeadm-init.yaml

ignored() { cat /etc/kubernetes/kubeadm.d/*.ignore 2>/dev/null | paste -sd,; }

# What the running API server was made of. The policy of authentication and the encryption key it reads again itself.
settings() { cat $INIT /etc/kubernetes/conf/admission.yaml /etc/kubernetes/conf/audit-policy.yaml | sha256sum; }

other_answers() {
    local each
    for each in $CONTROL_PLANES; do
        [ "\${each%%=*}" = "$NODE" ] || ! answers "\${each#*=}" || return 0
    done
    return 1
}

# Whether nobody else is there to join: at once where there is nobody else, else after five minutes of silence.
alone() { [ "$CONTROL_PLANES" = "$NODE=$ADDRESS" ] || [ "$SECONDS" -ge "\${LOST_SECONDS:-300}" ]; }

# Each try starts from a clean machine; the certificates and keys that were given stay.
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
    # Credentials that nobody is to have: the key past all permissions, and the token that kubeadm makes for joining.
    rm -f /etc/kubernetes/super-admin.conf
    kubectl -n kube-system delete secret --field-selector type=bootstrap.kubernetes.io/token || true
}

join() {
    log "this machine joins the cluster"
    clean || return 1
    kubeadm init phase kubeconfig admin --config $INIT || return 1
    local running
    running=$(kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}' |
        sed -n 's/^kubernetesVersion: //p')
    [ -n "$running" ] || return 1
    # kubeadm installs the version that the cluster names: the first control plane of a newer one says so.
    if older "$running" "$VERSION"; then
        log "the cluster goes from $running to $VERSION"
        kubeadm init phase upload-config all --config $INIT || return 1
    fi
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
            # Somebody may have been faster between the question and the lock.
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

# One control plane after the other takes over changed settings. What cannot be made anew leaves the old one running.
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
