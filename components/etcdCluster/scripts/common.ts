import { sh } from "../../cloudInit";

/**
 * Functions that the scripts share. They source it with the path of the file with their variables, see
 * `nodeEnvironment`.
 */
export const common = sh`
# shellcheck shell=bash
# Variables and functions of the etcd scripts.
set -uo pipefail
# shellcheck source=/dev/null
. "\${1:?}"

log() { echo "$(basename "$0")[$NAME]: $*" >&2; }

# Runs etcdctl with this member's client certificate: ctl_for SECONDS ENDPOINTS ARGUMENTS
ctl_for() {
  local seconds=$1 endpoints=$2
  shift 2
  timeout $((seconds + 5)) "$BIN/etcdctl" --dial-timeout=2s --command-timeout="\${seconds}s" \
    --cacert="$PKI/ca.crt" --cert="$PKI/client.crt" --key="$PKI/client.key" --endpoints="$endpoints" "$@"
}
ctl() { ctl_for 3 "$@"; }

# True if the port is open. Checked first, since etcdctl would wait for a machine that is down.
reachable() {
  local address=\${1#https://}
  timeout 1 bash -c "exec 3<>/dev/tcp/\${address%:*}/\${address##*:}" 2>/dev/null
}

# Asks all other members in parallel for the member list, which only a member with a quorum returns. Sets LIVE (its
# URL) and LIST (lines "id, status, name, peer URL, client URL, is learner"), both empty if none answers.
ask_others() {
  local work url count=0
  LIVE="" LIST=""
  work=$(mktemp -d)
  for url in $OTHERS; do
    count=$((count + 1))
    {
      reachable "$url" && ctl "$url" member list >"$work/$count.list" 2>/dev/null && [ -s "$work/$count.list" ] &&
        echo "$url" >"$work/$count.url"
    } &
  done
  wait
  for url in "$work"/*.url; do
    [ -e "$url" ] || continue
    # shellcheck disable=SC2034 # for the scripts
    LIVE=$(cat "$url") LIST=$(cat "\${url%.url}.list")
    break
  done
  rm -rf "$work"
  [ -n "$LIVE" ]
}

# The id of the cluster that an endpoint belongs to.
cluster_of() { ctl "$1" member list -w fields 2>/dev/null | sed -n 's/^"ClusterID" : //p'; }

# One field of this member's own status, which needs no quorum.
status_field() { ctl "$CLIENT_URL" endpoint status -w json 2>/dev/null | sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"; }

# This member's id as member list prints it.
own_id() { ctl "$CLIENT_URL" endpoint status 2>/dev/null | awk -F', ' '{ print $2 }'; }
`;
