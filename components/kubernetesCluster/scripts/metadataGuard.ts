import { sh } from "../../cloudInit";

/** `metadata-guard`: run before kubelet whenever it starts, and every few minutes. */
export const metadataGuard = sh`
#!/bin/bash
# Loads the guard of the user data with the addresses where a virtual router may be: whoever gave the lease, the default
# gateway, and what data-server means in this network.
set -uo pipefail

routers() {
    ip -4 route show default | sed -n 's/.* via \([0-9.]*\).*/\1/p'
    # Leases of systemd-networkd and NetworkManager, then of dhclient and dhcpcd.
    sed -n 's/^SERVER_ADDRESS=//p' /run/systemd/netif/leases/* /var/lib/NetworkManager/*.lease
    sed -n "s/.*dhcp-server-identifier[ ='\"]*\([0-9.]*\).*/\1/p" /var/lib/dhcp/*.leases /var/lib/dhclient/*.lease*
    getent ahostsv4 data-server | awk '{ print $1 }'
}

found=$(routers 2>/dev/null | grep -E '^[0-9]+(\.[0-9]+){3}$' | sort -u | paste -sd,)
if [ -z "$found" ]; then
    echo "no virtual router found: neither lease nor default route nor data-server" >&2
    exit 1
fi
# One transaction: there is no moment without the guard.
{
    cat /etc/kubernetes/metadata-guard.nft
    echo "add element inet metadata_guard routers { $found }"
} | nft -f -
`;
