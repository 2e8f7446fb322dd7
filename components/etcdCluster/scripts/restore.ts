import { sh } from "../../cloudInit";

/** Restores a cluster that has lost its data. It is run on one member; the others rejoin by themselves. */
export const restore = sh`
#!/bin/bash
# Restores the cluster from a snapshot, on this member: etcd-restore SNAPSHOT [ENVIRONMENT-FILE]
#
# For a cluster that has permanently lost its quorum. Run it on ONE member, with the newest snapshot of any member
# (in /var/lib/etcd/snapshots). It starts a cluster of this one member with the snapshot's content; the other
# members detect this, move their remaining data aside and join as learners. If etcd still runs on one of them,
# it must be restarted there: systemctl restart etcd
#
# The restored cluster has another id, so that members of the old one cannot join it, and revisions are raised by a
# billion, so that clients with watches (such as Kubernetes) notice that the data went back in time.
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${2:-/etc/etcd/node.env}"

file=\${1:?usage: etcd-restore SNAPSHOT}
[ -r "$file" ] || { log "$file not found"; exit 1; }
if ask_others; then
  log "$LIVE has a quorum: the cluster works, and nothing needs to be restored." \
    "To go back to a snapshot anyway, stop etcd on all other members first"
  exit 1
fi

now=$(date -u +%Y%m%dT%H%M%SZ)
systemctl stop etcd.service || exit 1
if [ -e "$DATA_DIR" ]; then
  log "moving the old data to $HOME_DIR/before-restore-$now"
  mv "$DATA_DIR" "$HOME_DIR/before-restore-$now" || exit 1
fi
# Also checks the snapshot's hash.
"$BIN/etcdutl" snapshot restore "$file" --data-dir "$DATA_DIR" --name "$NAME" --initial-cluster "$NAME=$PEER_URL" \
  --initial-cluster-token "$TOKEN-restored-$now" --initial-advertise-peer-urls "$PEER_URL" \
  --bump-revision 1000000000 --mark-compacted || { log "the snapshot could not be restored"; exit 1; }
rm -f "$HOME_DIR/member-id"
if [ "$(id -u)" = 0 ]; then chown -R etcd:etcd "$DATA_DIR"; fi
systemctl start etcd.service || exit 1
log "restored. Restart etcd on the other members if it still runs there; they join one after another"
`;
