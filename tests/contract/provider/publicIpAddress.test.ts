import { jobIdOf } from "../../../provider/ownJobs";
import { startCloud } from "../../../simulator";
import { World, captureLog, failure, named, type Plugin, type Resource } from "./support";

/** Public addresses of isolated networks. */

let world: World;
/** A network with a router, and its id. */
let app: Resource;

const zone = "sandbox-isolated";
const machine = { zone, serviceOffering: "Small Instance", template: "Debian 12" };

beforeAll(async () => {
    world = new World(await startCloud());
    const networkOffering = "PersistentIsolatedNetwork";
    app = await world.plugin("expunger").create("network", { ...named("app"), zone, networkOffering });
});
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const plugin = () => world.plugin("expunger");
const owner = () => `${named("ip").owner}#11111111`;
const listed = (params: Record<string, unknown> = {}) => world.api.expunger.list("listPublicIpAddresses", params);
const extra = async () => (await listed()).filter(({ issourcenat }) => !issourcenat);

async function expectNoChange(of: Plugin, resource: Resource): Promise<void> {
    expect(await of.drifted(resource)).toBe(false);
    expect((await of.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

test("an address is allocated with its mark, tagged in place, read and released", async () => {
    const args = { owner: owner(), network: app.id, tags: { a: "b" } };
    const made = await plugin().create("publicIpAddress", args);
    expect(made.outputs).toMatchObject({
        ...{
            ipAddress: expect.stringMatching(/^198\.18\.0\.\d+$/),
            sourceNat: false,
            networkId: app.id,
            tags: { a: "b" },
        },
    });
    const tags = ([item]: any[]) => Object.fromEntries(item.tags.map(({ key, value }: any) => [key, value]));
    expect(tags(await listed({ id: made.id }))).toEqual({ a: "b", "pulumi-owner": args.owner });
    await expectNoChange(plugin(), made);
    const now = await plugin().up(made, { ...args, tags: { c: "d" } });
    expect(now.id).toBe(made.id);
    expect(tags(await listed({ id: made.id }))).toEqual({ c: "d", "pulumi-owner": args.owner });
    await expectNoChange(plugin(), now);
    const moved = await plugin().up(now, { ...args, owner: "o/p/s/other#00000000" });
    expect(tags(await listed({ id: made.id }))).toEqual({ a: "b", "pulumi-owner": "o/p/s/other#00000000" });
    await plugin().delete(moved);
    await plugin().delete(moved);
    expect(await plugin().read(moved)).toBeUndefined();
    expect(await extra()).toEqual([]);
});

test("a certain address can be asked for; another one or another network replaces it", async () => {
    const args = { owner: owner(), network: app.outputs.name, ipAddress: "198.18.0.200" };
    const made = await plugin().create("publicIpAddress", args);
    expect(made.outputs).toMatchObject({ ipAddress: "198.18.0.200", network: app.outputs.name, networkId: app.id });
    await expectNoChange(plugin(), made);
    expect((await plugin().plan("publicIpAddress", { ...args, ipAddress: "198.18.0.201" }, made)).diff).toMatchObject({
        ...{ replaces: ["ipAddress"], deleteBeforeReplace: false },
    });
    const other = await plugin().create("network", { ...named("other"), zone });
    expect((await plugin().plan("publicIpAddress", { ...args, network: other.id }, made)).diff).toMatchObject({
        ...{ replaces: ["network"], deleteBeforeReplace: true },
    });
    // The id of the same network is no change, and without the argument it keeps its address.
    expect((await plugin().plan("publicIpAddress", { owner: args.owner, network: app.id }, made)).diff).toMatchObject({
        changes: false,
    });
    await plugin().delete(made);
    await plugin().delete(other);
});

test("every invalid argument is reported at preview", async () => {
    const flat = await plugin().create("network", {
        ...named("flat"),
        zone,
        networkOffering: "DefaultL2NetworkOffering",
    });
    const taken = await plugin().create("publicIpAddress", { owner: owner(), network: app.id });
    const reasons = async (args: object) => {
        const { failures } = await failure(plugin().plan("publicIpAddress", { owner: owner(), ...args }));
        return failures.map(({ property, reason }: any) => `${property}: ${reason}`);
    };
    expect(await reasons({ ipAddress: "198.18", tags: { "pulumi-owner": "me" } })).toEqual([
        expect.stringMatching(/^network: is required/),
        expect.stringMatching(/^tags.pulumi-owner: is reserved/),
        'ipAddress: "198.18" must be an IPv4 address',
    ]);
    expect(await reasons({ network: "nowhere" })).toEqual([expect.stringMatching(/there is no network "nowhere"/)]);
    expect(await reasons({ network: flat.id })).toEqual([
        expect.stringMatching(/of type L2, which has no public addresses/),
    ]);
    expect(await reasons({ network: app.id, ipAddress: taken.outputs.ipAddress })).toEqual([
        expect.stringMatching(/is allocated already/),
    ]);
    const one = plugin();
    await one.plan("publicIpAddress", { owner: owner(), network: app.id, ipAddress: "198.18.0.202" });
    const { failures } = await failure(
        one.plan("publicIpAddress", { owner: owner(), network: app.id, ipAddress: "198.18.0.202" }),
    );
    expect(failures[0].reason).toMatch(/is also the public address of resource/);
    await plugin().delete(taken);
    await plugin().delete(flat);
});

test("with a lost answer there is one address", async () => {
    const args = { owner: owner(), network: app.id };
    world.fault("drop", "associateIpAddress");
    world.fault("drop", "createTags");
    const made = await plugin().create("publicIpAddress", args);
    expect(await extra()).toMatchObject([{ id: made.id }]);
    world.fault("drop", "disassociateIpAddress");
    await plugin().delete(made);
    expect(await extra()).toEqual([]);
});

test("an address that an interrupted run allocated, and has not marked yet, is found by the id of its job", async () => {
    const mine = owner();
    const job = (number: number) => jobIdOf(mine, "associateIpAddress", number);
    const api = world.api.expunger;
    const associate = async (customjobid?: string) => {
        const { id, jobid } = await api.ok("associateIpAddress", { networkid: app.id, customjobid });
        await world.cloud.idle();
        expect((await api.ok("queryAsyncJobResult", { jobid })).jobstatus).toBe(1);
        return id;
    };
    // One was allocated and released before; another one belongs to somebody else.
    const first = await associate(job(0));
    await api.done("disassociateIpAddress", { id: first });
    const foreign = await associate();
    const left = await associate(job(1));
    const made = await plugin().create("publicIpAddress", { owner: mine, network: app.id });
    expect(made.id).toBe(left);
    // The next one is not the same again.
    const other = await plugin().create("publicIpAddress", { owner: owner(), network: app.id });
    expect([left, foreign]).not.toContain(other.id);
    await plugin().delete(made);
    await plugin().delete(other);
    expect(await extra()).toMatchObject([{ id: foreign }]);
    await api.done("disassociateIpAddress", { id: foreign });
});

test("an address that was released and allocated again for something else is not this one any more", async () => {
    const made = await plugin().create("publicIpAddress", {
        owner: owner(),
        network: app.id,
        ipAddress: "198.18.0.210",
    });
    const api = world.api.expunger;
    await api.done("disassociateIpAddress", { id: made.id });
    const { id } = await api.ok("associateIpAddress", { networkid: app.id, ipaddress: "198.18.0.210" });
    await world.cloud.idle();
    expect(id).toBe(made.id);
    await api.done("createTags", {
        resourceids: id,
        resourcetype: "PublicIpAddress",
        "tags[0].key": "pulumi-owner",
        "tags[0].value": "o/p/s/other",
    });
    expect(await plugin().read(made)).toBeUndefined();
    await plugin().delete(made);
    expect(await listed({ id })).toHaveLength(1);
    await api.done("disassociateIpAddress", { id });
});

describe("a network without a router", () => {
    test("is not broken by addresses and machines that are created at the same time", async () => {
        const network = await plugin().create("network", { ...named("busy"), zone });
        const of = plugin();
        world.fault("jobSeconds", "associateIpAddress", { seconds: 0.2, count: 0 });
        world.fault("jobSeconds", "deployVirtualMachine", { seconds: 0.3, count: 0 });
        const inside = () => ({ ...named("inside"), ...machine, network: network.id });
        const { result: made, logged } = await captureLog(() =>
            Promise.all([
                of.create("publicIpAddress", { owner: owner(), network: network.id }),
                of.create("virtualMachine", inside()),
                of.create("publicIpAddress", { owner: owner(), network: network.id }),
                of.create("virtualMachine", inside()),
            ]),
        );
        const addresses = await listed({ associatednetworkid: network.id });
        expect(addresses.filter(({ issourcenat }) => issourcenat)).toHaveLength(1);
        const [first, , second] = made;
        const sourceNat = [first, second].find(({ outputs }) => outputs.sourceNat);
        if (sourceNat !== undefined) {
            expect(logged).toContainEqual(
                expect.stringMatching(/is the source NAT address of network .{36}, which had none/),
            );
            const { logged: after } = await captureLog(() => plugin().delete(sourceNat));
            expect(after).toContainEqual(expect.stringMatching(/stays allocated as long as network .{36}, since/));
        }
        for (const resource of made.filter((one) => one !== sourceNat)) await plugin().delete(resource);
        await plugin().delete(network);
        expect(await listed({ associatednetworkid: network.id })).toEqual([]);
    });

    test("is broken by other clients that allocate two addresses at the same time", async () => {
        const network = await plugin().create("network", { ...named("broken"), zone });
        world.fault("jobSeconds", "associateIpAddress", { seconds: 0.2, count: 0 });
        const api = world.api.expunger;
        await Promise.all([1, 2].map(() => api.done("associateIpAddress", { networkid: network.id })));
        expect((await listed({ associatednetworkid: network.id })).map(({ issourcenat }) => issourcenat)).toEqual([
            true,
            true,
        ]);
        const error = await failure(
            plugin().create("virtualMachine", { ...named("inside"), ...machine, network: network.id }),
        );
        expect(error.message).toMatch(/Unable to orchestrate the start of VM instance/);
        await plugin().delete(network);
    });
});

test("reads of many addresses are one list", async () => {
    const of = plugin();
    const made = await Promise.all(
        [1, 2, 3].map(() => of.create("publicIpAddress", { owner: owner(), network: app.id })),
    );
    world.cloud.clearCalls();
    const fresh = plugin();
    await Promise.all(made.map((address) => fresh.read(address)));
    expect(world.calls().listPublicIpAddresses).toBe(1);
    for (const address of made) await fresh.delete(address);
});
