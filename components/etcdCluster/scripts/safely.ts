import { sh } from "../../cloudInit";

/** Restarts or defragments a member so that the cluster never loses its quorum. */
export const safely = sh`
#!/bin/bash
# Restarts or defragments this member, one member at a time and only while all are healthy:
#   etcd-safely restart|defragment [ENVIRONMENT-FILE]
# Exit status: 0 done or not needed, 1 failed, 75 not now.
action=\${1:?usage: etcd-safely restart|defragment [ENVIRONMENT-FILE]}
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${2:-/etc/etcd/node.env}"

not_now() { log "not now: $*"; exit 75; }

healthy() { ctl "$CLIENT_URL" endpoint health >/dev/null 2>&1; }

# True if defragmentation would free enough space to justify its pause.
has_gaps() {
  local size used
  size=$(status_field dbSize) used=$(status_field dbSizeInUse)
  [ -n "$size" ] && [ -n "$used" ] && [ $(((size - used) * 100)) -gt $((size * DEFRAGMENT_PERCENT)) ]
}

all_healthy() {
  local list endpoints
  list=$(ctl "$CLIENT_URL" member list 2>/dev/null) || not_now "no quorum"
  ! grep -q ', true$' <<<"$list" || not_now "a member is still joining"
  ! awk -F', ' '$5 == "" { found = 1 } END { exit !found }' <<<"$list" || not_now "a member has not started yet"
  endpoints=$(awk -F', ' '{ printf "%s%s", (NR > 1 ? "," : ""), $5 }' <<<"$list")
  ctl "$endpoints" endpoint health >/dev/null 2>&1 || not_now "a member is not healthy"
}

# Moves the leadership to another member first, which takes milliseconds; an election takes seconds.
hand_over() {
  local other
  [ "$(status_field leader)" = "$(status_field member_id)" ] || return 0
  other=$(ctl "$CLIENT_URL" member list | awk -F', ' -v me="$(own_id)" '$1 != me { print $1; exit }')
  [ -n "$other" ] || return 0
  ctl "$CLIENT_URL" move-leader "$other" >&2 || not_now "the leader could not be moved"
}

act() {
  case $action in
    restart) systemctl restart etcd.service ;;
    defragment) ctl_for 120 "$CLIENT_URL" defrag >&2 ;;
    *) log "unknown action $action"; return 1 ;;
  esac || { log "$action: failed"; return 1; }
  for _ in $(seq 60); do
    if healthy; then log "$action: done"; return 0; fi
    sleep 1
  done
  log "$action: not healthy after a minute"
  return 1
}

if [ "$action" = defragment ]; then
  healthy || not_now "this member is not healthy"
  has_gaps || { log "nothing to defragment"; exit 0; }
elif ! healthy; then
  # A restart cannot make it worse and may help. --no-block, since without a quorum it waits for the other members.
  systemctl restart --no-block etcd.service
  exit
fi
[ -n "$OTHERS" ] || { act; exit; }

if [ -z "\${ETCD_SAFELY_LOCKED:-}" ]; then
  # The lock is in etcd itself, held through the other members, since this one is about to restart.
  export ETCD_SAFELY_LOCKED=1
  ctl_for 1200 "\${OTHERS// /,}" lock --ttl=60 pulumi-cloudstack/maintenance "$0" "$action" "\${2:-/etc/etcd/node.env}"
  exit
fi
all_healthy
hand_over
act
`;
