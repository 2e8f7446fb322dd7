import { sh } from "../cloudInit";

/**
 * Fetches, verifies and installs the files that the plan lists for this machine's architecture. It is idempotent: files
 * with the right sum are left alone, several are fetched at a time. It retries while a mirror or the network is not
 * available; a wrong sum is a permanent failure.
 */
export const fetchScript = sh`
#!/bin/bash
# Fetches, verifies and installs release files: cs-fetch PLAN
# PLAN has lines "<architecture|any> <sha256> <url> <program|data|package|tar:STRIP> <target> [members]".
# Exit status: 0 everything is installed, 1 installation failed, 2 invalid plan, 3 a file has the wrong SHA-256.
set -euo pipefail

plan=\${1:?usage: cs-fetch PLAN}
cache=\${CS_FETCH_CACHE:-/var/cache/cs}
stamps=\${CS_FETCH_STAMPS:-/var/lib/cs/fetched}
root=\${CS_FETCH_ROOT:-}
max_delay=\${CS_FETCH_MAX_DELAY:-60}

log() { echo "cs-fetch: $*" >&2; }
fail() { log "$2"; exit "$1"; }

case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail 1 "there are no release files for $(uname -m), only for x86_64 and aarch64" ;;
esac

sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# One attempt; resumes an earlier one.
download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 10 --speed-limit 1024 --speed-time 30 \
      --continue-at - --output "$2" "$1"
  else
    wget --quiet --tries=1 --timeout=30 --continue --output-document="$2" "$1"
  fi
}

fetch() { # URL SHA: downloads to the cache, and verifies
  local url=$1 sha=$2 name delay=1 fresh=1 part=$cache/$2.part
  name=$(basename "$url")
  log "fetching $name"
  while :; do
    if [ -e "$part" ] && [ "$(sum_of "$part")" = "$sha" ]; then return; fi
    [ ! -e "$part" ] || fresh=0
    if download "$url" "$part"; then
      local got
      got=$(sum_of "$part")
      [ "$got" != "$sha" ] || return 0
      rm -f "$part"
      # A file put together from two downloads may be damaged: only a complete download counts.
      [ "$fresh" = 0 ] || fail 3 "$name has the wrong SHA-256: expected $sha, got $got (from $url)"
      log "$name did not match after a resumed download, fetching it again"
      fresh=1
      continue
    fi
    # A server that cannot resume refuses the partial file for ever.
    [ "$fresh" = 1 ] || { rm -f "$part"; fresh=1; }
    log "cannot fetch $name from $url, trying again in $delay s"
    sleep "$delay"
    delay=$((delay * 2 < max_delay ? delay * 2 : max_delay))
  done
}

# Replaces files by "<file>.cs-new" after a sync, so that a running program keeps the old file.
replace() {
  local file
  sync "\${@/%/.cs-new}"
  for file in "$@"; do mv -f "$file.cs-new" "$file"; done
}

place() { # MODE FILE TARGET; a link saves a second copy of archives of images
  mkdir -p "$(dirname "$3")"
  ln -f "$2" "$3.cs-new" 2>/dev/null || cp "$2" "$3.cs-new"
  chmod "$1" "$3.cs-new"
  replace "$3"
}

# Unpacks below the target, so that files are renamed and not copied.
unpack() {
  local strip=$1 target=$2 members=$3 work file files=()
  work=$target/.cs-unpack.$sha
  rm -rf "$work"
  mkdir -p "$work"
  tar -xzf "$part" -C "$work" --no-same-owner --strip-components="$strip"
  [ "$members" != "*" ] || members=$(find "$work" -type f -printf '%P\n')
  for file in $members; do
    chmod 0755 "$work/$file"
    mv -f "$work/$file" "$target/\${file##*/}.cs-new"
    files+=("$target/\${file##*/}")
  done
  replace "\${files[@]}"
  rm -rf "$work"
}

# The stamp of a target and its members holds the SHA-256 of what was installed last.
stamp_of() { echo "$stamps/$(printf '%s' "$1 $2" | sha256sum | cut -c 1-16)"; }

# True if this file was installed there last and is still there.
installed() {
  local sha=$1 kind=$2 target=$3 members=$4 file
  [ "$(cat "$(stamp_of "$target" "$members")" 2>/dev/null)" = "$sha" ] || return 1
  case $kind in
    package) ;;
    tar:*)
      [ "$members" != "*" ] || members=.
      for file in $members; do [ -e "$target/$file" ] || return 1; done ;;
    *) [ -e "$target" ] ;;
  esac
}

install_file() { # SHA KIND TARGET MEMBERS; packages are only put in place, since they are installed together
  local sha=$1 kind=$2 target=$3 members=$4 part=$cache/$1.part
  case $kind in
    program) place 0755 "$part" "$target" ;;
    tar:*) unpack "\${kind#tar:}" "$target" "$members" ;;
    *) place 0644 "$part" "$target" ;;
  esac
  [ "$kind" = package ] || echo "$sha" >"$(stamp_of "$target" "$members")"
}

# Runs a command in the background when fewer than four are running.
running=0
start() {
  [ "$running" -lt 4 ] || wait_for_one
  "$@" &
  running=$((running + 1))
}

# If a command fails, the others are not waited for: they may retry for ever.
wait_for_one() {
  local status=0
  wait -n || status=$?
  running=$((running - 1))
  [ "$status" != 0 ] || return 0
  jobs -p | xargs -r kill 2>/dev/null || true
  exit "$status"
}

wait_for_all() { while [ "$running" -gt 0 ]; do wait_for_one; done; }

mkdir -p "$cache" "$stamps"
packages=() package_stamps=() missing=()
declare -A urls
while read -r for_arch sha url kind target members; do
  [ -n "$for_arch" ] || continue
  [ "$for_arch" = "$arch" ] || [ "$for_arch" = any ] || continue
  [ -n "\${target:-}" ] || fail 2 "$plan: incomplete line: $for_arch $sha $url $kind"
  case $kind in program | data | package | tar:*) ;; *) fail 2 "$plan: unknown kind $kind" ;; esac
  target=$root$target
  wanted=1
  if installed "$sha" "$kind" "$target" "$members"; then continue; fi
  urls[$sha]=$url
  missing+=("$sha $kind $target $members")
  [ "$kind" != package ] || { packages+=("$target"); package_stamps+=("$sha $(stamp_of "$target" "$members")"); }
done <"$plan"

# Nothing is installed before every file is there and verified.
for sha in "\${!urls[@]}"; do start fetch "\${urls[$sha]}" "$sha"; done
wait_for_all
for file in "\${missing[@]}"; do
  read -r sha kind target members <<<"$file"
  start install_file "$sha" "$kind" "$target" "$members"
done
wait_for_all
for sha in "\${!urls[@]}"; do rm -f "$cache/$sha.part"; done

if [ "\${#packages[@]}" -gt 0 ]; then
  log "installing \${#packages[@]} packages"
  DEBIAN_FRONTEND=noninteractive dpkg --install --force-confold "\${packages[@]}" >&2 ||
    fail 1 "the packages of the mirror cannot be installed on this system"
  for stamp in "\${package_stamps[@]}"; do echo "\${stamp% *}" >"\${stamp#* }"; done
  rm -f "\${packages[@]}"
fi

if [ -s "$plan" ] && [ -z "\${wanted:-}" ]; then fail 1 "$plan has nothing for $arch"; fi
log "everything is installed"
`;

/**
 * Runs the script once per boot, before the units that require it. Its messages go to the console, which CloudStack
 * shows.
 */
export const fetchUnit = `[Unit]
Description=Fetch, verify and install release files
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=-/etc/default/cs-fetch
ExecStart=/usr/local/sbin/cs-fetch /etc/cs/artifacts
TimeoutStartSec=infinity
StandardError=journal+console
[Install]
WantedBy=multi-user.target
`;
