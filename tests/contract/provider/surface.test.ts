/**
 * All arguments of all resources, with values of their types, values at the limits of the API, and values of other
 * types. The embedded cloud accepts every value that `check` accepts; `check` refuses values with the argument's path
 * and a sentence, and it refuses everything that the cloud would refuse.
 */
import * as fc from "fast-check";
import { generateKeyPairSync } from "node:crypto";
import { startCloud } from "../../../simulator";
import { CheckError, World, failure, named, type Kind } from "./support";

let world: World;

beforeAll(async () => void (world = new World(await startCloud({ cidr: "10.1.0.0/20" }))));
afterAll(() => world.cloud.close());

const LONG = "x".repeat(256);
const LONGEST = "x".repeat(255);
const UNICODE = "Größe 漢字 é";

/** The values of one argument. */
interface Values {
    /** Accepted by `check` and by the cloud. */
    readonly good: readonly unknown[];
    /** Refused by `check`, and by the cloud if they have the API's type. */
    readonly bad: readonly unknown[];
    /** Refused by `check` alone: the API gives them another meaning, or cannot be sent them. */
    readonly ours?: readonly unknown[];
}

interface Surface {
    readonly kind: Kind;
    /** Arguments with which it can be created. */
    readonly base: () => Record<string, unknown>;
    readonly values: Readonly<Record<string, Values>>;
}

function publicKey(comment = ""): string {
    const { publicKey: key } = generateKeyPairSync("ed25519");
    const raw = key.export({ format: "der", type: "spki" }).subarray(-32);
    const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    const blob = Buffer.concat([part(Buffer.from("ssh-ed25519")), part(raw)]);
    return `ssh-ed25519 ${blob.toString("base64")}${comment}`;
}

let group = "";
let affinity = "";
let machine = "";
let key = "";
let foreign = "";
let network = "";
let address = "";
let inside = "";

beforeAll(async () => {
    await world.api.admin.ok("updateResourceLimit", { resourcetype: 6, max: -1, account: "user" });
    const plugin = world.plugin();
    group = (await plugin.create("securityGroup", { ...named("held") })).id;
    affinity = (await plugin.create("affinityGroup", named("held"))).id;
    machine = (await plugin.create("virtualMachine", { ...named("held"), ...small })).id;
    key = (await plugin.create("sshKeyPair", { name: "laptop", owner: "o/p/s/laptop", publicKey: publicKey() })).outputs
        .name;
    const router = { zone: "sandbox-isolated", networkOffering: "PersistentIsolatedNetwork" };
    network = (await plugin.create("network", { ...named("held"), ...router })).id;
    address = (await plugin.create("publicIpAddress", { ...named("held"), network })).id;
    inside = (await plugin.create("virtualMachine", { ...named("held"), ...small, zone: router.zone, network })).id;
    foreign = (await world.api.expunger.ok("createSecurityGroup", { name: "theirs" })).securitygroup.id;
});

const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const everybody = { cidrs: ["0.0.0.0/0"] };
const rules = (rule: object) => [{ ...everybody, ...rule }];

const RULES: Values = {
    good: [
        [],
        rules({ ports: "443" }),
        rules({ ports: 8080 }),
        rules({ ports: "1-65535", protocol: "UDP" }),
        rules({ ports: "0-65535" }),
        rules({ protocol: "icmp" }),
        rules({ protocol: "icmp", icmpType: 8 }),
        rules({ protocol: "icmp", icmpType: 3, icmpCode: 4 }),
        rules({ protocol: "icmp", icmpType: -1, icmpCode: -1 }),
        rules({ protocol: "all" }),
        rules({ protocol: "47" }),
        rules({ protocol: 6, ports: "22" }),
        [{ ports: "22", cidrs: ["10.0.0.0/8", "2001:db8::/32", "10.9.8.7/8"] }],
        [{ ports: "22", self: true }],
        [{ ports: "22", groups: ["default"] }],
    ],
    bad: [
        rules({ protocol: "tpc" }),
        rules({ protocol: "256" }),
        rules({ protocol: "icmp", icmpType: 256 }),
        rules({ protocol: "icmp", icmpType: 8, icmpCode: -1 }),
        [{ ports: "22", cidrs: ["10.0.0.0/33"] }],
        [{ ports: "22", cidrs: ["10.0.0.0"] }],
        [{ ports: "22", groups: [""] }],
    ],
    ours: [
        rules({ ports: "65536" }),
        rules({ ports: "9-8" }),
        rules({ ports: -1 }),
        rules({ ports: "a" }),
        rules({ protocol: "all", ports: "22" }),
        rules({ protocol: "icmp", icmpType: -1, icmpCode: 0 }),
        [{ ports: "22" }],
        [{ ports: "22", cidrs: [] }],
        [{ ports: "22", cidrs: [""] }],
        rules({ port: "22" }),
        rules({ ports: "22", self: "yes" }),
        rules({ icmpType: 8 }),
        rules({ protocol: "icmp", ports: "22" }),
    ],
};

