import type { AccountName } from "../provider/support";
import type { Client } from "../simulator/client";
import type { Declared } from "./engine";

/** Two machines, two groups with rules, a key, an affinity group and a volume: the disturbed program and its result. */

const machine = { zone: "sandbox", serviceOffering: "Small Instance", template: "Debian 12" };
const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHf2mQ8f0JbT3b1m0S8Vd1o3gV0c9zM0c9kYt9q2n5uK test";

interface Parts {
    first?: Record<string, any>;
    second?: Record<string, any>;
    key?: Record<string, any>;
    spread?: Record<string, any>;
    web?: Record<string, any>;
    volume?: Record<string, any>;
    /** The machine that has the volume. */
    holder?: "first" | "second";
    /** Whether the second machine is in both groups. */
    both?: boolean;
}

function program({ holder = "first", both = false, ...parts }: Parts): Declared[] {
    return [
        { name: "key", kind: "sshKeyPair", args: () => ({ name: "key", ...parts.key }) },
        { name: "spread", kind: "affinityGroup", args: () => ({ name: "spread", ...parts.spread }) },
        {
            name: "web",
            kind: "securityGroup",
            args: () => ({
                name: "web",
                ingress: [{ ports: "80", cidrs: ["0.0.0.0/0", "10.0.0.0/8"] }, { self: true }],
                ...parts.web,
            }),
        },
        {
            name: "db",
            kind: "securityGroup",
            args: (of) => ({
                name: "db",
                ingress: [{ ports: "5432", groups: [of("web").name] }],
                egress: [{ protocol: "udp", ports: "53", cidrs: ["0.0.0.0/0"] }],
            }),
        },
        {
            name: "first",
            kind: "virtualMachine",
            args: (of) => ({
                ...{ name: "first", ...machine, ipAddress: "10.1.1.50", userData: "one", tags: { role: "web" } },
                ...{
                    securityGroups: [of("web").id],
                    affinityGroups: [of("spread").id],
                    sshKeyPairs: [of("key").name],
                    ...parts.first,
                },
            }),
        },
        {
            name: "second",
            kind: "virtualMachine",
            args: (of) => ({
                ...{ name: "second", ...machine, affinityGroups: [of("spread").id] },
                ...{ securityGroups: both ? [of("web").id, of("db").id] : [of("db").id], ...parts.second },
            }),
        },
        {
            name: "data",
            kind: "volume",
            args: (of) => ({
                name: "data",
                zone: "sandbox",
                diskOffering: "Custom",
                sizeGiB: 5,
                virtualMachine: of(holder).id,
                ...parts.volume,
            }),
        },
    ];
}

const before: Parts = {};
/** Machines stop for another size and other groups; a tag and rules change, the volume grows and moves. */
const changed: Parts = {
    first: { serviceOffering: "Medium Instance", displayName: "First", tags: { role: "db", more: "yes" } },
    both: true,
    web: { ingress: [{ ports: "443", cidrs: ["0.0.0.0/0"] }, { self: true }] },
    volume: { sizeGiB: 8 },
    holder: "second",
};
/** Everything that can be replaced is: with the same name and address, or beside the old one with other ones. */
const replaced: Parts = {
    first: { ipAddress: "10.1.1.60" },
    second: { template: "Debian 12 with password" },
    key: { publicKey: PUBLIC_KEY },
    spread: { name: "spread-2" },
    web: { name: "web-2" },
    volume: {},
};

export interface Phase {
    readonly name: string;
    /** The account: `user` may not expunge. */
    readonly account: AccountName;
    /** The program that the state came from; undefined in a new stack. */
    readonly from?: Declared[];
    /** The wanted program; undefined if everything is to be destroyed. */
    readonly to?: Declared[];
}

