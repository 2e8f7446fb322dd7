import { paths } from "./paths";
import { metadataGuard } from "./scripts/metadataGuard";
import { prepare } from "./scripts/prepare";
import type { ClusterSpec, NodeFile } from "./spec";
import { jobFiles } from "./units";
import { apiPort, nodeLocalPort } from "./versions";

/** The files of a node's operating system: kernel modules and settings, the user data guard, and HAProxy. */
export function hostFiles(cluster: ClusterSpec, role: keyof typeof prepare): NodeFile[] {
    return [
        { path: "/etc/modules-load.d/kubernetes.conf", content: modules },
        { path: "/etc/sysctl.d/90-kubernetes.conf", content: sysctl },
        { path: "/etc/systemd/network/10-flannel.link", content: flannelLink },
        { path: `${paths.bin}/kubernetes-prepare`, content: prepare[role], permissions: "0755" },
        { path: `${paths.bin}/metadata-guard`, content: metadataGuard, permissions: "0755" },
        // kubelet's unit runs it, too. The timer updates it: a recreated virtual router may have another address.
        ...jobFiles("metadata-guard", {
            description: "Keep pods from the user data of this machine",
            run: [`${paths.bin}/metadata-guard`],
            timer: ["OnActiveSec=5min", "OnUnitInactiveSec=5min", "RandomizedDelaySec=30"],
        }),
        ...(cluster.endpoint.mode === "nodeLocal"
            ? [{ path: "/etc/haproxy/haproxy.cfg", content: balancer(cluster.controlPlanes) }]
            : []),
    ];
}

const modules = `overlay
br_netfilter
nf_conntrack
vxlan
`;

/**
 * Forwarding and bridged traffic of pods, the values that kubelet's `protectKernelDefaults` requires, inotify limits.
 */
const sysctl = `net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.conf.all.rp_filter = 2
vm.overcommit_memory = 1
vm.panic_on_oom = 0
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
fs.inotify.max_user_watches = 524288
fs.inotify.max_user_instances = 8192
`;

/**
 * Otherwise systemd changes the MAC address of Flannel's interface after Flannel has published it to the other nodes:
 * https://github.com/flannel-io/flannel/issues/1155
 */
const flannelLink = `[Match]
OriginalName=flannel*

[Link]
MACAddressPolicy=none
`;

/**
 * HAProxy's configuration. Health checks over verified TLS determine which control planes are used. Connections to one
 * that fails are closed, so that clients reconnect to another one immediately. A machine that is gone does not refuse
 * connections, it is silent: a new connection then goes to another control plane after 1.5 seconds, and an open one on
 * which a request is not even acknowledged for 3 seconds is closed (`tcp-ut`), both before checks notice.
 */
function balancer(controlPlanes: ClusterSpec["controlPlanes"]): string {
    const servers = Object.entries(controlPlanes).map(
        ([name, address]) => `    server ${name} ${address}:${apiPort}\n`,
    );
    return `global
    user haproxy
    group haproxy
    maxconn 4000

defaults
    mode tcp
    timeout connect 1500ms
    timeout check 3s
    timeout client 1h
    timeout server 1h
    retries 3
    option redispatch 1

listen kubernetes-api
    bind 127.0.0.1:${nodeLocalPort}
    balance leastconn
    option httpchk GET /readyz
    default-server check check-ssl verify required ca-file ${paths.pki}/ca.crt verifyhost kubernetes inter 2s fastinter 1s fall 2 rise 1 tcp-ut 3s on-marked-down shutdown-sessions
${servers.join("")}`;
}
