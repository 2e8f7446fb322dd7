/**
 * What a root file system holds only because its machine is a container. Everything else that a machine does is the
 * production document's business: these files only make a container look like the machine that it stands for.
 */

/** The first process, which becomes systemd. Found by `machine.ts`. */
export const INIT = "/usr/lib/cloudstack-local/init";

/**
 * Control groups of version 1 are mounted read-only in a container. Settings of the kernel that belong to the whole
 * host are given to each machine as copies: it may write them, and nobody else sees it. Disks come as device nodes,
 * named in the environment variable DISKS as "NAME:MAJOR:MINOR …".
 */
const init = `#!/bin/sh
exec 2>/dev/console
for mount in $(awk '$5 ~ "^/sys/fs/cgroup" { print $5 }' /proc/self/mountinfo); do mount -o remount,bind,rw "$mount"; done
mkdir -p /run/cloudstack-local
for key in kernel/panic kernel/panic_on_oops vm/overcommit_memory vm/panic_on_oom kernel/keys/root_maxkeys kernel/keys/root_maxbytes
do
  copy=/run/cloudstack-local/$(echo $key | tr / .)
  cat /proc/sys/$key >$copy && mount --bind $copy /proc/sys/$key
done
for disk in $DISKS; do
  rest=\${disk#*:}
  mknod -m 0660 "/dev/\${disk%%:*}" b "\${rest%:*}" "\${rest#*:}" && chgrp disk "/dev/\${disk%%:*}"
done
ln -sf null /dev/kmsg
unset DISKS
exec /lib/systemd/systemd "$@"
`;

/** cloud-init is told its source, since the hardware's description is the host's, and leaves the network alone. */
const cloudInit = `datasource_list: [CloudStack, None]
datasource: {CloudStack: {max_wait: 60, timeout: 5}}
network: {config: disabled}
# Other kinds take seconds to make on shared processors.
ssh_genkeytypes: [ed25519]
# Another one would have to be made, from files that are left out.
locale: C.UTF-8
`;

/**
 * With the search domain the name data-server resolves, by which cloud-init finds its source. The machine's name is
 * cloud-init's business: networkd may not set it.
 */
const network = `[Match]
Name=eth*
[Network]
DHCP=ipv4
IPv6AcceptRA=no
LLMNR=no
MulticastDNS=no
LinkLocalAddressing=no
[DHCPv4]
UseDomains=yes
UseHostname=no
ClientIdentifier=mac
`;

const journal = `[Journal]
ReadKMsg=no
SystemMaxUse=64M
ForwardToConsole=yes
MaxLevelConsole=info
`;

export interface TemplateFile {
    readonly path: string;
    readonly text: string;
    readonly mode?: number;
}

export const TEMPLATE_FILES: readonly TemplateFile[] = [
    { path: INIT, text: init, mode: 0o755 },
    { path: "/etc/cloud/cloud.cfg.d/95_cloudstack_local.cfg", text: cloudInit },
    { path: "/etc/systemd/network/10-eth.network", text: network },
    { path: "/etc/systemd/journald.conf.d/10-cloudstack-local.conf", text: journal },
    { path: "/etc/machine-id", text: "" },
    // Newer than /usr: nothing is rebuilt at the first boot.
    { path: "/etc/.updated", text: "" },
    { path: "/var/.updated", text: "" },
];

export const REMOVED_FILES = ["/etc/hostname", "/etc/ssh/ssh_host_*"] as const;

/** Units that have nothing to do in a container, or would act on the host. */
export const MASKED_UNITS = [
    "systemd-modules-load.service",
    "getty.target",
    "console-getty.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "dpkg-db-backup.timer",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "dev-hugepages.mount",
] as const;

export const ENABLED_UNITS = [
    "systemd-networkd",
    "systemd-resolved",
    "systemd-networkd-wait-online",
    "ssh",
] as const;
