import { startCloud } from "../../../simulator";
import { World, failure, named, type Plugin, type Resource } from "./support";

/** Port forwarding rules of public addresses. */

let world: World;
let app: Resource;
let address: Resource;
let first: Resource;
let second: Resource;

const zone = "sandbox-isolated";
const owner = () => named("forward").owner;
const plugin = () => world.plugin("expunger");
const machine = () => ({
    ...named("inside"),
    zone,
    serviceOffering: "Small Instance",
    template: "Debian 12",
    network: app.id,
});

beforeAll(async () => {
    world = new World(await startCloud());
    app = await plugin().create("network", { ...named("app"), zone });
    first = await plugin().create("virtualMachine", machine());
    second = await plugin().create("virtualMachine", machine());
    address = await plugin().create("publicIpAddress", { owner: owner(), network: app.id });
});
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const rules = () => world.api.expunger.list("listPortForwardingRules", { ipaddressid: address.id });
const args = (more: Record<string, any> = {}): Record<string, any> => ({
    owner: owner(),
    address: address.id,
    publicPorts: "8080",
    virtualMachine: first.id,
    ...more,
});

async function expectNoChange(of: Plugin, resource: Resource): Promise<void> {
    expect(await of.drifted(resource)).toBe(false);
    expect((await of.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

test("a rule is created without opening the firewall, changed in place, read and deleted", async () => {
    const wanted = args({ privatePorts: 80 });
    const made = await plugin().create("portForwardingRule", wanted);
    expect(await rules()).toMatchObject([
        {
            id: made.id,
            publicport: "8080",
            publicendport: "8080",
            privateport: "80",
            virtualmachineid: first.id,
            protocol: "tcp",
        },
    ]);
    expect(await world.api.expunger.list("listFirewallRules", { ipaddressid: address.id })).toEqual([]);
    await expectNoChange(plugin(), made);
    world.cloud.clearCalls();
    const now = await plugin().up(made, {
        ...wanted,
        privatePorts: "81",
        virtualMachine: second.id,
        cidrs: ["10.0.0.0/8"],
    });
    expect(now.id).toBe(made.id);
    expect(world.calls().updatePortForwardingRule).toBe(1);
    expect(await rules()).toMatchObject([{ privateport: "81", virtualmachineid: second.id, cidrlist: "10.0.0.0/8" }]);
    await expectNoChange(plugin(), now);
    const { privatePorts: _ports, ...less } = wanted;
    const last = await plugin().up(now, less);
    expect(await rules()).toMatchObject([{ privateport: "8080", virtualmachineid: first.id }]);
    await expectNoChange(plugin(), last);
    await plugin().delete(last);
    await plugin().delete(last);
    expect(await rules()).toEqual([]);
});

test("other public ports replace a rule, after the old one is deleted if they have one in common", async () => {
    const made = await plugin().create("portForwardingRule", args({ publicPorts: "9000-9010" }));
    expect(await rules()).toMatchObject([{ publicport: "9000", publicendport: "9010", privateendport: "9010" }]);
    const plan = async (more: object) =>
        (await plugin().plan("portForwardingRule", { ...made.inputs, ...more }, made)).diff;
    expect(await plan({ publicPorts: "9005-9015" })).toMatchObject({
        replaces: ["publicPorts"],
        deleteBeforeReplace: true,
    });
    expect(await plan({ publicPorts: 80 })).toMatchObject({ replaces: ["publicPorts"], deleteBeforeReplace: false });
    expect(await plan({ protocol: "udp" })).toMatchObject({ replaces: ["protocol"], deleteBeforeReplace: false });
    const other = await plugin().up(made, { ...made.inputs, publicPorts: "9005-9015" });
    expect(await rules()).toMatchObject([{ id: other.id, publicport: "9005" }]);
    await plugin().delete(other);
});

test("every invalid argument and every port that two rules have is reported at preview", async () => {
    const reasons = async (of: Plugin, more: object) => {
        const { failures } = await failure(of.plan("portForwardingRule", args(more)));
        return failures.map(({ property, reason }: any) => `${property}: ${reason}`);
    };
    const bad = {
        publicPorts: "0",
        privatePorts: "x",
        protocol: "icmp",
        address: "web",
        virtualMachine: undefined,
        cidrs: ["x"],
    };
    expect(await reasons(plugin(), bad)).toEqual([
        expect.stringMatching(/^protocol: "icmp" is not one of tcp, udp/),
        expect.stringMatching(/^address: "web" is not an id/),
        expect.stringMatching(/^virtualMachine: is required/),
        expect.stringMatching(/^cidrs\[0\]: "x": must be an IPv4 network/),
        expect.stringMatching(/^publicPorts: "0" is not valid: give a port/),
        expect.stringMatching(/^privatePorts: "x" is not valid/),
    ]);
    expect(await reasons(plugin(), { publicPorts: "1-2", privatePorts: "3-5" })).toEqual([
        "privatePorts: must be as many ports as publicPorts",
    ]);
    const one = plugin();
    await one.plan("portForwardingRule", args({ publicPorts: "80-90" }));
    await one.plan("portForwardingRule", args({ publicPorts: "80-90", protocol: "udp" }));
    expect(await reasons(one, { publicPorts: 85 })).toEqual([
        expect.stringMatching(
            /^publicPorts: ports 80-90 of the address is also forwarded by the port forwarding rule of/,
        ),
    ]);
});

test("a port that somebody else's rule has is an error that names the rule", async () => {
    const { id } = await world.api.expunger.ok("createPortForwardingRule", {
        ...{
            ipaddressid: address.id,
            protocol: "tcp",
            publicport: 7000,
            privateport: 7000,
            virtualmachineid: first.id,
        },
    });
    await world.cloud.idle();
    const { message } = await failure(plugin().create("portForwardingRule", args({ publicPorts: 7000 })));
    expect(message).toMatch(new RegExp(`has rule ${id} already: choose another port, or delete that rule`));
    await world.api.expunger.done("deletePortForwardingRule", { id });
    expect(await world.api.expunger.list("listFirewallRules", { ipaddressid: address.id })).toEqual([]);
});

test("with a lost answer there is one rule, and one that an interrupted run left is adopted", async () => {
    const wanted = args();
    world.fault("drop", "createPortForwardingRule");
    const left = await plugin().create("portForwardingRule", wanted);
    const made = await plugin().create("portForwardingRule", wanted);
    expect(made.id).toBe(left.id);
    world.fault("drop", "deletePortForwardingRule");
    await plugin().delete(made);
    expect(await rules()).toEqual([]);
    // The next one has another job.
    const again = await plugin().create("portForwardingRule", wanted);
    expect(again.id).not.toBe(made.id);
    await plugin().delete(again);
});

test("a rule that CloudStack removed with its machine is created again for the next machine", async () => {
    const third = await plugin().create("virtualMachine", machine());
    const made = await plugin().create("portForwardingRule", args({ virtualMachine: third.id }));
    await plugin().delete(third);
    expect(await rules()).toEqual([]);
    const now = await plugin().up(made, { ...made.inputs, virtualMachine: first.id });
    expect(await rules()).toMatchObject([{ id: now.outputs.ruleId, virtualmachineid: first.id }]);
    await expectNoChange(plugin(), now);
    await plugin().delete(now);
    expect(await rules()).toEqual([]);
});

test("changes by hand are found and repaired; reads of many rules are one list", async () => {
    const of = plugin();
    const made = await Promise.all(
        [1, 2, 3].map((port) => of.create("portForwardingRule", args({ publicPorts: port }))),
    );
    await world.api.expunger.done("updatePortForwardingRule", { id: made[0].id, virtualmachineid: second.id });
    world.cloud.clearCalls();
    const fresh = plugin();
    const found = await Promise.all(made.map((rule) => fresh.read(rule)));
    expect(world.calls().listPortForwardingRules).toBe(1);
    expect(found[0]!.outputs.virtualMachine).toBe(second.id);
    await plugin().up(found[0]!, made[0].inputs);
    expect((await rules()).map(({ virtualmachineid }) => virtualmachineid)).toEqual([first.id, first.id, first.id]);
    for (const rule of made) await plugin().delete(rule);
});
