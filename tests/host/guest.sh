#!/bin/sh
# What the host under test does, boot by boot. Every line that begins with "test:" is for run.js.
export HOME=/root PATH=/host/project/node_modules/.bin:/host/engine:/usr/sbin:/usr/bin:/sbin:/bin
export CLOUDSTACK_LOCAL_CACHE=/host/cache CLOUDSTACK_LOCAL_STATE=/var/lib/cloud
export PULUMI_HOME=/root/.pulumi PULUMI_BACKEND_URL='file:///root/backend?metadata=skip' PULUMI_CONFIG_PASSPHRASE=test
export PULUMI_SKIP_UPDATE_CHECK=true PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
cd /host/project || exit

say() { echo "test: $*"; }
check() { # NAME COMMAND...: one line for each check
  name=$1
  shift
  if "$@" >/tmp/check.log 2>&1; then say "ok $name"; else
    say "failed $name"
    tail -n 25 /tmp/check.log
  fi
}
left() { # what clouds have left on this host
  ip netns list | grep ^csl
  ip -brief link | grep ^csl
  losetup --list --noheadings
  find /sys/fs/cgroup -maxdepth 2 -name 'csl*'
  grep -E 'csl|/var/lib/cloud' /proc/self/mounts
  pgrep -l 'systemd-nspawn|dnsmasq'
}
nothing_left() { [ -z "$(left)" ] || { left; return 1; }; }

say "figures kernel=$(uname -r) cgroups=$(stat -fc %T /sys/fs/cgroup) init=$(cat /proc/1/comm)"
check "systemd and control groups v2" test "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs
case $(cat /root/phase 2>/dev/null) in
  "")
    left >/tmp/before
    check "the cloud starts, and boots machines" sh -c 'cloudstack-local start --port 8080 && cloudstack-local status --json | grep -q nspawn'
    eval "$(cloudstack-local env --account expunger)"
    mkdir -p /root/backend
    check "a stack" pulumi stack init dev --non-interactive
    pulumi config set cloudstack:zone sandbox
    started=$(date +%s)
    check "pulumi up ends with three healthy members" pulumi up --yes --skip-preview --non-interactive --stack dev
    say "figures up=$(($(date +%s) - started))s"
    pulumi stack output --stack dev --json --show-secrets >/root/outputs.json
    check "limits are in force" sh -c 'cat /sys/fs/cgroup/csl*/*/memory.max | grep -q "^536870912$"'
    check "ps shows the machines" sh -c 'test "$(cloudstack-local ps | grep -c Running)" = 3'
    cloudstack-local ps
    cloudstack-local doctor
    echo cut >/root/phase
    sync
    say "writing"
    # The power is cut while this runs.
    exec node /host/write.js /root/outputs.json
    ;;
  cut)
    check "the cloud starts again after a power cut" cloudstack-local start --port 8080
    eval "$(cloudstack-local env --account expunger)"
    check "its machines run again, and etcd is healthy" pulumi up --yes --skip-preview --non-interactive --stack dev --refresh
    say "held $(node /host/held.js /root/outputs.json)"
    check "the stack is destroyed" pulumi destroy --yes --skip-preview --non-interactive --stack dev
    check "the cloud stops" cloudstack-local stop
    check "nothing is left on the host" nothing_left
    say "end"
    ;;
esac
