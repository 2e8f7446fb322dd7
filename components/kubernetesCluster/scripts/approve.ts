import { sh } from "../../cloudInit";

/**
 * `kubernetes-approve`: run on every control plane, twice a minute.
 *
 * Kubelets ask for serving certificates of the cluster's authority, and nothing in Kubernetes approves them: any node
 * could ask for any address, and whoever calls it there (logs, exec, metrics) would believe it. The signer itself
 * checks subject, usage and that the node asks for itself; what is left to check is whether the names and addresses are
 * the node's own:
 * - a name must be the node's name;
 * - an address must be on the node's Node object and on no other;
 * - and it must be what the program says (control planes), or else what the network's DNS says of the node's name: the
 *   virtual router names every machine, and no node can change that.
 * A request that does not fit stays as it is, with a line in the log, and is looked at again.
 */
export const approve = sh`
#!/bin/bash
# Approves serving certificates that nodes ask for themselves, for names and addresses that are theirs.
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

known() { # NODE: its addresses by somebody else's word
    local each
    for each in $CONTROL_PLANES; do
        [ "\${each%%=*}" != "$1" ] || { echo "\${each#*=}"; return; }
    done
    getent ahostsv4 "$1" | awk '$1 !~ /^127\./ { print $1 }' | sort -u
}

# The text of a request that asks for names and addresses and for nothing else. It is matched to its end: a name may have
# line ends in it, and what comes after them must not be overlooked.
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
