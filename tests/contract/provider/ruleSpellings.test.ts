import * as fc from "fast-check";
import { startCloud } from "../../../simulator";
import { actualRules, compareRules, normalKey, wantedRules } from "../../../provider/securityGroup/rules";
import { World, failure, named, type Resource } from "./support";

/** Rules from both sides of a comparison are converted to one normal form, whatever their spelling. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());

const port = fc.oneof(fc.constantFrom(1, 22, 443, 65_535), fc.integer({ min: 1, max: 65_535 }));
const range = fc.tuple(fc.oneof(fc.constant(0), port), port).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc
    .tuple(byte, byte, byte, byte, fc.integer({ min: 0, max: 32 }))
    .map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`);
const ipv6 = fc
    .tuple(
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 0, max: 128 }),
        fc.constantFrom("long", "padded", "upper", "short", "dotted"),
    )
    .map(([groups, bits, spelling]) => `${ipv6Text(groups, spelling)}/${bits}`);
const cidr = fc.oneof(ipv4, ipv6, fc.constantFrom("0.0.0.0/0", "::/0", "10.0.0.1/8", "2001:DB8::1/32"));

function ipv6Text(groups: number[], spelling: string): string {
    const hex = groups.map((group) => group.toString(16));
    if (spelling === "padded") return hex.map((group) => group.padStart(4, "0")).join(":");
    if (spelling === "upper") return hex.join(":").toUpperCase();
    if (spelling === "short") return hex.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
    if (spelling !== "dotted") return hex.join(":");
    const low = groups.slice(6).flatMap((group) => [group >> 8, group & 255]);
    return `${hex.slice(0, 6).join(":")}:${low.join(".")}`;
}

/** Traffic as the API takes it, and the same traffic as arguments, each in one of its spellings. */
const traffic: fc.Arbitrary<{ api: Record<string, unknown>; rule: Record<string, unknown> }> = fc.oneof(
    fc
        .tuple(fc.constantFrom("tcp", "udp"), range, fc.boolean(), fc.boolean())
        .map(([protocol, [startport, endport], upper, asNumber]) => ({
            api: { protocol: upper ? protocol.toUpperCase() : protocol, startport, endport },
            rule: {
                protocol: upper ? (protocol === "tcp" ? "6" : 17) : protocol,
                ports: startport !== endport ? `${startport}-${endport}` : asNumber ? startport : String(startport),
            },
        })),
    // Four spellings of all ports; a protocol number has none.
    fc
        .constantFrom(
            { protocol: "tcp", startport: 0, endport: 0 },
            { protocol: "TCP", startport: 0, endport: 65_535 },
            { protocol: "tcp", startport: 1, endport: 65_535 },
            { protocol: "6" },
        )
        .chain((api) =>
            fc
                .constantFrom({}, { ports: "0-65535" }, { ports: "1-65535", protocol: "TCP" }, { protocol: 6 })
                .map((rule) => ({ api, rule })),
        ),
    fc
        .constantFrom({ protocol: "icmp", icmptype: -1, icmpcode: -1 }, { protocol: "1" })
        .chain((api) =>
            fc
                .constantFrom({}, { icmpType: -1 }, { icmpType: -1, icmpCode: -1 })
                .map((rule) => ({ api, rule: { protocol: "icmp", ...rule } })),
        ),
    fc.tuple(byte, byte).map(([icmptype, icmpcode]) => ({
        api: { protocol: "ICMP", icmptype, icmpcode },
        rule: { protocol: 1, icmpType: icmptype, ...(icmpcode === 0 ? {} : { icmpCode: icmpcode }) },
    })),
    fc.constantFrom({}, { protocol: "ALL" }).map((api) => ({ api, rule: { protocol: "all" } })),
    fc.constantFrom("0", "4", "41", "58", "112", "255").map((protocol) => ({
        api: { protocol },
        rule: { protocol: protocol.padStart(3, "0") },
    })),
);

