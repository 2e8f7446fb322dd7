import { sh } from "../../cloudInit";

/**
 * Runs before every start of etcd and decides how it starts: a first start, a restart, a lost disk and a replaced
 * machine need no special commands. It never starts a second cluster while one is running: a member without data
 * bootstraps a new cluster only if it is a founder, within the bootstrap window, and if no other member has a quorum.
 */
export const prestart = sh`
#!/bin/bash
# Decides how etcd starts: etcd-prestart [ENVIRONMENT-FILE]
# Writes ETCD_INITIAL_CLUSTER and ETCD_INITIAL_CLUSTER_STATE to initial.env.
# Exit status 1: not now; systemd retries.
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${1:-/etc/etcd/node.env}"

start() {
  printf 'ETCD_INITIAL_CLUSTER=%s\nETCD_INITIAL_CLUSTER_STATE=%s\n' "$2" "$1" >"$RUN_DIR/initial.env"
  : >"$RUN_DIR/ran"
  log "starting, state $1, cluster $2"
  exit 0
}

# True if LIST has a member with this one's address.
is_listed() { awk -F', ' -v me="$PEER_URL" '$4 == me { found = 1 } END { exit !found }' <<<"$LIST"; }

# Exits if the member was removed from the program, which the cluster records.
stay_out_if_removed() {
  local since
  ! is_listed || return 0
  since=$(ctl "$LIVE" get --print-value-only "$REMOVED_PREFIX$NAME" 2>/dev/null) || exit 1
  [ -n "$since" ] || return 0
  log "this member was removed from the cluster at $since, and does not join until it is in the program again." \
    "To let it join now: etcdctl del $REMOVED_PREFIX$NAME"
  exit 1
}

# True if the member with the local data is not in LIST: it was removed, or the cluster was restored.
data_is_stale() {
  local id="" cluster=""
  [ ! -e "$HOME_DIR/member-id" ] || read -r id cluster <"$HOME_DIR/member-id"
  if [ -n "$id" ]; then
    if grep -q "^$id, " <<<"$LIST" && [ "$cluster" = "$(cluster_of "$LIVE")" ]; then return 1; fi
  elif is_listed; then
    return 1
  fi
  # If it has run since boot, it was removed on purpose and its machine is about to be deleted. (A restored cluster has
  # another id.)
  if [ -e "$RUN_DIR/ran" ] && { [ -z "$cluster" ] || [ "$cluster" = "$(cluster_of "$LIVE")" ]; }; then
    log "this member was removed from the cluster and does not join. To let it join again: rm $RUN_DIR/ran"
    exit 1
  fi
}

if [ -d "$DATA_DIR/member/wal" ]; then
  # With existing data, etcd ignores ETCD_INITIAL_CLUSTER.
  if ! ask_others || ! data_is_stale; then start existing "$NAME=$PEER_URL"; fi
  stay_out_if_removed
  aside=$HOME_DIR/removed-$(date -u +%Y%m%dT%H%M%SZ)
  log "the member with the local data is not in the cluster: moving the data to $aside and joining as a new member"
  rm -rf "$HOME_DIR"/removed-*
  mv "$DATA_DIR" "$aside" || exit 1
  rm -f "$HOME_DIR/member-id"
elif ! ask_others; then
  if [ -n "$FOUNDERS" ] && [ "$(date +%s)" -lt "$WINDOW_END" ]; then start new "$FOUNDERS"; fi
  if [ -z "$FOUNDERS" ]; then
    log "no other member has a quorum, and this one is not a founder: waiting"
  else
    log "no other member has a quorum, and the bootstrap window closed at $(date -u -d "@$WINDOW_END")." \
      "A member without data must not start a new cluster now. If the cluster is new: raise bootstrapWindowSeconds." \
      "If it has lost its data: etcd-restore SNAPSHOT on one member."
  fi
  exit 1
fi

stay_out_if_removed

# Without data, and there is a cluster: entries of earlier instances of this member are removed first.
known="" gone=""
while IFS=, read -r id _ called peer client _; do
  id=\${id// /} called=\${called// /} peer=\${peer// /} client=\${client// /}
  if [ "$peer" = "$PEER_URL" ]; then
    # Without a client URL it was added and never started: this member.
    if [ -z "$client" ]; then known=$id; else gone="$gone $id"; fi
  elif [ "$called" = "$NAME" ]; then
    if [ -n "$client" ] && ctl "$client" endpoint health >/dev/null 2>&1; then
      log "a member with this name is healthy at $client: waiting until it is gone"
      exit 1
    fi
    gone="$gone $id"
  fi
done <<<"$LIST"

for id in $gone; do
  log "removing $id, an earlier instance of this member"
  ctl "$LIVE" member remove "$id" >&2 || exit 1
done
if [ -z "$known" ]; then
  log "joining as a learner"
  ctl "$LIVE" member add "$NAME" --learner --peer-urls="$PEER_URL" >&2 || exit 1
fi

# All members must be listed, including those that have not started yet and have no name.
cluster=$(ctl "$LIVE" member list | awk -F', ' -v me="$PEER_URL" -v name="$NAME" '
  { if ($4 == me) $3 = name; else if ($3 == "") $3 = "unstarted-" $1; printf "%s%s=%s", (count++ ? "," : ""), $3, $4 }')
[[ $cluster == *"$NAME=$PEER_URL"* ]] || exit 1
start existing "$cluster"
`;
