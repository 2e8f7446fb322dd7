import { sh } from "../../cloudInit";

/** `metadata-guard`: run before every start of kubelet, and every few minutes. */
export const metadataGuard = sh`
#!/bin/bash
# Loads the user data guard, with all possible addresses of the virtual router: the DHCP server, the default gateway,
# and the addresses of data-server. On a control plane, also with the addresses of etcd.
set -uo pipefail
ETCD_ENDPOINTS=
. /etc/kubernetes/node.env

routers() {
    ip -4 route show default | sed -n 's/.* via \([0-9.]*\).*/\1/p'
    # Leases of systemd-networkd and NetworkManager, then of dhclient and dhcpcd.
    sed -n 's/^SERVER_ADDRESS=//p' /run/systemd/netif/leases/* /var/lib/NetworkManager/*.lease
    sed -n "s/.*dhcp-server-identifier[ ='\"]*\([0-9.]*\).*/\1/p" /var/lib/dhcp/*.leases /var/lib/dhclient/*.lease*
    getent ahostsv4 data-server | awk '{ print $1 }'
}

etcd_members() { # ADDRESS . PORT of each
    local endpoint host port
    for endpoint in \${ETCD_ENDPOINTS//,/ }; do
        endpoint=\${endpoint#*://}
        host=\${endpoint%%[:/]*}
        port=\${endpoint#"$host"}
        port=\${port#:}
        port=\${port%%/*}
        getent ahostsv4 "$host" | awk -v port="\${port:-443}" '{ print $1 " . " port }'
    done
}

found=$(routers 2>/dev/null | grep -E '^[0-9]+(\.[0-9]+){3}$' | sort -u | paste -sd,)
if [ -z "$found" ]; then
    echo "no virtual router found: neither lease nor default route nor data-server" >&2
    exit 1
fi
members=$(etcd_members | sort -u | paste -sd,)
# A single transaction, so that the guard is always in force.
{
    cat /etc/kubernetes/metadata-guard.nft
    echo "add element inet metadata_guard routers { $found }"
    [ -z "$members" ] || echo "add element inet metadata_guard etcd { $members }"
} | nft -f -
`;