const direction = fc.constantFrom("ingress" as const, "egress" as const);
const verb = { ingress: "Ingress", egress: "Egress" };
const runs = { numRuns: 30 };

/** A group that was created through the API, for rules of others. */
async function bareGroup(): Promise<string> {
    return (await world.api.user.ok("createSecurityGroup", { name: named("spelt").name })).securitygroup.id;
}

const listed = async (id: string) => (await world.api.user.list("listSecurityGroups", { id }))[0];

test("a rule that the API was given in any spelling equals a rule of a program in any other spelling", async () => {
    await fc.assert(
        fc.asyncProperty(direction, traffic, cidr, async (side, { api, rule }, network) => {
            const securitygroupid = await bareGroup();
            await world.api.user.done(`authorizeSecurityGroup${verb[side]}`, {
                securitygroupid,
                ...api,
                cidrlist: network,
            });
            const group = await listed(securitygroupid);
            const { rules } = wantedRules({ name: "spelt", [side]: [{ ...rule, cidrs: [network] }] });
            expect(compareRules(rules, actualRules(group))).toEqual({ missing: [], extra: [] });
            for (const { key } of rules) expect(normalKey(key)).toBe(key);
            await world.api.user.ok("deleteSecurityGroup", { id: securitygroupid });
        }),
        runs,
    );
}, 60_000);

test("an authorised rule equals the listed one, and is revoked when the program no longer has it", async () => {
    const plugin = world.plugin();
    await fc.assert(
        fc.asyncProperty(direction, traffic, cidr, async (side, { rule }, network) => {
            const args = { ...named("spelt"), [side]: [{ ...rule, cidrs: [network] }] };
            const made = await plugin.create("securityGroup", args);
            expect((await plugin.plan("securityGroup", args, made)).diff).toMatchObject({ changes: false });
            expect(await plugin.drifted(made)).toBe(false);
            const emptied = await plugin.up(made, { ...args, [side]: [] });
            expect(actualRules(await listed(made.id))).toEqual([]);
            await plugin.delete(emptied);
        }),
        runs,
    );
}, 120_000);

test("a rule that an earlier version recorded in another spelling is neither added again nor left behind", async () => {
    const args = { ...named("recorded"), ingress: [{ ports: "0-65535", cidrs: ["10.1.2.3/8"] }] };
    const plugin = world.plugin();
    const made = await plugin.create("securityGroup", args);
    const managedRules = ["ingress|tcp|0|65535|||10.1.2.3/8|"];
    const recorded: Resource = { ...made, outputs: { ...made.outputs, managedRules } };
    expect((await plugin.plan("securityGroup", args, recorded)).diff).toMatchObject({ changes: false });
    await plugin.up(recorded, { ...args, ingress: [] });
    expect(actualRules(await listed(made.id))).toEqual([]);
});

test.each([
    [{ ports: "0" }, "ingress[0].ports", "means all ports to CloudStack"],
    [{ ports: 0 }, "ingress[0].ports", "means all ports to CloudStack"],
    [{ ports: "0-0" }, "ingress[0].ports", "means all ports to CloudStack"],
    [{ protocol: "icmp", icmpType: 3, icmpCode: -1 }, "ingress[0].icmpCode", "no rule for all codes of a type"],
    [{ protocol: "icmp", icmpCode: 3 }, "ingress[0].icmpCode", "requires icmpType"],
    [{ cidrs: ["fe80::1%eth0/64"] }, "ingress[0].cidrs[0]", "is not a CIDR"],
])("a rule that CloudStack would misinterpret or refuse is refused at preview: %j", async (rule, property, reason) => {
    const args = { ...named("refused"), ingress: [{ cidrs: ["10.0.0.0/8"], ...rule }] };
    const { failures } = await failure(world.plugin().plan("securityGroup", args));
    expect(failures).toEqual([{ property, reason: expect.stringContaining(reason) }]);
});
