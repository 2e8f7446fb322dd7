import type { Declared } from "./engine";
import type { Phase } from "./program";

/** An isolated network with a machine and public addresses: the second disturbed program. */

const zone = "sandbox-isolated";

interface Parts {
    network?: Record<string, any>;
    address?: Record<string, any>;
}

function program({ network, address }: Parts): Declared[] {
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
    ];
}

const before = program({});
const changed = program({
    address: { tags: { a: "b" } },
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
