import { sh } from "../../cloudInit";

/** Saves a verified snapshot of this member and deletes old ones. */
export const snapshot = sh`
#!/bin/bash
# Saves and verifies a snapshot, then deletes old ones: etcd-snapshot [ENVIRONMENT-FILE]
# It keeps the newest KEEP_HOURLY snapshots, and the newest of each of the last KEEP_DAILY days that have one.
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib/etcd-common.sh" "\${1:-/etc/etcd/node.env}"

prune() {
  local file day kept=0 days=0 last=""
  while IFS= read -r file; do
    day=$(basename "$file")
    day=\${day:5:8}
    if [ "$day" != "$last" ]; then
      last=$day
      days=$((days + 1))
      [ "$days" -gt "$KEEP_DAILY" ] || { kept=$((kept + 1)); continue; }
    fi
    kept=$((kept + 1))
    [ "$kept" -le "$KEEP_HOURLY" ] || rm -f "$file"
  done < <(find "$SNAPSHOT_DIR" -maxdepth 1 -name 'etcd-*.db' | sort -r)
}

# A snapshot ends with the SHA-256 of its content; etcdutl checks the database in it page by page.
verify() {
  local size
  size=$(stat -c %s "$1") || return 1
  [ "$(head -c $((size - 32)) "$1" | sha256sum | cut -d ' ' -f 1)" = \
    "$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n')" ] || { log "$1 is damaged: wrong hash"; return 1; }
  "$BIN/etcdutl" snapshot status "$1" >/dev/null
}

learner=$(status_field isLearner)
[ "$learner" != true ] || { log "this member is a learner: no snapshot"; exit 0; }

mkdir -p "$SNAPSHOT_DIR"
rm -f "$SNAPSHOT_DIR"/*.part
size=$(status_field dbSize)
[ -n "$size" ] || { log "etcd does not answer"; exit 1; }
# A full volume would stop etcd, so there is no snapshot if space is short.
free=$(df --output=avail -B1 "$SNAPSHOT_DIR" | tail -n 1)
if [ "$free" -lt $((size * 2 + 67108864)) ]; then
  prune
  log "not enough space for a snapshot of $size bytes: $free bytes are free. Grow the volume or keep fewer snapshots"
  exit 1
fi

file=$SNAPSHOT_DIR/etcd-$(date -u +%Y%m%dT%H%M%SZ).db
ctl_for 600 "$CLIENT_URL" snapshot save "$file.part" >/dev/null 2>"$RUN_DIR/snapshot.log" ||
  { log "cannot save a snapshot: $(tail -n 1 "$RUN_DIR/snapshot.log")"; exit 1; }
verify "$file.part" || { rm -f "$file.part"; exit 1; }
sync "$file.part"
mv "$file.part" "$file"
log "saved $file, $(stat -c %s "$file") bytes"
prune
`;
