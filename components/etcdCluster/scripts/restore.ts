import { sh } from "../../cloudInit";

/** The one command for a cluster that has lost its data: on one member; the others come back by themselves. */
export const restore = sh`
#!/bin/bash
# Starts the cluster anew from a snapshot, on this member: etcd-restore SNAPSHOT [ENVIRONMENT-FILE]
#
# For a cluster that has lost its quorum for good. Run it on ONE member, with the newest snapshot of any member
# (/var/lib/etcd/snapshots on each). It starts a cluster of this one member with the snapshot's content; the other
# members notice, put what is left of their data aside and join as learners. Where etcd still runs on one of them,
# it has to be restarted there: systemctl restart etcd
#
# The restored cluster has another id, so that nothing of the old one can mix with it, and revisions are raised by a
# billion, so that clients that watch (Kubernetes does) notice that time went back.
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${2:-/etc/etcd/node.env}"

file=\${1:?usage: etcd-restore SNAPSHOT}
[ -r "$file" ] || { log "there is no $file"; exit 1; }
if ask_others; then
  log "$LIVE is in touch with a quorum: the cluster lives, and nothing has to be restored." \
    "To go back to a snapshot all the same, stop etcd on all other members first"
  exit 1
fi

now=$(date -u +%Y%m%dT%H%M%SZ)
systemctl stop etcd.service || exit 1
if [ -e "$DATA_DIR" ]; then
  log "moving the old data to $HOME_DIR/before-restore-$now"
  mv "$DATA_DIR" "$HOME_DIR/before-restore-$now" || exit 1
fi
# Checks the snapshot's hash, too.
"$BIN/etcdutl" snapshot restore "$file" --data-dir "$DATA_DIR" --name "$NAME" --initial-cluster "$NAME=$PEER_URL" \
  --initial-cluster-token "$TOKEN-restored-$now" --initial-advertise-peer-urls "$PEER_URL" \
  --bump-revision 1000000000 --mark-compacted || { log "the snapshot could not be restored"; exit 1; }
rm -f "$HOME_DIR/member-id"
if [ "$(id -u)" = 0 ]; then chown -R etcd:etcd "$DATA_DIR"; fi
systemctl start etcd.service || exit 1
log "restored. Restart etcd on the other members where it still runs; they join one after the other"
`;
