import type { WriteFile } from "../cloudInit";
import { envFile, sh } from "../cloudInit";

/** A data volume of a machine. */
export interface DataVolume {
    /** Letters, digits and hyphens; {@link volumeService} gives its unit. */
    readonly name: string;
    /**
     * The file system's label, at most 16 characters. It identifies the volume after it was attached to another
     * machine.
     */
    readonly label: string;
    readonly mountPoint: string;
    /** `user:group`. @default "root:root" */
    readonly owner?: string;
    /** Octal. @default "0755" */
    readonly mode?: string;
}

/** The unit that units which use a volume must require and be ordered after. */
export function volumeService(name: string): string {
    return `cs-volume@${name}.service`;
}

/** The files that find data volumes, format blank ones, and mount them. */
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
 * CloudStack does not guarantee device names, and may attach a volume long after the machine has started. So the script
 * waits for a disk with the label, or for a single blank disk. It never formats a disk that is not blank.
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

# Disks and partitions with media. Names are those in /dev, since udev may not be running.
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

# True if a disk is empty, not in use, without partitions and writable.
is_blank() {
  local sys
  sys=/sys/dev/block/$(number_of "$1")
  if [ -e "$sys/partition" ]; then return 1; fi
  if compgen -G "$sys/*/partition" >/dev/null || compgen -G "$sys/holders/*" >/dev/null; then return 1; fi
  [ "$(blockdev --getro "$1")" = 0 ] || return 1
  blkid -p "$1" >/dev/null 2>&1
  [ $? = 2 ]
}

# True if a disk has an ext4 file system without a label and without files.
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

# True if the device is larger than its file system by more than one percent.
has_grown() {
  local blocks size device
  device=$(blockdev --getsize64 "$1")
  read -r blocks size < <(
    dumpe2fs -h "$1" 2>/dev/null | awk '/^Block count:/ { count = $3 } /^Block size:/ { print count, $3 }'
  )
  [ -n "$blocks" ] && [ $((device - blocks * size)) -gt $((device / 100)) ]
}

# Prints the device with the label; formats or labels the only candidate if there is none yet.
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
    log "using $node, which has an empty file system, as $LABEL"
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
  # 0 is clean, 1 repaired; this also replays the journal after a power failure.
  e2fsck -p "$device" >&2
  [ $? -le 1 ] || { log "$device is damaged: run e2fsck $device by hand"; exit 1; }
  # A volume that was enlarged. Before it is mounted, since containers may not resize a mounted one.
  if has_grown "$device"; then
    log "growing the file system on $device"
    e2fsck -f -p "$device" >&2 && resize2fs "$device" >&2
  fi
  mount -t ext4 -o noatime,nodev,nosuid,noexec "$device" "$MOUNT_POINT" || exit 1
  log "$device is mounted on $MOUNT_POINT"
fi

# System users may have other ids on this machine than on the one that wrote the volume.
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
