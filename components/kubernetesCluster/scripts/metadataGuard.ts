import { sh } from "../../cloudInit";

/**
 * `metadata-guard`: run before every start of kubelet, and every few minutes.
 *
 * The virtual router serves user data by source address, and packets of pods leave a node with the node's address. So
 * pods, and processes of users other than root, cannot connect to the router's HTTP ports and to link-local addresses;
 * DNS is not affected. Pods of a control plane cannot connect to etcd either, whose security group lets the node in.
 *
 * The rules are in the table mangle, which no rule of Flannel in the table filter can forestall. They are iptables',
 * since nft 1.0.6 of Debian 12 crashes where the nft of kube-proxy's image, a later one, has made sets.
 */
export const metadataGuard = sh`
#!/bin/bash
# Keeps pods and unprivileged processes from user data, and pods from etcd.
set -uo pipefail
ETCD_ENDPOINTS=
. /etc/kubernetes/node.env

# All possible addresses of the virtual router: the DHCP server, the default gateway, and those of data-server.
routers() {
    ip -4 route show default | sed -n 's/.* via \([0-9.]*\).*/\1/p'
    # Leases of systemd-networkd and NetworkManager, then of dhclient and dhcpcd.
    sed -n 's/^SERVER_ADDRESS=//p' /run/systemd/netif/leases/* /var/lib/NetworkManager/*.lease
    sed -n "s/.*dhcp-server-identifier[ ='\"]*\([0-9.]*\).*/\1/p" /var/lib/dhcp/*.leases /var/lib/dhclient/*.lease*
    getent ahostsv4 data-server | awk '{ print $1 }'
}

etcd_members() { # ADDRESS PORT of each
    local endpoint host port
    for endpoint in \${ETCD_ENDPOINTS//,/ }; do
        endpoint=\${endpoint#*://}
        host=\${endpoint%%[:/]*}
        port=\${endpoint#"$host"}
        port=\${port#:}
        port=\${port%%/*}
        getent ahostsv4 "$host" | awk -v port="\${port:-443}" '{ print $1, port }'
    done
}

found=$(routers 2>/dev/null | grep -E '^[0-9]+(\.[0-9]+){3}$' | sort -u)
if [ -z "$found" ]; then
    echo "no virtual router found: neither lease nor default route nor data-server" >&2
    exit 1
fi
hidden="-d 169.254.0.0/16"
for router in $found; do hidden+=$'\n'"-d $router -p tcp -m multiport --dports 80,443,8080"; done
# A single transaction, so that the guard is always in force.
{
    echo "*mangle"
    echo ":CS-GUARD-PODS - [0:0]"
    echo ":CS-GUARD-PROCESSES - [0:0]"
    while read -r match; do
        echo "-A CS-GUARD-PODS $match -j DROP"
        echo "-A CS-GUARD-PROCESSES $match -m owner ! --uid-owner 0 -j DROP"
    done <<<"$hidden"
    etcd_members | sort -u | while read -r address port; do
        echo "-A CS-GUARD-PODS -d $address -p tcp --dport $port -j DROP"
    done
    echo COMMIT
} | iptables-restore --wait --noflush || exit 1
jump() { iptables --wait -t mangle -C "$1" -j "$2" 2>/dev/null || iptables --wait -t mangle -I "$1" -j "$2"; }
jump FORWARD CS-GUARD-PODS && jump OUTPUT CS-GUARD-PROCESSES
`;
