/**
 * Files of a root file system that are needed only because the machine is a container. They make a container behave
 * like a virtual machine; all other configuration comes from the machine's cloud-init document. A change rebuilds the
 * templates.
 */

/** The init process, which executes systemd. */
export const INIT = "/usr/lib/cloudstack-local/init";

/**
 * Kubernetes requires control groups of version 2 unless it is told otherwise. These are the directories that the
 * component's nodes read for what only one machine needs.
 */
const KUBELET_CGROUP_V1 = "/etc/kubernetes/kubelet.conf.d/90-cgroup-v1.conf";
const KUBEADM_CGROUP_V1 = "/etc/kubernetes/kubeadm.d/90-cgroup-v1.ignore";

/**
 * Control groups of version 1 are mounted read-only in a container, and are remounted here. Host-wide kernel settings
 * are replaced by copies that the machine can write without effect on the host. The environment variable DISKS lists
 * the disks to make device nodes for, as "NAME:MAJOR:MINOR …".
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
if [ -d /sys/fs/cgroup/memory ]; then
  mkdir -p $(dirname ${KUBELET_CGROUP_V1}) $(dirname ${KUBEADM_CGROUP_V1})
  cat >${KUBELET_CGROUP_V1} <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
END
  echo SystemVerification >${KUBEADM_CGROUP_V1}
fi
unset DISKS
exec /lib/systemd/systemd "$@"
`;

/**
 * Sets cloud-init's data source, since it would detect the host's from DMI data, and disables its network
 * configuration.
 */
const cloudInit = `datasource_list: [CloudStack, None]
datasource: {CloudStack: {max_wait: 60, timeout: 5}}
network: {config: disabled}
# Other kinds take seconds to make on shared processors.
ssh_genkeytypes: [ed25519]
# Another one would have to be made, from files that are left out.
locale: C.UTF-8
`;

/**
 * The search domain resolves the name data-server, by which cloud-init finds its data source. cloud-init sets the
 * machine's host name, so networkd must not.
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

/** A host's root may lack CAP_SYS_RESOURCE, and then no process can lower its OOM score, as pods of the system want it. */
const containerd = `version = 3

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
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
    { path: "/etc/containerd/conf.d/90-container.toml", text: containerd },
    { path: "/etc/machine-id", text: "" },
    // Newer than /usr, so that systemd's ConditionNeedsUpdate is false at the first boot.
    { path: "/etc/.updated", text: "" },
    { path: "/var/.updated", text: "" },
];

export const REMOVED_FILES = ["/etc/hostname", "/etc/ssh/ssh_host_*"] as const;

/** Units that are useless in a container, or would change the host. */
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

export const ENABLED_UNITS = ["systemd-networkd", "systemd-resolved", "systemd-networkd-wait-online", "ssh"] as const;

/** Units of packages that a machine's cloud-init document enables where it needs them. */
export const DISABLED_UNITS = ["haproxy"] as const;