/** Rules of the firewall of a virtual router. */
const FIREWALL: Values = {
    good: [
        [],
        rules({ ports: "443" }),
        rules({ ports: 8080 }),
        rules({ ports: "1-65535", protocol: "UDP" }),
        rules({ protocol: "icmp" }),
        rules({ protocol: "icmp", icmpType: 8 }),
        rules({ protocol: "icmp", icmpType: 3, icmpCode: 4 }),
        [{ ports: "22", cidrs: ["10.0.0.0/8", "10.9.8.7/8", "192.0.2.1/32"] }],
        [...rules({ ports: "22" }), ...rules({ ports: "22", protocol: "udp" }), ...rules({ ports: "23" })],
    ],
    bad: [
        rules({ protocol: "tpc" }),
        rules({ protocol: "47" }),
        [{ ports: "22", cidrs: ["10.0.0.0/33"] }],
        [{ ports: "22", cidrs: ["10.0.0.0"] }],
        [...rules({ ports: "22" }), ...rules({ ports: "20-30" })],
    ],
    ours: [
        rules({ ports: "9-8" }),
        rules({ ports: "0" }),
        rules({ ports: "65536" }),
        rules({ ports: "a" }),
        rules({ protocol: "icmp", icmpType: -1, icmpCode: 0 }),
        rules({ protocol: "icmp", icmpType: 256 }),
        [{ ports: "22", cidrs: [] }],
        [{ ports: "22", cidrs: ["fd00::/8"] }],
        rules({ port: "22" }),
        rules({ icmpType: 8 }),
        rules({ protocol: "icmp", ports: "22" }),
        "22",
        [5],
        {},
    ],
};

const NAME: Values = { good: [UNICODE, LONGEST, "a b"], bad: ["", " ", LONG, "a\tb", "a\u0000b"] };
const TEXT: Values = { good: [UNICODE, LONGEST, "a\nb"], bad: [LONG, "a\tb"] };
const TIMEOUTS: Values = {
    good: [{}, { create: 60, update: 60, delete: 60 }],
    bad: [],
    ours: [{ create: 0 }, { make: 5 }, [5], "5", 5],
};
const BOOLEAN: Values = { good: [true, false], bad: [], ours: ["true", 1, {}] };
const PLACE: Values = { good: [], bad: ["nowhere"], ours: ["", 5, {}, ["sandbox"]] };

const TAGS: Values = {
    good: [{}, { a: "b" }, { [LONGEST]: LONGEST }, { "a b": UNICODE }],
    bad: [{ a: "" }, { "": "b" }, { a: LONG }, { [LONG]: "b" }, { a: "b\tc" }],
    ours: [{ a: 5 }, { a: {} }, ["a"], "a", 5],
};

