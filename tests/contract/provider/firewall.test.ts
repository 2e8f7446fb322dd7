import { startCloud } from "../../../simulator";
import { World, captureLog, failure, named, type Plugin, type Resource } from "./support";

/** Firewall rules of public addresses, and egress rules of isolated networks. */

let world: World;
let app: Resource;
let address: Resource;

const zone = "sandbox-isolated";
const owner = () => named("rules").owner;
const plugin = () => world.plugin();

beforeAll(async () => {
    world = new World(await startCloud());
    app = await plugin().create("network", { ...named("app"), zone, networkOffering: "PersistentIsolatedNetwork" });
    address = await plugin().create("publicIpAddress", { owner: owner(), network: app.id });
});
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const look = ({ protocol, startport, endport, icmptype, cidrlist, destcidrlist }: any) =>
    `${protocol} ${startport ?? icmptype ?? "all"}-${endport ?? ""} ${cidrlist}${destcidrlist === "" ? "" : ` to ${destcidrlist}`}`;
const ingress = async () =>
    (await world.api.user.list("listFirewallRules", { ipaddressid: address.id })).map(look).sort();
const egress = async () =>
    (await world.api.user.list("listEgressFirewallRules", { networkid: app.id })).map(look).sort();

async function expectNoChange(of: Plugin, resource: Resource): Promise<void> {
    expect(await of.drifted(resource)).toBe(false);
    expect((await of.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

const web = { ports: "80", cidrs: ["0.0.0.0/0", "10.0.0.0/8"] };

test("a set of rules is created one after another, changed by its difference, and removed", async () => {
    const args = { owner: owner(), address: address.id, rules: [web, { protocol: "icmp", cidrs: ["10.0.0.0/8"] }] };
    const made = await plugin().create("firewallRules", args);
    expect(await ingress()).toEqual(["icmp -1- 10.0.0.0/8", "tcp 80-80 0.0.0.0/0,10.0.0.0/8"]);
    await expectNoChange(plugin(), made);
    world.cloud.clearCalls();
    const more = [
        ...args.rules,
        { ports: "443", cidrs: ["192.0.2.0/24"] },
        { protocol: "udp", cidrs: ["192.0.2.0/24"] },
    ];
    const now = await plugin().up(made, { ...args, rules: more });
    expect(world.calls()).toMatchObject({ listFirewallRules: 1, createFirewallRule: 2 });
    expect(world.calls()).not.toHaveProperty("deleteFirewallRule");
    const less = await plugin().up(now, { ...args, rules: [{ ...web, cidrs: ["10.0.0.0/8"] }, more[3]] });
    expect(await ingress()).toEqual(["tcp 80-80 10.0.0.0/8", "udp all- 192.0.2.0/24"]);
    await expectNoChange(plugin(), less);
    await plugin().delete(less);
    await plugin().delete(less);
    expect(await ingress()).toEqual([]);
});

test("egress rules of a network have sources and destinations; the network's own addresses are the default", async () => {
    const rules = [{ ports: "443" }, { protocol: "all", destinationCidrs: ["192.0.2.0/24", "198.51.100.0/24"] }];
    const args = { owner: owner(), network: app.id, rules };
    const made = await plugin().create("egressFirewallRules", args);
    expect(await egress()).toEqual([
        "all all- 10.1.1.0/24 to 192.0.2.0/24",
        "all all- 10.1.1.0/24 to 198.51.100.0/24",
        "tcp 443-443 10.1.1.0/24",
    ]);
    await expectNoChange(plugin(), made);
    const spelt = [{ ports: 443, cidrs: ["10.1.1.0/24"], destinationCidrs: ["0.0.0.0/0"] }, rules[1]];
    expect((await plugin().plan("egressFirewallRules", { ...args, rules: spelt }, made)).diff).toMatchObject({
        changes: false,
    });
    const now = await plugin().up(made, { ...args, rules: [{ ...rules[0], cidrs: ["10.1.1.8/29"] }] });
    expect(await egress()).toEqual(["tcp 443-443 10.1.1.8/29"]);
    await plugin().delete(now);
    expect(await egress()).toEqual([]);
});

test("rules that somebody else has added are reported once and left alone, or removed if the set is exclusive", async () => {
    const args = { owner: owner(), address: address.id, rules: [web] };
    const made = await plugin().create("firewallRules", args);
    await world.api.user.done("createFirewallRule", {
        ipaddressid: address.id,
        protocol: "tcp",
        startport: 22,
        endport: 22,
    });
    const { result: found, logged } = await captureLog(() => plugin().read(made));
    expect(logged).toEqual([
        expect.stringMatching(/does not manage; they are left alone .*: tcp 22 from 0\.0\.0\.0\/0$/),
    ]);
    expect(found!.outputs.unmanagedRules).toEqual(["tcp 22 from 0.0.0.0/0"]);
    expect((await captureLog(() => plugin().read(found!))).logged).toEqual([]);
    expect((await plugin().plan("firewallRules", args, found)).diff).toMatchObject({ changes: false });
    const kept = await plugin().up(found!, { ...args, rules: [] });
    expect(await ingress()).toEqual(["tcp 22-22 0.0.0.0/0"]);
    const exclusive = await plugin().up(kept, { ...args, exclusive: true });
    expect(await ingress()).toEqual(["tcp 80-80 0.0.0.0/0,10.0.0.0/8"]);
    await plugin().delete(exclusive);
});

test("a rule that somebody removed is found by a refresh and created again", async () => {
    const args = { owner: owner(), address: address.id, rules: [web, { ports: "443", cidrs: ["0.0.0.0/0"] }] };
    const made = await plugin().create("firewallRules", args);
    const [rule] = await world.api.user.list("listFirewallRules", { ipaddressid: address.id });
    await world.api.user.done("deleteFirewallRule", { id: rule.id });
    const found = await plugin().read(made);
    expect(found!.outputs.managedRules).toHaveLength(2);
    const repaired = await plugin().up(found!, args);
    expect(await ingress()).toHaveLength(2);
    await plugin().delete(repaired);
});

test("every invalid rule is reported at preview with its path, and so are conflicts", async () => {
    const reasons = async (rules: unknown, of: Plugin = plugin(), target = address.id) => {
        const { failures } = await failure(of.plan("firewallRules", { owner: owner(), address: target, rules }));
        return failures.map(({ property, reason }: any) => `${property}: ${reason}`);
    };
    const everyone = { cidrs: ["0.0.0.0/0"] };
    expect(
        await reasons([
            { ports: "443" },
            { ...everyone, protocol: "all" },
            { ...everyone, ports: "0-80" },
            { ...everyone, port: "80" },
            { ...everyone, protocol: "icmp", ports: "8" },
            { cidrs: ["10.0.0.0/99", "fd00::/8"] },
        ]),
    ).toEqual([
        expect.stringMatching(/^rules\[0\].cidrs: has no network/),
        expect.stringMatching(/^rules\[1\].protocol: "all" is not one of tcp, udp, icmp/),
        expect.stringMatching(/^rules\[2\].ports: "0-80" is neither a port/),
        expect.stringMatching(/^rules\[3\].port: is not a known argument/),
        expect.stringMatching(/^rules\[4\].ports: is not valid with protocol icmp/),
        expect.stringMatching(/^rules\[5\].cidrs\[0\]: "10.0.0.0\/99" is not an IPv4 network/),
        expect.stringMatching(/^rules\[5\].cidrs\[1\]: "fd00::\/8" is not an IPv4 network/),
    ]);
    expect(
        await reasons([
            { ...everyone, ports: "80" },
            { ...everyone, ports: "1-100" },
        ]),
    ).toEqual([
        expect.stringMatching(
            /^rules\[1\]: tcp 1-100 from 0.0.0.0\/0 has ports in common with rules\[0\], tcp 80 from/,
        ),
    ]);
    const one = plugin();
    await one.plan("firewallRules", { owner: owner(), address: address.id, rules: [] });
    expect(await reasons([], one)).toEqual([expect.stringMatching(/put all of its rules in one resource$/)]);
    expect(await reasons([], plugin(), "web")).toEqual([expect.stringMatching(/^address: "web" is not an id/)]);
});

test.each(["drop", "cut"] as const)(
    "with lost answers (%s) there is every rule once",
    async (kind) => {
        const args = { owner: owner(), address: address.id, rules: [web, { ports: "443", cidrs: ["0.0.0.0/0"] }] };
        world.fault(kind, "createFirewallRule", { count: 1 });
        const made = await plugin().create("firewallRules", args);
        expect(await ingress()).toHaveLength(2);
        world.fault(kind, "deleteFirewallRule");
        await plugin().delete(made);
        expect(await ingress()).toEqual([]);
    },
    60_000,
);

test("rules that an interrupted run has created are not created again", async () => {
    const args = { owner: owner(), address: address.id, rules: [web, { ports: "443", cidrs: ["0.0.0.0/0"] }] };
    await plugin().create("firewallRules", { ...args, rules: [args.rules[1]] });
    const made = await plugin().create("firewallRules", args);
    expect(await ingress()).toHaveLength(2);
    await plugin().delete(made);
});

test("rules of an address that is released go with it, and are no error", async () => {
    const other = await plugin().create("publicIpAddress", { owner: owner(), network: app.id });
    const made = await plugin().create("firewallRules", { owner: owner(), address: other.id, rules: [web] });
    await world.api.user.done("disassociateIpAddress", { id: other.id });
    expect(await plugin().read(made)).toBeUndefined();
    await plugin().delete(made);
});

test("four rules of one address at the pace of a real server take less than its lock", async () => {
    const slow = new World(await startCloud({ timing: 1 }));
    const of = slow.plugin("user", { "cloudstack:zone": zone });
    const network = await of.create("network", { ...named("app"), networkOffering: "PersistentIsolatedNetwork" });
    const ip = await of.create("publicIpAddress", { owner: owner(), network: network.id });
    const rules = ["80", "443", "8080", "8443"].map((ports) => ({ ports, cidrs: ["0.0.0.0/0"] }));
    const began = Date.now();
    await of.create("firewallRules", { owner: owner(), address: ip.id, rules });
    expect(Date.now() - began).toBeLessThan(4000);
    // At once, they would wait for each other.
    const api = slow.api.user;
    const at = Date.now();
    await Promise.all(
        ["81", "82"].map((startport) =>
            api.done("createFirewallRule", { ipaddressid: ip.id, protocol: "tcp", startport }),
        ),
    );
    expect(Date.now() - at).toBeGreaterThan(5000);
    await slow.cloud.close();
}, 60_000);
