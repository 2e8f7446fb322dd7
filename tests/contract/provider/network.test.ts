import { startCloud } from "../../../simulator";
import { World, captureLog, failure, named, type Plugin, type Resource } from "./support";

/** Networks in a zone without security groups. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const zone = "sandbox-isolated";
const machine = { zone, serviceOffering: "Small Instance", template: "Debian 12" };
const listed = async (id: string) => (await world.api.user.list("listNetworks", { id }))[0];
const marked = async (owner: string) =>
    (await world.api.user.list("listNetworks")).filter(({ displaytext }) => displaytext.endsWith(`[${owner}]`));

async function expectNoChange(plugin: Plugin, resource: Resource): Promise<void> {
    expect(await plugin.drifted(resource)).toBe(false);
    expect((await plugin.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

test("a network is created with its mark, read and deleted, and has no differences in between", async () => {
    const args = {
        ...named("net"),
        zone,
        cidr: "10.20.0.0/24",
        displayText: "For the app",
        networkDomain: "app.internal",
    };
    const made = await world.plugin().create("network", { ...args, dns: ["9.9.9.9", "1.1.1.1"], tags: { a: "b" } });
    expect(made.outputs).toMatchObject({
        ...{ name: args.name, type: "Isolated", cidr: "10.20.0.0/24", gateway: "10.20.0.1", netmask: "255.255.255.0" },
        ...{ displayText: "For the app", networkDomain: "app.internal", dns: ["9.9.9.9", "1.1.1.1"], tags: { a: "b" } },
        ...{ networkOffering: "DefaultIsolatedNetworkOfferingWithSourceNatService", persistent: false },
    });
    expect(await listed(made.id)).toMatchObject({
        displaytext: `For the app [${args.owner}]`,
        state: "Allocated",
        tags: [{ key: "a", value: "b" }],
    });
    await expectNoChange(world.plugin(), made);
    await world.plugin().delete(made);
    await world.plugin().delete(made);
    expect(await world.plugin().read(made)).toBeUndefined();
});

test("without addresses, CloudStack chooses them; a network of layer 2 has none", async () => {
    const chosen = await world.plugin().create("network", { ...named("net"), zone });
    expect(chosen.outputs).toMatchObject({
        cidr: "10.1.1.0/24",
        gateway: "10.1.1.1",
        networkDomain: "cs2cloud.internal",
    });
    const flat = await world.plugin().create("network", {
        ...{ ...named("net"), zone, networkOffering: "DefaultL2NetworkOffering" },
    });
    expect(flat.outputs).toMatchObject({ type: "L2" });
    expect(flat.outputs).not.toHaveProperty("cidr");
    const persistent = await world.plugin().create("network", {
        ...{ ...named("net"), zone, networkOffering: "PersistentIsolatedNetwork" },
    });
    expect(persistent.outputs).toMatchObject({ persistent: true, egressAllowed: true });
    expect(await listed(persistent.id)).toMatchObject({ state: "Implemented" });
    for (const made of [chosen, flat, persistent]) {
        await expectNoChange(world.plugin(), made);
        await world.plugin().delete(made);
    }
});

test("name, text, domain, name servers, tags and offering change in place, with one call and only for what differs", async () => {
    const args = { ...named("net"), zone, cidr: "10.21.0.0/24", tags: { a: "b", c: "d" } };
    const made = await world.plugin().create("network", args);
    world.cloud.clearCalls();
    const changes = { name: `${args.name}-b`, displayText: "b", networkDomain: "b.internal", dns: ["9.9.9.9"] };
    const other = { ...args, ...changes, networkOffering: "PersistentIsolatedNetwork", tags: { a: "b", c: "e" } };
    const now = await world.plugin().up(made, other);
    expect(now.id).toBe(made.id);
    expect(world.calls()).toMatchObject({ updateNetwork: 1, createTags: 1, deleteTags: 1 });
    const { dns, ...rest } = changes;
    expect(now.outputs).toMatchObject({ ...rest, dns, tags: { a: "b", c: "e" }, persistent: true });
    await expectNoChange(world.plugin(), now);
    // What is left out is kept, apart from the text and the tags.
    const { displayText: _text, networkDomain: _domain, dns: _dns, tags: _tags, ...fewer } = other;
    const last = await world.plugin().up(now, fewer);
    expect(last.outputs).toMatchObject({ networkDomain: "b.internal", dns: ["9.9.9.9"] });
    expect(await listed(made.id)).toMatchObject({ displaytext: `[${args.owner}]`, tags: [] });
    await expectNoChange(world.plugin(), last);
    await world.plugin().delete(last);
});

test("other addresses, another zone or another type replace a network; the new one may have the same name", async () => {
    const args = { ...named("net"), zone, cidr: "10.22.0.0/24" };
    const made = await world.plugin().create("network", args);
    const plan = async (more: object) =>
        (await world.plugin().plan("network", { ...args, ...more }, made)).diff!.replaces;
    expect(await plan({ cidr: "10.23.0.0/24" })).toEqual(["cidr"]);
    expect(await plan({ cidr: "10.22.0.0/24", gateway: "10.22.0.254" })).toEqual(["gateway"]);
    expect(await plan({ networkOffering: "DefaultL2NetworkOffering", cidr: undefined })).toEqual(["type"]);
    expect(await plan({ cidr: undefined })).toEqual([]);
    const other = await world.plugin().up(made, { ...args, cidr: "10.23.0.0/24" });
    expect(other.id).not.toBe(made.id);
    expect(await world.api.user.list("listNetworks", { keyword: args.name })).toMatchObject([{ cidr: "10.23.0.0/24" }]);
    await world.plugin().delete(other);
});

test("every invalid argument is reported at preview, with what is valid", async () => {
    const reasons = async (args: object) => {
        const { failures } = await failure(world.plugin().plan("network", { ...named("net"), zone, ...args }));
        return failures.map(({ property, reason }: any) => `${property}: ${reason}`);
    };
    expect(
        await reasons({
            cidr: "10.1.1.9/24",
            gateway: "10.1.1",
            dns: ["9.9.9"],
            networkDomain: "a b",
            networkOffering: "Defaul",
        }),
    ).toEqual([
        'cidr: "10.1.1.9/24" is an address within network 10.1.1.0/24: give the network',
        'gateway: "10.1.1" must be an IPv4 address',
        expect.stringMatching(/^networkDomain: "a b" must be a domain name/),
        'dns[0]: "9.9.9": must be an IPv4 address',
        expect.stringMatching(/^networkOffering: there is no network offering "Defaul": did you mean "Default/),
    ]);
    expect(await reasons({ cidr: "203.0.113.0/24", dns: [] })).toEqual([
        expect.stringMatching(/^cidr: .* must be within 10\.0\.0\.0\/8/),
        expect.stringMatching(/^dns: has 0 addresses/),
    ]);
    expect(await reasons({ cidr: "10.1.1.0/24", gateway: "10.1.1.255" })).toEqual([
        "gateway: 10.1.1.255 is not an address for a device in network 10.1.1.0/24",
    ]);
    expect(await reasons({ gateway: "10.1.1.1" })).toEqual([expect.stringMatching(/^gateway: requires cidr/)]);
    expect(await reasons({ cidr: "10.1.1.0/24", networkOffering: "DefaultL2NetworkOffering" })).toEqual([
        expect.stringMatching(/^cidr: is not possible with .* layer 2 has no addresses/),
    ]);
    expect(await reasons({ zone: "sandbox" })).toEqual([expect.stringMatching(/^zone: sandbox has security groups/)]);
    expect(await reasons({ networkOffering: "DefaultSharedNetworkOfferingWithSGService" })).toEqual([
        expect.stringMatching(/only an administrator/),
    ]);
});

test("the account's limit of networks is checked at preview, for all networks of the run", async () => {
    await world.api.admin.ok("updateResourceLimit", {
        resourcetype: 6,
        max: 1,
        account: "user",
        domainid: (await world.api.admin.list("listAccounts", { name: "user" }))[0].domainid,
    });
    const plugin = world.plugin();
    await plugin.plan("network", { ...named("net"), zone });
    const { failures } = await failure(plugin.plan("network", { ...named("net"), zone }));
    expect(failures[0].reason).toMatch(/needs 2 networks, but account user can have only 1 more/);
    await world.api.admin.ok("updateResourceLimit", {
        resourcetype: 6,
        max: -1,
        account: "user",
        domainid: (await world.api.admin.list("listAccounts", { name: "user" }))[0].domainid,
    });
});

test("with a lost answer there is one network, found by its mark", async () => {
    const args = { ...named("net"), zone };
    world.fault("drop", "createNetwork");
    const made = await world.plugin().create("network", args);
    expect(await marked(args.owner)).toMatchObject([{ id: made.id }]);
    world.fault("drop", "deleteNetwork");
    await world.plugin().delete(made);
    expect(await marked(args.owner)).toEqual([]);
});

test("a network that an interrupted run left is adopted, and what differs is changed", async () => {
    const args = { ...named("net"), zone, cidr: "10.24.0.0/24" };
    const left = await world.plugin().create("network", args);
    const { result, logged } = await captureLog(() =>
        world.plugin().create("network", { ...args, displayText: "new" }),
    );
    expect(result.id).toBe(left.id);
    expect(logged).toContainEqual(expect.stringMatching(/has this resource's mark and will be adopted/));
    expect(await listed(left.id)).toMatchObject({ displaytext: `new [${args.owner}]` });
    await world.plugin().delete(result);
});

test("a second network that a delayed request has created is deleted with the resource", async () => {
    const args = { ...named("net"), zone };
    const made = await world.plugin().create("network", args);
    const { networkofferingid, zoneid, displaytext } = await listed(made.id);
    await world.api.user.ok("createNetwork", { name: args.name, displaytext, zoneid, networkofferingid });
    const outputs = { ...made.outputs, unansweredAt: Date.now() };
    await world.plugin().delete({ ...made, outputs });
    expect(await marked(args.owner)).toEqual([]);
});

test("changes by hand are found by a refresh and repaired", async () => {
    const args = { ...named("net"), zone, displayText: "ours", tags: { a: "b" } };
    const made = await world.plugin().create("network", args);
    await world.api.user.done("updateNetwork", { id: made.id, name: "theirs", displaytext: "theirs" });
    await world.api.user.done("deleteTags", { resourceids: made.id, resourcetype: "Network", "tags[0].key": "a" });
    const found = (await world.plugin().read(made))!;
    expect(found.outputs).toMatchObject({ name: "theirs", displayText: "theirs", tags: {} });
    expect(await world.plugin().drifted(made)).toBe(true);
    const repaired = await world.plugin().up(found, args);
    expect(await listed(made.id)).toMatchObject({
        ...{ name: args.name, displaytext: `ours [${args.owner}]`, tags: [{ key: "a" }] },
    });
    await expectNoChange(world.plugin(), repaired);
    await world.plugin().delete(repaired);
});

test("a network with machines is not deleted: the error names them", async () => {
    const plugin = world.plugin("expunger");
    const network = await plugin.create("network", { ...named("net"), zone });
    const inside = await plugin.create("virtualMachine", { ...named("inside"), ...machine, network: network.id });
    expect(inside.outputs.networkInterfaces).toMatchObject([{ networkId: network.id }]);
    const { message } = await failure(world.plugin("expunger").delete(network));
    expect(message).toMatch(
        new RegExp(
            `cannot be deleted while it has machines: ${inside.outputs.name} \\(${inside.id}\\)\\. Delete or move`,
        ),
    );
    await world.plugin("expunger").delete(inside);
    await world.plugin("expunger").delete(network);
});

describe("an account that may not expunge", () => {
    test("is told so at preview; its networks wait for CloudStack, and a later run deletes them", async () => {
        const args = { ...named("net"), zone };
        const { logged } = await captureLog(() => world.plugin().plan("network", args));
        expect(logged).toEqual([
            expect.stringMatching(/^account user may not expunge machines: a network with machines/),
        ]);
        const network = await world.plugin().create("network", args);
        const inside = await world
            .plugin()
            .create("virtualMachine", { ...named("inside"), ...machine, network: network.id });
        await world.plugin().delete(inside);
        const after = await captureLog(() => world.plugin().delete(network));
        expect(after.logged).toContainEqual(
            expect.stringMatching(
                /stays until CloudStack has expunged .* within a day \(about \d{4}-.* UTC\), since account user/,
            ),
        );
        // Another run, while it still has to wait.
        const next = await world.plugin().create("network", { ...named("net"), zone });
        expect(await listed(network.id)).toMatchObject({ id: network.id });
        await world.api.admin.done("expungeVirtualMachine", { id: inside.id });
        await world.plugin().delete(next);
        expect(await listed(network.id)).toBeUndefined();
    });

    test("gets its waiting network back if the program has it again", async () => {
        const args = { ...named("net"), zone };
        const network = await world.plugin().create("network", args);
        const inside = await world
            .plugin()
            .create("virtualMachine", { ...named("inside"), ...machine, network: network.id });
        await world.plugin().delete(inside);
        await world.plugin().delete(network);
        const again = await world.plugin().create("network", args);
        expect(again.id).toBe(network.id);
        expect(await listed(again.id)).toMatchObject({ displaytext: `[${args.owner}]` });
        await world.api.admin.done("expungeVirtualMachine", { id: inside.id });
        await world.plugin().delete(again);
        expect(await listed(again.id)).toBeUndefined();
    });
});

test("reads of many networks are one list", async () => {
    const plugin = world.plugin();
    const made = [];
    for (let count = 0; count < 4; count++) made.push(await plugin.create("network", { ...named("net"), zone }));
    world.cloud.clearCalls();
    const fresh = world.plugin();
    await Promise.all(made.map((network) => fresh.read(network)));
    expect(world.calls().listNetworks).toBe(1);
    for (const network of made) await fresh.delete(network);
});
