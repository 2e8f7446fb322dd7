import { sh } from "../../cloudInit";

/** Follows every start of etcd: notes which member this is, and makes a learner a voter as soon as it has caught up. */
export const promote = sh`
#!/bin/bash
# Makes this member a voter: etcd-promote [ENVIRONMENT-FILE]
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${1:-/etc/etcd/node.env}"

until id=$(own_id) && [ -n "$id" ]; do sleep 1; done

tries=0
while :; do
  # A learner cannot say who is in the cluster; if there are no others, this one is a voter.
  if ask_others; then :; elif LIST=$(ctl "$CLIENT_URL" member list 2>/dev/null); then LIVE=$CLIENT_URL; else LIST=""; fi
  case $(grep "^$id, " <<<"$LIST") in
    *", false") break ;;
    *", true")
      if message=$(ctl "$LIVE" member promote "$id" 2>&1); then
        log "is a voter now"
        break
      fi
      [ $((tries % 30)) != 0 ] || log "still a learner: $message" ;;
    *) [ $((tries % 30)) != 0 ] || log "the cluster does not answer, or does not know $id" ;;
  esac
  tries=$((tries + 1))
  sleep 1
done

# What etcd-prestart compares with the cluster's own list.
echo "$id $(cluster_of "$LIVE")" >"$HOME_DIR/member-id.new" && mv "$HOME_DIR/member-id.new" "$HOME_DIR/member-id"
`;
