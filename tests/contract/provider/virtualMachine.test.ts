import { startCloud } from "../../../simulator";
import { World, failure, captureLog, named, type Plugin, type Resource } from "./support";

/** The life of a machine: created as requested, read without drift, changed as the table of changes says. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const small = { serviceOffering: "Small Instance", template: "Debian 12" };

/** The commands that changed a machine. */
async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
    world.cloud.clearCalls();
    await work();
    return Object.keys(world.calls())
        .filter((command) => !/^(list|query)/.test(command))
        .sort();
}

async function expectNoChange(plugin: Plugin, resource: Resource): Promise<void> {
    expect(await plugin.drifted(resource)).toBe(false);
    expect((await plugin.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

describe("a new machine", () => {
    test("has the requested properties, and no differences afterwards", async () => {
        const plugin = world.plugin();
        const group = await plugin.create("securityGroup", named("sg"));
        const spread = await plugin.create("affinityGroup", named("spread"));
        const key = await plugin.create("sshKeyPair", named("key"));
        const args = {
            ...named("full"),
            ...small,
            displayName: "The full one",
            network: "shared",
            ipAddress: "10.1.1.77",
            securityGroups: [group.id],
            affinityGroups: [spread.id],
            sshKeyPairs: [key.outputs.name],
            userData: "#cloud-config\npackages: [nginx]\n",
            rootDiskSizeGiB: 8,
            deleteProtection: true,
            group: "front",
            tags: { env: "test", tier: "web" },
            details: { rootDiskController: "virtio" },
        };
        const made = await plugin.create("virtualMachine", args);
        expect(await world.machine(made.id)).toMatchObject({
            name: args.name,
            displayname: "The full one",
            state: "Running",
            ipaddress: "10.1.1.77",
            group: "front",
            keypairs: key.outputs.name,
            deleteprotection: true,
            userdata: Buffer.from(args.userData).toString("base64"),
            details: { owner: args.owner, rootDiskController: "virtio" },
            securitygroup: [{ id: group.id }],
            affinitygroup: [{ id: spread.id }],
            tags: expect.arrayContaining([expect.objectContaining({ key: "env", value: "test" })]),
        });
        const [root] = await world.api.user.list("listVolumes", { virtualmachineid: made.id });
        expect(root.size).toBe(8 * 2 ** 30);
        expect(made.outputs).toMatchObject({
            ipAddress: "10.1.1.77",
            state: "Running",
            cpuNumber: 1,
            memoryMiB: 512,
            cloud: { endpoint: world.cloud.endpoint, accountName: "user" },
        });
        expect(made.outputs).not.toHaveProperty("userData");
        await expectNoChange(world.plugin(), made);
    });

    test.each(["user", "expunger"] as const)(
        "costs %s its deploy besides the lists of the catalogue and of all machines",
        async (account) => {
            const plugin = world.plugin(account);
            world.cloud.clearCalls();
            const count = 8;
            // The engine checks further machines while the first are being created.
            const made: Promise<unknown>[] = [];
            for (let number = 0; number < count; number++) {
                const { inputs } = await plugin.plan("virtualMachine", { ...named("many"), ...small });
                made.push(plugin.createChecked("virtualMachine", inputs));
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            await Promise.all(made);
            const {
                deployVirtualMachine,
                listVirtualMachines,
                listZones,
                listServiceOfferings,
                listTemplates,
                listAccounts,
                ...others
            } = world.calls();
            // For accounts that may not expunge, machines are created and started with separate calls.
            const apart =
                account === "user" ? { listCapabilities: 1, startVirtualMachine: count } : { listCapabilities: 1 };
            expect({ deployVirtualMachine, listZones, listServiceOfferings, listTemplates, listAccounts }).toEqual({
                deployVirtualMachine: count,
                listZones: 1,
                listServiceOfferings: 1,
                listTemplates: 1,
                listAccounts: 1,
            });
            // One list before, and one at each poll that finds machines running.
            expect(listVirtualMachines).toBeLessThanOrEqual(4);
            expect(others).toEqual(apart);
        },
    );

    test("of a template with passwords outputs its password, which stays the same through later changes", async () => {
        const args = { ...named("secret"), serviceOffering: "Small Instance", template: "Debian 12 with password" };
        const made = await world.plugin().create("virtualMachine", args);
        expect(made.outputs.password).toMatch(/\S{6,}/);
        const read = await world.plugin().read(made);
        expect(read!.outputs.password).toBe(made.outputs.password);
        const renamed = await world.plugin().up(made, { ...args, displayName: "Secret" });
        expect(renamed.outputs.password).toBe(made.outputs.password);
    });

    test("can be created stopped, and started later", async () => {
        const args = { ...named("asleep"), ...small, running: false };
        const made = await world.plugin().create("virtualMachine", args);
        expect(await world.machine(made.id)).toMatchObject({ state: "Stopped" });
        await expectNoChange(world.plugin(), made);
        await world.plugin().up(made, { ...args, running: true });
        expect(await world.machine(made.id)).toMatchObject({ state: "Running" });
    });

    test("of a custom offering has the size in its details; a change of it stops and starts the machine", async () => {
        const size = (cpuNumber: string) => ({ details: { cpuNumber, memory: "1024" } });
        const args = { ...named("custom"), serviceOffering: "Custom Constrained", template: "Debian 12" };
        const made = await world.plugin().create("virtualMachine", { ...args, ...size("2") });
        expect(made.outputs).toMatchObject({ cpuNumber: 2, memoryMiB: 1024 });
        await expectNoChange(world.plugin(), made);
        const grown = await world.plugin().up(made, { ...args, ...size("4") });
        expect(grown.outputs).toMatchObject({ cpuNumber: 4, memoryMiB: 1024, state: "Running" });
        await expectNoChange(world.plugin(), grown);
        const fixed = await world.plugin().up(grown, { ...args, serviceOffering: "Medium Instance" });
        expect(fixed.outputs).toMatchObject({ cpuNumber: 1, memoryMiB: 1024, state: "Running" });
        await expectNoChange(world.plugin(), fixed);
    });

    test("in a zone without security groups requires a network", async () => {
        const zone = (await world.api.user.list("listZones", { name: "sandbox-isolated" }))[0];
        const offering = (await world.api.user.list("listNetworkOfferings", { guestiptype: "Isolated" }))[0];
        const { network } = await world.api.user.ok("createNetwork", {
            name: "private",
            zoneid: zone.id,
            networkofferingid: offering.id,
        });
        const args = { ...named("isolated"), ...small, zone: "sandbox-isolated" };
        const missing = await failure(world.plugin().create("virtualMachine", args));
        expect(missing.failures).toEqual([
            { property: "network", reason: expect.stringContaining('it has "private"') },
        ]);
        const made = await world.plugin().create("virtualMachine", { ...args, network: network.id });
        expect(await world.machine(made.id)).toMatchObject({
            zonename: "sandbox-isolated",
            nic: [{ networkid: network.id }],
        });
        await expectNoChange(world.plugin(), made);
    });

    test("in a project is created there", async () => {
        const args = { ...named("shared"), ...small, project: "sandbox" };
        const made = await world.plugin().create("virtualMachine", args);
        expect(await world.machine(made.id)).toMatchObject({ projectid: world.cloud.projectId });
        expect(made.outputs.cloud).toMatchObject({ projectId: world.cloud.projectId });
        await expectNoChange(world.plugin(), made);
        await world.plugin("expunger").delete(made);
        expect(await world.api.user.list("listVirtualMachines", { projectid: world.cloud.projectId })).toEqual([]);
    });
});

describe("a change", () => {
    const base = () => ({
        ...named("change"),
        ...small,
        userData: "#!/bin/sh\necho one\n",
        tags: { env: "a" },
        details: { k: "1" },
    });
    /** For each argument: the change, the commands for it, and the resulting fields in the cloud. */
    const live: [string, Record<string, unknown>, string[], object][] = [
        ["displayName", { displayName: "New" }, ["updateVirtualMachine"], { displayname: "New" }],
        ["group", { group: "front" }, ["updateVirtualMachine"], { group: "front" }],
        [
            "details",
            { details: { k: "2", l: "3" } },
            ["updateVirtualMachine"],
            { details: expect.objectContaining({ k: "2", l: "3" }) },
        ],
        ["deleteProtection", { deleteProtection: true }, ["updateVirtualMachine"], { deleteprotection: true }],
        ["tags", { tags: { env: "b", more: "c" } }, ["createTags", "deleteTags"], {}],
        [
            "userData",
            { userData: "two" },
            ["updateVirtualMachine"],
            { userdata: Buffer.from("two").toString("base64") },
        ],
        ["userData", { userData: undefined }, ["updateVirtualMachine"], {}],
        ["rootDiskSizeGiB", { rootDiskSizeGiB: 16 }, ["resizeVolume"], {}],
    ];
    test.each(live)("of %s (%j) is made while the machine runs", async (_property, change, commands, expected) => {
        const args = base();
        const made = await world.plugin().create("virtualMachine", args);
        let changed = made;
        expect(await commandsOf(async () => (changed = await world.plugin().up(made, { ...args, ...change })))).toEqual(
            commands,
        );
        expect(changed.id).toBe(made.id);
        expect(await world.machine(made.id)).toMatchObject({
            state: "Running",
            details: { owner: args.owner },
            ...expected,
        });
        await expectNoChange(world.plugin(), changed);
    });

    test("that removes tags and details keeps those of others", async () => {
        const args = base();
        const made = await world.plugin().create("virtualMachine", args);
        await world.api.user.done("createTags", {
            resourceids: made.id,
            resourcetype: "UserVm",
            "tags[0].key": "theirs",
            "tags[0].value": "1",
        });
        const machine = await world.machine(made.id);
        const details = Object.entries({ ...machine.details, theirs: "1" }).map(([key, value]) => [
            `details[0].${key}`,
            value,
        ]);
        await world.api.user.ok("updateVirtualMachine", { id: made.id, ...Object.fromEntries(details) });
        const changed = await world.plugin().up(made, { ...args, tags: undefined, details: undefined });
        const now = await world.machine(made.id);
        expect(now.tags.map(({ key }: any) => key)).toEqual(["theirs"]);
        expect(now.details).toMatchObject({ theirs: "1", owner: args.owner });
        expect(now.details).not.toHaveProperty("k");
        await expectNoChange(world.plugin(), changed);
    });

    const stopping = [
        ["name", async () => ({ name: named("renamed").name }), "updateVirtualMachine"],
        ["serviceOffering", async () => ({ serviceOffering: "Large Instance" }), "scaleVirtualMachine"],
        [
            "securityGroups",
            async () => ({ securityGroups: [(await world.plugin().create("securityGroup", named("sg"))).id] }),
            "updateVirtualMachine",
        ],
        [
            "affinityGroups",
            async () => ({ affinityGroups: [(await world.plugin().create("affinityGroup", named("ag"))).id] }),
            "updateVMAffinityGroup",
        ],
        [
            "sshKeyPairs",
            async () => ({ sshKeyPairs: [(await world.plugin().create("sshKeyPair", named("key"))).outputs.name] }),
            "resetSSHKeyForVirtualMachine",
        ],
        ["userData", async () => ({ userData: "two", onUserDataChange: "restart" }), "updateVirtualMachine"],
    ] as const;
    test.each(stopping)("of %s stops the machine and starts it again", async (property, change, command) => {
        const args = base();
        const made = await world.plugin().create("virtualMachine", args);
        const wanted = { ...args, ...(await change()) };
        let changed = made;
        const { logged, result } = await captureLog(() =>
            commandsOf(async () => (changed = await world.plugin().up(made, wanted))),
        );
        expect(result).toEqual([command, "startVirtualMachine", "stopVirtualMachine"].sort());
        expect(logged.join("\n")).toContain(`${wanted.name} stops and starts: ${property}`);
        expect(await world.machine(made.id)).toMatchObject({
            state: "Running",
            name: wanted.name,
            details: { owner: args.owner },
        });
        expect(changed.outputs.state).toBe("Running");
        await expectNoChange(world.plugin(), changed);
    });

    test("of several arguments stops the machine once, or not at all if it is stopped", async () => {
        const args = { ...base(), running: false };
        const made = await world.plugin().create("virtualMachine", args);
        const wanted = { ...args, serviceOffering: "Large Instance", name: named("renamed").name };
        expect(await commandsOf(() => world.plugin().up(made, wanted))).toEqual([
            "scaleVirtualMachine",
            "updateVirtualMachine",
        ]);
        expect(await world.machine(made.id)).toMatchObject({ state: "Stopped", serviceofferingname: "Large Instance" });
        const running = await world.plugin().create("virtualMachine", { ...base() });
        world.cloud.clearCalls();
        await world
            .plugin()
            .up(running, { ...running.inputs, serviceOffering: "Large Instance", name: named("renamed").name });
        expect(world.calls()).toMatchObject({ stopVirtualMachine: 1, startVirtualMachine: 1 });
    });

    test("of user data with `reinstall` recreates the disk and keeps id, address and name", async () => {
        const args = { ...base(), onUserDataChange: "reinstall" };
        const made = await world.plugin().create("virtualMachine", args);
        const { logged, result } = await captureLog(() => world.plugin().up(made, { ...args, userData: "two" }));
        expect(logged[0]).toContain(
            `${args.name} is reinstalled (same id, address and data volumes), and the root disk of ${args.name} (2 GiB) is erased: userData changes`,
        );
        expect(result).toMatchObject({ id: made.id, outputs: { ipAddress: made.outputs.ipAddress, state: "Running" } });
        expect(world.calls()).toMatchObject({ restoreVirtualMachine: 1 });
        await expectNoChange(world.plugin(), result);
    });

    test("of the template with `reinstall` restores from the new template", async () => {
        const args = { ...base(), onTemplateChange: "reinstall" };
        const made = await world.plugin().create("virtualMachine", args);
        const changed = await world.plugin().up(made, { ...args, template: "Debian 12 with password" });
        expect(changed.id).toBe(made.id);
        expect(changed.outputs.password).toMatch(/\S{6,}/);
        expect(await world.machine(made.id)).toMatchObject({
            templatename: "Debian 12 with password",
            state: "Running",
        });
        await expectNoChange(world.plugin(), changed);
    });

    const replacing: [string, Record<string, unknown>][] = [
        ["template", { template: "Debian 12 with password" }],
        ["ipAddress", { ipAddress: "10.1.1.99" }],
        ["userData", { userData: "two", onUserDataChange: "replace" }],
        ["project", { project: "sandbox" }],
    ];
    test.each(replacing)("of %s replaces the machine, which keeps its name", async (property, change) => {
        const args = base();
        const made = await world.plugin().create("virtualMachine", args);
        const { result, logged } = await captureLog(() => world.plugin().up(made, { ...args, ...change }));
        expect(logged[0]).toContain(
            `${args.name} is replaced, and the root disk of ${args.name} (2 GiB) is erased: ${property}`,
        );
        expect(result.id).not.toBe(made.id);
        expect(result.outputs.name).toBe(args.name);
        await expectNoChange(world.plugin(), result);
    });

    test("of user data with `ignore` does nothing", async () => {
        const args = { ...base(), onUserDataChange: "ignore" };
        const made = await world.plugin().create("virtualMachine", args);
        expect((await world.plugin().plan("virtualMachine", { ...args, userData: "two" }, made)).diff).toMatchObject({
            changes: false,
        });
    });

    test("that shrinks the root disk is refused", async () => {
        const args = { ...base(), rootDiskSizeGiB: 8 };
        const made = await world.plugin().create("virtualMachine", args);
        const error = await failure(world.plugin().plan("virtualMachine", { ...args, rootDiskSizeGiB: 4 }, made));
        expect(error.failures).toEqual([
            { property: "rootDiskSizeGiB", reason: expect.stringContaining("cannot shrink from 8 to 4") },
        ]);
    });
});

describe("allowRestart: false", () => {
    const args = () => ({ ...named("steady"), ...small, allowRestart: false });

    test("refuses a change that requires a stop, and allows others", async () => {
        const steady = args();
        const made = await world.plugin().create("virtualMachine", steady);
        const error = await failure(
            world.plugin().plan("virtualMachine", { ...steady, serviceOffering: "Large Instance" }, made),
        );
        expect(error.message).toMatch(
            /stops and starts: serviceOffering Small Instance -> Large Instance.*allowRestart is false/,
        );
        expect(await commandsOf(() => world.plugin().up(made, { ...steady, displayName: "x" }))).toEqual([
            "updateVirtualMachine",
        ]);
    });

    test("applies also if only the cloud's data shows that a stop is required", async () => {
        const steady = args();
        const made = await world.plugin().create("virtualMachine", steady);
        await world.api.user.done("stopVirtualMachine", { id: made.id });
        const large = (await world.api.user.list("listServiceOfferings", { name: "Large Instance" }))[0];
        await world.api.user.done("scaleVirtualMachine", { id: made.id, serviceofferingid: large.id });
        await world.api.user.done("startVirtualMachine", { id: made.id });
        const error = await failure(world.plugin().up(made, { ...steady, displayName: "x" }));
        expect(error.message).toMatch(/allowRestart is false/);
        expect(await world.machine(made.id)).toMatchObject({ state: "Running", displayname: steady.name });
        // A refresh shows the drift without an error; only the update is refused.
        expect(await world.plugin().drifted(made)).toBe(true);
    });
});
