import type { WriteFile } from "../cloudInit";
import { envFile, sh } from "../cloudInit";

/** A data volume of a machine. */
export interface DataVolume {
    /** Letters, digits and hyphens; the unit is {@link volumeService} of it. */
    readonly name: string;
    /** The file system's label, at most 16 characters: how the volume is known again on another machine. */
    readonly label: string;
    readonly mountPoint: string;
    /** `user:group`. @default "root:root" */
    readonly owner?: string;
    /** Octal. @default "0755" */
    readonly mode?: string;
}

/** The unit that whatever uses a volume must require and follow. */
export function volumeService(name: string): string {
    return `cs-volume@${name}.service`;
}

/** The files that find, format once, and mount data volumes. */
export function renderVolumes(volumes: readonly DataVolume[]): WriteFile[] {
    if (volumes.length === 0) return [];
    return [
        { path: "/usr/local/sbin/cs-volume", content: volumeScript, permissions: "0755" },
        { path: "/etc/systemd/system/cs-volume@.service", content: service },
        ...volumes.map(({ name, label, mountPoint, owner = "root:root", mode = "0755" }) => ({
            path: `/etc/cs/volumes/${name}.env`,
            content: envFile({ LABEL: label, MOUNT_POINT: mountPoint, OWNER: owner, MODE: mode }),
        })),
    ];
}

/**
 * CloudStack promises no device name, and a volume may be attached long after the machine has started, so the disk is
 * looked for until it is there: by its label, or the one disk that has nothing on it. It never formats what is not
 * empty.
 */
export const volumeScript = sh`
#!/bin/bash
# Finds the data volume of this machine, formats it if it is blank, and mounts it: cs-volume ENVIRONMENT-FILE
# The file sets LABEL, MOUNT_POINT, OWNER and MODE.
set -uo pipefail

# shellcheck source=/dev/null
. "\${1:?usage: cs-volume ENVIRONMENT-FILE}"
devices=\${CS_VOLUME_DEVICES:-/dev/vd* /dev/sd* /dev/xvd* /dev/nvme*n* /dev/loop*}

log() { echo "cs-volume: $*" >&2; }

# Disks and partitions with something behind them. Names are those in /dev: udev may not run.
disks() {
  local node
  for node in $devices; do
    [ -b "$node" ] && [ "$(blockdev --getsize64 "$node" 2>/dev/null || echo 0)" -gt 33554432 ] && echo "$node"
  done
}

label_of() { blkid -p -s LABEL -o value "$1" 2>/dev/null; }
number_of() {
  local hex
  hex=$(stat -c '%t %T' "$1") && echo "$((0x\${hex% *})):$((0x\${hex#* }))"
}

# Nothing on it, nobody uses it, it has no partitions, and it may be written.
is_blank() {
  local sys
  sys=/sys/dev/block/$(number_of "$1")
  if [ -e "$sys/partition" ]; then return 1; fi
  if compgen -G "$sys/*/partition" >/dev/null || compgen -G "$sys/holders/*" >/dev/null; then return 1; fi
  [ "$(blockdev --getro "$1")" = 0 ] || return 1
  blkid -p "$1" >/dev/null 2>&1
  [ $? = 2 ]
}

# An ext4 file system that somebody else made, without a label and with nothing in it.
is_empty_ext4() {
  [ "$(blkid -p -s TYPE -o value "$1" 2>/dev/null)" = ext4 ] && [ -z "$(label_of "$1")" ] || return 1
  grep -q " $(number_of "$1") " /proc/self/mountinfo && return 1
  local look empty=1
  look=$(mktemp -d)
  if mount -t ext4 -o ro,noload "$1" "$look" 2>/dev/null; then
    [ -z "$(find "$look" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ] && empty=0
    umount "$look"
  fi
  rmdir "$look"
  return $empty
}

# True if a hundredth of the device or more lies behind its file system.
has_grown() {
  local blocks size device
  device=$(blockdev --getsize64 "$1")
  read -r blocks size < <(
    dumpe2fs -h "$1" 2>/dev/null | awk '/^Block count:/ { count = $3 } /^Block size:/ { print count, $3 }'
  )
  [ -n "$blocks" ] && [ $((device - blocks * size)) -gt $((device / 100)) ]
}

# Prints the device once it has a file system with the label.
find_volume() {
  local node candidates=()
  for node in $(disks); do
    [ "$(label_of "$node")" = "$LABEL" ] && { echo "$node"; return; }
  done
  for node in $(disks); do
    if is_blank "$node" || is_empty_ext4 "$node"; then candidates+=("$node"); fi
  done
  case \${#candidates[@]} in
    0) return 1 ;;
    1) ;;
    *)
      [ -z "$verbose" ] ||
        log "several disks are blank (\${candidates[*]}): run mkfs.ext4 -L $LABEL on the right one"
      return 1 ;;
  esac
  node=\${candidates[0]}
  if is_blank "$node"; then
    log "formatting $node, which is blank, as $LABEL"
    mkfs.ext4 -q -L "$LABEL" "$node" >&2 || return 1
  else
    log "taking $node, which has an empty file system, as $LABEL"
    e2label "$node" "$LABEL" >&2 || return 1
  fi
  echo "$node"
}

mkdir -p "$MOUNT_POINT"
if ! mountpoint -q "$MOUNT_POINT"; then
  tries=0
  verbose=1
  until device=$(find_volume); do
    [ -z "$verbose" ] ||
      log "waiting for a volume with the label $LABEL, or a blank one, for $MOUNT_POINT"
    tries=$((tries + 1)) verbose=
    [ $((tries % 30)) != 0 ] || verbose=1
    sleep 1
  done
  # 0 clean, 1 repaired; the journal of a machine that lost power is replayed here.
  e2fsck -p "$device" >&2
  [ $? -le 1 ] || { log "$device is damaged: run e2fsck $device by hand"; exit 1; }
  # A volume that has grown since. Not while it is mounted: containers may not do that.
  if has_grown "$device"; then
    log "growing the file system on $device"
    e2fsck -f -p "$device" >&2 && resize2fs "$device" >&2
  fi
  mount -t ext4 -o noatime,nodev,nosuid,noexec "$device" "$MOUNT_POINT" || exit 1
  log "$device is mounted on $MOUNT_POINT"
fi

# Numbers of system users may differ between the machine that wrote the volume and this one.
[ "$(stat -c '%U:%G' "$MOUNT_POINT")" = "$OWNER" ] || chown -R "$OWNER" "$MOUNT_POINT"
chmod "$MODE" "$MOUNT_POINT"
`;

const service = `[Unit]
Description=Data volume %i
After=local-fs.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/cs-volume /etc/cs/volumes/%i.env
TimeoutStartSec=infinity
StandardError=journal+console
`;
