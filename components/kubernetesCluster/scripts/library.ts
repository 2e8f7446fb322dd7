import { sh } from "../../cloudInit";

/** Functions that the scripts of a control plane share. They source it after `node.env`. */
export const library = sh`
PKI=/etc/kubernetes/pki
STATE=/var/lib/kubernetes
export KUBECONFIG=/etc/kubernetes/admin.conf

log() { echo "$*" >&2; }

# Only one of the scripts runs at a time on this machine.
exec 9>/run/kubernetes-control-plane.lock
flock 9

# If the program asks for another version, the files are meant for this machine after its reinstallation, and must not be
# applied before.
only_as_installed() { # exits if the version in the files differs from the installed one
    local installed
    installed=$(kubeadm version -o short) || exit 1
    [ "$installed" != "$VERSION" ] || return 0
    [ -e "$STATE/joined" ] || { log "kubeadm of this machine is $installed, and the program asks for $VERSION"; exit 1; }
    log "this machine has $installed and must be reinstalled for $VERSION"
    exit 0
}

# --- etcd, through its gRPC gateway, which needs only curl: https://etcd.io/docs/latest/dev-guide/api_grpc_gateway/

etcd() { # PATH BODY: the response of the first member that responds
    local endpoint
    for endpoint in \${ETCD_ENDPOINTS//,/ }; do
        curl -fsS -m 5 --noproxy '*' --cacert "$PKI/etcd/ca.crt" --cert "$PKI/apiserver-etcd-client.crt" \
            --key "$PKI/apiserver-etcd-client.key" -d "$2" "$endpoint$1" && return 0
    done
    log "no member of etcd answers: $ETCD_ENDPOINTS"
    return 1
}

b64() { printf %s "$1" | base64 -w0; }
mark_key() { b64 "/pulumi-cloudstack/$CLUSTER/$1"; }

read_mark() { # NAME: its value, or nothing if it is not set
    local answer
    answer=$(etcd /v3/kv/range "{\"key\":\"$(mark_key "$1")\"}") || return 1
    sed -n 's/.*"value":"\([^"]*\)".*/\1/p' <<<"$answer" | base64 -d
}

write_mark() { # NAME VALUE
    etcd /v3/kv/put "{\"key\":\"$(mark_key "$1")\",\"value\":\"$(b64 "$2")\"}" >/dev/null
}

# The lock has a lease: it is released within a minute if the machine fails. A machine that restarts reacquires its lock.
try_lock() {
    local holder compare
    holder=$(read_mark lock) || return 1
    if [ -z "$holder" ]; then
        compare='"target":"CREATE","create_revision":"0"'
    elif [ "$holder" = "$NODE" ]; then
        compare="\"target\":\"VALUE\",\"value\":\"$(b64 "$NODE")\""
    else
        return 1
    fi
    LEASE=$(etcd /v3/lease/grant '{"TTL":"60"}' | sed -n 's/.*"ID":"\([0-9]*\)".*/\1/p')
    [ -n "$LEASE" ] || return 1
    if ! etcd /v3/kv/txn "{\"compare\":[{\"key\":\"$(mark_key lock)\",$compare}],
        \"success\":[{\"request_put\":{\"key\":\"$(mark_key lock)\",\"value\":\"$(b64 "$NODE")\",\"lease\":\"$LEASE\"}}]}" |
        grep -q '"succeeded":true'; then
        release_lease
        return 1
    fi
    while sleep 15 && kill -0 $$; do
        etcd /v3/lease/keepalive "{\"ID\":\"$LEASE\"}" >/dev/null
    done >/dev/null 2>&1 9>&- &
    KEEPER=$!
    trap unlock EXIT
}

release_lease() { etcd /v3/lease/revoke "{\"ID\":\"$LEASE\"}" >/dev/null; }

unlock() {
    [ -n "\${KEEPER:-}" ] || return 0
    kill "$KEEPER" 2>/dev/null
    KEEPER=
    release_lease || true
}

lock() { # waits for the lock, at most ten minutes
    local until=$((SECONDS + 600))
    until try_lock; do
        [ "$SECONDS" -lt "$until" ] || { log "the lock is still held by $(read_mark lock)"; return 1; }
        sleep 5
    done
}

# --- control planes

answers() { # ADDRESS: whether an API server of this cluster is ready there
    curl -fsS -m 3 -o /dev/null --noproxy '*' --cacert "$PKI/ca.crt" --resolve "kubernetes:6443:$1" \
        https://kubernetes:6443/readyz 2>/dev/null
}

wait_ready() { # waits until this machine's API server is ready
    local until=$((SECONDS + 600))
    until answers "$ADDRESS"; do
        [ "$SECONDS" -lt "$until" ] || { log "the API server of this machine is not ready"; return 1; }
        sleep 2
    done
}

restart_pod() { # NAME PORT: kubelet stops a static pod if its manifest is removed
    local until=$((SECONDS + 120))
    mv -f "/etc/kubernetes/manifests/$1.yaml" "$STATE/$1.yaml"
    while timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$2" 2>/dev/null && [ "$SECONDS" -lt "$until" ]; do sleep 1; done
    mv -f "$STATE/$1.yaml" "/etc/kubernetes/manifests/$1.yaml"
}

older() { # A B: whether version A comes before B
    [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
`;
