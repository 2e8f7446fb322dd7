import { sh } from "../../cloudInit";

/**
 * `kubernetes-approve`: run on every control plane, twice a minute.
 *
 * Kubelets request serving certificates from the cluster's authority. Kubernetes does not approve these requests by
 * itself: a node could request a certificate for the address of another one, and impersonate it to clients (logs, exec,
 * metrics). The signer `kubernetes.io/kubelet-serving` checks the subject, the usages and that the node requests it for
 * itself. This script checks the subject alternative names:
 * - a DNS name must be the node's name;
 * - an address must be on the node's Node object and on no other;
 * - an address must also be the one in the program (control planes), or the one that the network's DNS returns for the
 *   node's name (workers): the virtual router creates these records, and nodes cannot change them.
 * Other requests are neither approved nor denied: they are logged, and checked again at the next run.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export const approve = sh`
#!/bin/bash
# Approves serving certificates of nodes for their own names and addresses.
set -uo pipefail
. /etc/kubernetes/node.env
export KUBECONFIG=/etc/kubernetes/admin.conf
[ -e "$KUBECONFIG" ] || exit 0

requests=$(kubectl get csr --field-selector spec.signerName=kubernetes.io/kubelet-serving -o 'go-template=
    {{- range .items}}{{if not .status.conditions}}
        {{- .metadata.name}} {{.spec.username}} {{.spec.request}}{{"\n"}}
    {{- end}}{{end}}') || exit 1
[ -n "$requests" ] || exit 0
addresses=$(kubectl get nodes -o 'go-template=
    {{- range .items}}
        {{- .metadata.name}}{{range .status.addresses}}{{if ne .type "Hostname"}} {{.address}}{{end}}{{end}}{{"\n"}}
    {{- end}}') || exit 1

known() { # NODE: its addresses from a source that the node does not control
    local each
    for each in $CONTROL_PLANES; do
        [ "\${each%%=*}" != "$1" ] || { echo "\${each#*=}"; return; }
    done
    getent ahostsv4 "$1" | awk '$1 !~ /^127\./ { print $1 }' | sort -u
}

# The text of a request that has subject alternative names and no other extension. The whole text must match, because a
# name may contain line breaks, and other names may follow them.
plain='^[[:space:]]+X509v3 Subject Alternative Name: *(critical)?[[:space:]]+([A-Za-z0-9:., -]+)
 +Signature Algorithm: [A-Za-z0-9-]+
( +Signature Value:
)?[0-9a-f:[:space:]]+$'

wrong() { # NODE REQUEST: the first thing that is wrong with it
    local text san address owners
    text=$(base64 -d <<<"$2" | openssl req -noout -text)
    [[ \${text#*Requested Extensions:} =~ $plain ]] || { echo "it asks for more than names and addresses"; return; }
    while read -r san; do
        case $san in
        "DNS:$1") ;;
        "IP Address:"*)
            address=\${san#IP Address:}
            owners=$(awk -v a="$address" '{ for (i = 2; i <= NF; i++) if ($i == a) print $1 }' <<<"$addresses" | sort -u)
            [ "$owners" = "$1" ] || { echo "$address is not an address of this node alone"; return; }
            grep -qxF "$address" <<<"$(known "$1")" || { echo "$address is not an address of this node in the network"; return; }
            ;;
        *) echo "$san is not the node's name"; return ;;
        esac
    done <<<"\${BASH_REMATCH[2]//, /$'\n'}"
}

while read -r request user content; do
    node=\${user#system:node:}
    if [ "$user" != "system:node:$node" ]; then
        echo "$request: $user is not a node" >&2
        continue
    fi
    reason=$(wrong "$node" "$content")
    if [ -z "$reason" ]; then
        kubectl certificate approve "$request"
    else
        echo "$request of $node is not approved: $reason" >&2
    fi
done <<<"$requests"
`;