const SURFACES: readonly Surface[] = [
    {
        kind: "virtualMachine",
        base: () => ({ ...named("s"), ...small }),
        values: {
            name: {
                good: ["a", `a${"b".repeat(62)}`, "A-1"],
                bad: ["", "-a", "a-", "1a", "a_b", "a.b", `a${"b".repeat(63)}`, "ä", "a\n"],
                ours: [5, {}],
            },
            displayName: TEXT,
            group: TEXT,
            zone: PLACE,
            project: { good: [], bad: [], ours: [5, {}, ["a"]] },
            profile: { good: [], bad: [], ours: [5, {}] },
            serviceOffering: { good: ["Medium Instance"], bad: ["", "none", LONG, 5] },
            template: { good: ["Debian 13"], bad: ["", "none", LONG, 5] },
            network: { good: ["shared"], bad: ["none", LONG], ours: ["", 5, {}] },
            ipAddress: {
                good: ["10.1.2.3"],
                bad: ["10.1.0.1", "10.1.0.0", "10.1.15.255", "10.2.0.1", "10.1.2", "10.1.2.3.4", "fd00::1", "host"],
                ours: [5, {}],
            },
            securityGroups: {
                good: [[], () => [group], () => [group, group]],
                bad: [["web"]],
                ours: [[""], "web", {}, [5], 5],
            },
            affinityGroups: { good: [[], () => [affinity]], bad: [["spread"]], ours: ["spread", {}, [5]] },
            sshKeyPairs: {
                good: [[], () => [key]],
                bad: [[""], ["a,b"]],
                ours: ["laptop", {}, [5], [{}]],
            },
            userData: {
                good: ["#!/bin/sh\n", UNICODE, "", "x".repeat(24_576)],
                bad: ["x".repeat(24_577)],
                ours: [5, {}],
            },
            userDataBase64: { good: ["aGk=", ""], bad: ["%%%", "a".repeat(32_772)], ours: ["abc", 5, {}] },
            userDataMaxLength: { good: [40_000], bad: [], ours: [0, "5", 1.5] },
            onUserDataChange: { good: ["ignore", "update", "restart", "reinstall", "replace"], bad: [], ours: ["", 5] },
            onTemplateChange: { good: ["replace", "reinstall"], bad: [], ours: ["", 5, {}] },
            rootDiskSizeGiB: { good: [2, 10], bad: [0, -1, 1], ours: ["10", 2.5, {}] },
            tags: TAGS,
            details: {
                good: [{}, { a: "b" }, { a: "x".repeat(5120) }],
                bad: [{ a: "x".repeat(5121) }, { [LONG]: "b" }, { a: "b\tc" }],
                ours: [{ owner: "me" }, { deployvm: "x" }, { a: 5 }, ["a"], "a"],
            },
            running: BOOLEAN,
            allowRestart: BOOLEAN,
            deleteProtection: { ...BOOLEAN, good: [false] },
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "securityGroup",
        base: () => named("s"),
        values: {
            name: { ...NAME, bad: [...NAME.bad, "default"], ours: [5, {}] },
            description: { good: [UNICODE, "x".repeat(200), ""], bad: [LONG, "a\tb"], ours: [5, {}] },
            ingress: RULES,
            egress: RULES,
            exclusive: BOOLEAN,
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "securityGroupRules",
        base: () => ({ owner: named("s").owner, securityGroup: group }),
        values: {
            securityGroup: { good: [], bad: ["", "web"], ours: [5, {}, []] },
            ingress: RULES,
            egress: RULES,
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "sshKeyPair",
        base: () => named("s"),
        values: {
            name: { good: [UNICODE, "a b"], bad: [LONG, "a\tb"], ours: ["", 5, {}] },
            publicKey: {
                good: [() => publicKey(), () => publicKey(` ${UNICODE}`), () => `${publicKey()}\n`],
                bad: ["", "ssh-ed25519", "ssh-foo AAAA", `ssh-ed25519 AAAA ${"x".repeat(5120)}`],
                ours: [5, {}, "-----BEGIN OPENSSH PRIVATE KEY-----"],
            },
        },
    },
    {
        kind: "affinityGroup",
        base: () => named("s"),
        values: {
            name: { good: NAME.good, bad: [LONG, "a\tb"], ours: ["", " ", 5, {}] },
            description: { good: [UNICODE, ""], bad: [LONG, "a\tb"], ours: [5, {}] },
            type: { good: ["host anti-affinity", "host affinity"], bad: ["", "spread"], ours: [5, {}] },
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "volume",
        base: () => ({ ...named("s"), diskOffering: "Custom", sizeGiB: 2 }),
        values: {
            name: { good: [UNICODE, "a b"], bad: [LONG, "a\tb"], ours: ["", 5, {}] },
            zone: PLACE,
            diskOffering: { good: [], bad: ["", "none", 5] },
            sizeGiB: { good: [1, 1024], bad: [0, 1025], ours: ["5", 1.5, {}] },
            virtualMachine: { good: [() => machine], bad: ["web", ""], ours: [5, {}, []] },
            deviceId: { good: [], bad: [], ours: [0, 3, 64, "1"] },
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "network",
        base: () => ({ ...named("s"), zone: "sandbox-isolated" }),
        values: {
            name: { good: NAME.good, bad: [LONG, "a\tb"], ours: ["", " ", 5, {}] },
            displayText: { good: [UNICODE, "x".repeat(200), ""], bad: [LONG, "a\tb"], ours: [5, {}] },
            networkOffering: {
                good: ["DefaultL2NetworkOffering"],
                bad: ["", "none", LONG, 5, "DefaultSharedNetworkOfferingWithSGService"],
                ours: [{}],
            },
            cidr: {
                good: ["10.1.1.0/24", "192.168.0.0/20", "172.16.5.64/26", "100.64.0.0/16"],
                bad: ["203.0.113.0/24", "11.0.0.0/16"],
                ours: ["", "10.1.1.1/24", "10.0.0.0/33", "10.0.0.0/30", "10.1.1/24", "fd00::/64", 5, {}],
            },
            gateway: { good: [], bad: [], ours: ["10.1.1.1", "10.1.1", "", 5, {}] },
            networkDomain: {
                good: ["app.internal", "a", "a-1.b"],
                bad: ["a b", "-a", "a.", "ä", "a".repeat(64)],
                ours: ["", 5, {}],
            },
            dns: {
                good: [["9.9.9.9"], ["9.9.9.9", "1.1.1.1"]],
                bad: [["9.9.9"], ["9.9.9.9", "host"]],
                ours: [[], ["9.9.9.9", "1.1.1.1", "8.8.8.8"], "9.9.9.9", [5], {}],
            },
            tags: TAGS,
            zone: { ...PLACE, bad: ["nowhere", "sandbox"] },
            project: { good: [], bad: [], ours: [5, {}, ["a"]] },
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "publicIpAddress",
        base: () => ({ owner: named("s").owner, network }),
        values: {
            network: { good: [], bad: ["", "nowhere", "shared"], ours: [5, {}, []] },
            ipAddress: { good: ["198.18.0.230"], bad: ["198.18.0", "fd00::1", "host"], ours: ["", 5, {}] },
            tags: { ...TAGS, ours: [...TAGS.ours!, { "pulumi-owner": "me" }] },
            project: { good: [], bad: [], ours: [5, {}, ["a"]] },
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "firewallRules",
        base: () => ({ owner: named("s").owner, address, rules: [] }),
        values: {
            address: { good: [], bad: ["", "web"], ours: [5, {}, []] },
            rules: { ...FIREWALL, bad: [...FIREWALL.bad, rules({ protocol: "all" })] },
            exclusive: BOOLEAN,
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "egressFirewallRules",
        base: () => ({ owner: named("s").owner, network, rules: [] }),
        values: {
            network: { good: [], bad: ["", "web"], ours: [5, {}, []] },
            rules: {
                ...FIREWALL,
                good: [
                    ...FIREWALL.good,
                    [{}],
                    [{ protocol: "all" }],
                    [{ ports: "22", destinationCidrs: ["192.0.2.0/24"] }, { ports: "22" }],
                ],
            },
            exclusive: BOOLEAN,
            timeoutSeconds: TIMEOUTS,
        },
    },
    {
        kind: "portForwardingRule",
        base: () => ({ owner: named("s").owner, address, virtualMachine: inside, publicPorts: nextPort() }),
        values: {
            address: { good: [], bad: ["", "web"], ours: [5, {}, []] },
            virtualMachine: { good: [], bad: ["", "web"], ours: [5, {}, []] },
            protocol: { good: ["tcp", "udp"], bad: ["icmp", "all", ""], ours: [5, {}] },
            publicPorts: { good: ["80", 81, "90-99"], bad: [], ours: ["0", "65536", "9-8", "a", "", {}, []] },
            privatePorts: { good: ["80", 81], bad: [], ours: ["0", "65536", "9-8", "80-81", "", {}] },
            cidrs: {
                good: [["10.0.0.0/8", "192.0.2.0/24"]],
                bad: [["10.0.0.0/33"], ["x"]],
                ours: [[], ["fd00::/8"], "x", 5],
            },
            timeoutSeconds: TIMEOUTS,
        },
    },
];

/** A port of the address that no other rule has. */
function nextPort(): number {
    return 10_000 + ++ports;
}

let ports = 0;

const given = (value: unknown) => (typeof value === "function" ? value() : value);
const shown = (value: unknown) => String(JSON.stringify(given(value)) ?? value).slice(0, 60);

/** Phrases of JavaScript's own exceptions. */
const OWN =
    /TypeError|RangeError|is not a function|is not iterable|Cannot (read|convert)|undefined|\[object|internal error in pulumi-cloudstack/;

function expectTold({ failures }: CheckError, argument?: string): void {
    expect(failures.length).toBeGreaterThan(0);
    for (const { property, reason } of failures) {
        expect(reason).not.toMatch(OWN);
        expect(reason.length).toBeGreaterThan(8);
        if (argument !== undefined) expect(property.split(/[.[:]/)[0]).toBe(argument);
    }
}

/** Creates a resource and deletes it again. */
async function carryOut(kind: Kind, args: Record<string, unknown>): Promise<void> {
    const plugin = world.plugin();
    const made = await plugin.create(kind, args);
    expect((await plugin.plan(kind, args, made)).diff!.changes).not.toBe(true);
    await plugin.delete(made);
}

describe.each(SURFACES.map((surface) => [surface.kind, surface] as const))("%s", (kind, { base, values }) => {
    test("the cloud accepts every value that check accepts, argument by argument", async () => {
        for (const [argument, { good }] of Object.entries(values)) {
            for (const value of good) {
                try {
                    await carryOut(kind, { ...base(), [argument]: given(value) });
                } catch (error) {
                    throw new Error(`${argument} ${shown(value)}: ${(error as Error).message}`);
                }
            }
        }
    });

    test("check refuses every value that the cloud refuses, with path and remedy", async () => {
        const accepted: string[] = [];
        for (const [argument, { bad, ours = [] }] of Object.entries(values)) {
            for (const value of [...bad, ...ours]) {
                const error = await world
                    .plugin()
                    .plan(kind, { ...base(), [argument]: given(value) })
                    .then(
                        () => new Error("check accepts it"),
                        (refused: Error) => refused,
                    );
                if (error instanceof CheckError) expectTold(error, argument);
                else accepted.push(`${argument} ${shown(value)}: ${error.message}`);
            }
        }
        expect(accepted).toEqual([]);
    });

    test("the cloud refuses the same values", async () => {
        const taken: string[] = [];
        for (const [argument, { bad }] of Object.entries(values)) {
            for (const value of bad) {
                const plugin = world.plugin();
                const { inputs } = await plugin.plan(kind, base());
                // Names still refer to the same things.
                delete inputs.referenceIds;
                await plugin.createChecked(kind, { ...inputs, [argument]: given(value) }).then(
                    () => taken.push(`${argument} ${shown(value)}`),
                    () => undefined,
                );
            }
        }
        expect(taken).toEqual([]);
    });

    test("no value of any type causes one of JavaScript's own exceptions", async () => {
        const value = fc.oneof(
            fc.constant(null),
            fc.string({ maxLength: 20 }),
            fc.integer({ min: -2, max: 70_000 }),
            fc.boolean(),
            fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.constant(null), fc.constant({})), {
                maxLength: 2,
            }),
            fc.dictionary(
                fc.string({ maxLength: 5 }),
                fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.constant(null)),
                {
                    maxKeys: 2,
                },
            ),
        );
        const rule = fc.record(
            {
                protocol: value,
                ports: value,
                icmpType: value,
                icmpCode: value,
                cidrs: value,
                groups: value,
                self: value,
            },
            { requiredKeys: [] },
        );
        const anything = fc.oneof({ weight: 3, arbitrary: value }, fc.array(rule, { maxLength: 1 }));
        const plugin = world.plugin();
        await fc.assert(
            fc.asyncProperty(fc.constantFrom(...Object.keys(values)), anything, async (argument, any) => {
                const error = await plugin.plan(kind, { ...base(), [argument]: any }).catch((caught) => caught);
                if (error instanceof CheckError) expectTold(error);
                else if (error instanceof Error) throw error;
            }),
            { numRuns: 300, seed: 12 },
        );
    });
});

test("a group of another account is refused by the cloud, with the cloud's message", async () => {
    const error = await failure(
        world.plugin().create("virtualMachine", { ...named("s"), ...small, securityGroups: [foreign] }),
    );
    expect(error.message).not.toMatch(OWN);
});