export const PHASES: readonly Phase[] = [
    { name: "create", account: "user", to: program(before) },
    { name: "update", account: "user", from: program(before), to: program(changed) },
    { name: "replace", account: "user", from: program(before), to: program(replaced) },
    { name: "destroy", account: "user", from: program(before) },
    { name: "replace with expunging", account: "expunger", from: program(before), to: program(replaced) },
    { name: "destroy with expunging", account: "expunger", from: program(before) },
];

/** The cloud as users see it, by names, so that two clouds with different histories can be compared. */
export async function survey(api: Client): Promise<{ things: Record<string, unknown>; ids: string[] }> {
    const list = (command: string, more: object = {}) => api.list(command, { listall: true, ...more });
    const [machines, groups, keys, spreads, volumes, networks, addresses, firewalls, egresses, forwardings] =
        await Promise.all([
            list("listVirtualMachines", { userdata: true }),
            list("listSecurityGroups"),
            list("listSSHKeyPairs"),
            list("listAffinityGroups"),
            list("listVolumes", { type: "DATADISK" }),
            list("listNetworks", { type: "Isolated" }),
            list("listPublicIpAddresses", { issourcenat: false }),
            list("listFirewallRules"),
            list("listEgressFirewallRules"),
            list("listPortForwardingRules"),
        ]);
    const living = machines.filter(({ state }) => !["Destroyed", "Expunging"].includes(state));
    const own = groups.filter(({ name }) => name !== "default");
    const there = volumes.filter(({ state }) => !["Destroy", "Destroyed", "Expunging", "Expunged"].includes(state));
    // Some wait until their machines are expunged, and are no longer a resource.
    const used = networks.filter(({ displaytext }) => !displaytext.startsWith("deleted by Pulumi"));
    const names = (items: any[] | undefined) => (items ?? []).map(({ name }) => name).sort();
    const things = {
        machines: sorted(living, (item) => [
            ...[
                item.name,
                item.displayname,
                item.state,
                item.serviceofferingname,
                item.templatename,
                item.keypairs ?? "",
                item.userdata ?? "",
            ],
            ...[
                item.nic[0].ipaddress === "10.1.1.50" || item.nic[0].ipaddress === "10.1.1.60"
                    ? item.nic[0].ipaddress
                    : "any",
            ],
            ...[names(item.securitygroup), names(item.affinitygroup), tags(item)],
        ]),
        groups: sorted(own, (item) => [
            item.name,
            item.description,
            sorted(item.ingressrule, rule),
            sorted(item.egressrule, rule),
        ]),
        keys: sorted(keys, (item) => [item.name]),
        spreads: sorted(spreads, (item) => [item.name, item.description]),
        volumes: sorted(there, (item) => [item.name, item.size, item.state, item.vmname]),
        networks: sorted(used, (item) => [item.name, item.displaytext, item.cidr, item.networkdomain, tags(item)]),
        firewalls: sorted([...firewalls, ...egresses], (item) => [
            ...[item.traffictype, item.protocol, item.startport ?? "", item.endport ?? "", item.icmptype ?? ""],
            ...[item.cidrlist, item.destcidrlist],
        ]),
        forwardings: sorted(forwardings, (item) => [
            item.protocol,
            item.publicport,
            item.privateport,
            item.virtualmachinename,
        ]),
        addresses: sorted(addresses, (item) => [item.associatednetworkname, tags(item)]),
    };
    const all = [...living, ...own, ...keys, ...spreads, ...there, ...used, ...addresses, ...forwardings];
    return { things, ids: all.map(({ id }) => id).sort() };
}

function tags(item: any): string[] {
    return (item.tags ?? []).map(({ key, value }: any) => `${key}=${value}`).sort();
}

function rule({ protocol, startport, endport, cidr, securitygroupname }: any): string {
    return `${protocol} ${startport}-${endport} ${cidr ?? securitygroupname}`;
}

function sorted(items: any[] | undefined, look: (item: any) => unknown): string[] {
    return (items ?? []).map((item) => JSON.stringify(look(item))).sort();
}
