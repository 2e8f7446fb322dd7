import type { Declared } from "./engine";
import type { Phase } from "./program";

/** An isolated network with a machine and public addresses: the second disturbed program. */

const zone = "sandbox-isolated";

interface Parts {
    network?: Record<string, any>;
    address?: Record<string, any>;
    firewall?: Record<string, any>;
    egress?: Record<string, any>;
    forwarding?: Record<string, any>;
}

function program({ network, address, firewall, egress, forwarding }: Parts): Declared[] {
    return [
        {
            name: "app",
            kind: "network",
            args: () => ({ name: "app", zone, cidr: "10.30.0.0/24", displayText: "app", tags: { a: "b" }, ...network }),
        },
        {
            name: "inside",
            kind: "virtualMachine",
            args: (of) => ({
                ...{ name: "inside", zone, serviceOffering: "Small Instance", template: "Debian 12" },
                network: of("app").id,
            }),
        },
        { name: "public", kind: "publicIpAddress", args: (of) => ({ network: of("app").id, ...address }) },
        {
            name: "firewall",
            kind: "firewallRules",
            args: (of) => ({
                address: of("public").id,
                rules: [
                    { ports: "80", cidrs: ["0.0.0.0/0", "10.0.0.0/8"] },
                    { protocol: "icmp", cidrs: ["10.0.0.0/8"] },
                ],
                ...firewall,
            }),
        },
        {
            name: "forwarding",
            kind: "portForwardingRule",
            args: (of) => ({
                ...{
                    address: of("public").id,
                    virtualMachine: of("inside").id,
                    publicPorts: "2222",
                    privatePorts: "22",
                },
                ...forwarding,
            }),
        },
        {
            name: "egress",
            kind: "egressFirewallRules",
            args: (of) => ({ network: of("app").id, rules: [{ ports: "443" }], ...egress }),
        },
    ];
}

const before = program({});
const changed = program({
    address: { tags: { a: "b" } },
    firewall: {
        rules: [
            { ports: "80-90", cidrs: ["0.0.0.0/0"] },
            { ports: "443", cidrs: ["0.0.0.0/0"] },
        ],
    },
    forwarding: { privatePorts: "2022" },
    egress: { rules: [{ ports: "443", destinationCidrs: ["192.0.2.0/24"] }] },
    network: { name: "app-2", networkDomain: "app.internal", tags: { a: "c", d: "e" } },
});
const replaced = program({ address: { ipAddress: "198.18.0.99" }, network: { cidr: "10.31.0.0/24" } });

export const NETWORK_PHASES: readonly Phase[] = [
    { name: "create a network", account: "user", to: before },
    { name: "update a network", account: "user", from: before, to: changed },
    { name: "replace a network", account: "expunger", from: before, to: replaced },
    { name: "destroy a network with its machines waiting", account: "user", from: before },
    { name: "destroy a network", account: "expunger", from: before },
];
