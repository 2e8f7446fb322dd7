import { sh } from "../../cloudInit";

/** Runs after every start of etcd: records the member's id, and promotes a learner as soon as it is in sync. */
export const promote = sh`
#!/bin/bash
# Makes this member a voter: etcd-promote [ENVIRONMENT-FILE]
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${1:-/etc/etcd/node.env}"

until id=$(own_id) && [ -n "$id" ]; do sleep 1; done

tries=0
while :; do
  # A learner does not serve the member list; if there are no other members, this one is a voter.
  if ask_others; then :; elif LIST=$(ctl "$CLIENT_URL" member list 2>/dev/null); then LIVE=$CLIENT_URL; else LIST=""; fi
  case $(grep "^$id, " <<<"$LIST") in
    *", false") break ;;
    *", true")
      if message=$(ctl "$LIVE" member promote "$id" 2>&1); then
        log "promoted to a voting member"
        break
      fi
      [ $((tries % 30)) != 0 ] || log "still a learner: $message" ;;
    *) [ $((tries % 30)) != 0 ] || log "the cluster does not answer, or $id is not a member" ;;
  esac
  tries=$((tries + 1))
  sleep 1
done

# etcd-prestart compares this with the member list.
echo "$id $(cluster_of "$LIVE")" >"$HOME_DIR/member-id.new" && mv "$HOME_DIR/member-id.new" "$HOME_DIR/member-id"
`;
