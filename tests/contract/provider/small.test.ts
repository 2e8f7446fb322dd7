import { generateKeyPairSync } from "node:crypto";
import { startCloud } from "../../../simulator";
import { World, failure, captureLog, marked, named, type Plugin, type Resource } from "./support";

/** Key pairs, affinity groups and volumes. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

async function expectNoChange(plugin: Plugin, resource: Resource): Promise<void> {
    expect(await plugin.drifted(resource)).toBe(false);
    expect((await plugin.plan(resource.kind, resource.inputs, resource)).diff).toMatchObject({ changes: false });
}

/** A new public key in OpenSSH's format. */
function publicKey(comment = "me@here"): string {
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(Buffer.from(x!, "base64url"))]).toString("base64")} ${comment}\n`;
}

const listed = async (command: string, name: string) =>
    (await world.api.user.list(command)).filter((item) => item.name === name);

describe("a key pair", () => {
    test("that is generated outputs its private key once, and keeps it in the state", async () => {
        const args = named("key");
        const made = await world.plugin().create("sshKeyPair", args);
        expect(made.outputs).toMatchObject({
            name: marked(args),
            fingerprint: expect.stringMatching(/^(..:){15}..$/),
            privateKey: expect.stringContaining("PRIVATE KEY"),
        });
        expect((await world.plugin().read(made))!.outputs.privateKey).toBe(made.outputs.privateKey);
        await expectNoChange(world.plugin(), made);
        await world.plugin().delete(made);
        await world.plugin().delete(made);
        expect(await listed("listSSHKeyPairs", marked(args))).toEqual([]);
    });

    test("that is registered has no private key; another comment is no change, another key is", async () => {
        const args = { ...named("key"), publicKey: publicKey() };
        const made = await world.plugin().create("sshKeyPair", args);
        expect(made.outputs).not.toHaveProperty("privateKey");
        await expectNoChange(world.plugin(), made);
        const commented = args.publicKey.replace("me@here", "me@there");
        expect((await world.plugin().plan("sshKeyPair", { ...args, publicKey: commented }, made)).diff).toMatchObject({
            changes: false,
        });
        const other = await world.plugin().up(made, { ...args, publicKey: publicKey() });
        expect(other.id).not.toBe(made.id);
        expect(await listed("listSSHKeyPairs", other.outputs.name)).toHaveLength(1);
    });

    test("with another key gets another name, which changes the machines that use it by name", async () => {
        const plugin = world.plugin();
        const args = { ...named("key"), publicKey: publicKey() };
        const made = await plugin.create("sshKeyPair", args);
        const user = { ...named("user"), serviceOffering: "Small Instance", template: "Debian 12" };
        const machine = await plugin.create("virtualMachine", { ...user, sshKeyPairs: [made.outputs.name] });
        const news = { ...args, publicKey: publicKey() };
        const { name } = (await plugin.plan("sshKeyPair", news, made)).inputs;
        expect(name).not.toBe(made.outputs.name);
        const { result, logged } = await captureLog(() =>
            plugin.plan("virtualMachine", { ...user, sshKeyPairs: [name] }, machine),
        );
        expect(result.diff).toMatchObject({ changes: true, replaces: [] });
        expect(logged).toEqual([expect.stringContaining("stops and starts: sshKeyPairs")]);
        const replaced = await plugin.up(made, news);
        expect(replaced.outputs.name).toBe(name);
        await plugin.up(machine, { ...user, sshKeyPairs: [name] });
        const { details } = await world.machine(machine.id);
        expect(details["SSH.PublicKey"].trim()).toBe(news.publicKey.split(" ").slice(0, 2).join(" "));
    });

    test("of 0.1.0, whose name does not contain a hash of the key, keeps its name as long as it keeps its key", async () => {
        const args = { ...named("key"), publicKey: publicKey() };
        const made = await world.plugin().create("sshKeyPair", args);
        const old = {
            ...made,
            inputs: { ...made.inputs, name: marked(args) },
            outputs: { ...made.outputs, name: marked(args) },
        };
        expect((await world.plugin().plan("sshKeyPair", args, old)).diff).toMatchObject({ changes: false });
    });

    test("whose key is registered under another name is refused at preview, with that name", async () => {
        const key = publicKey();
        await world.api.user.ok("registerSSHKeyPair", { name: "theirs", publickey: key });
        const error = await failure(world.plugin().create("sshKeyPair", { ...named("key"), publicKey: key }));
        expect(error.failures).toEqual([
            { property: "publicKey", reason: expect.stringContaining('registered already, as key pair "theirs"') },
        ]);
    });

    test.each(["drop", "cut"] as const)(
        "with a lost answer (%s) is found by its key if the program gave the key",
        async (kind) => {
            for (const more of [{}, { publicKey: publicKey() }]) {
                const args = { ...named("key"), ...more };
                world.fault(kind, "*SSHKeyPair");
                world.cloud.clearCalls();
                const made = await world.plugin().create("sshKeyPair", args);
                expect(await listed("listSSHKeyPairs", made.outputs.name)).toMatchObject([{ id: made.id }]);
                expect(world.calls()).not.toHaveProperty("deleteSSHKeyPair");
                expect("privateKey" in made.outputs).toBe(!("publicKey" in more));
                world.fault(kind, "deleteSSHKeyPair");
                await world.plugin().delete(made);
                expect(await listed("listSSHKeyPairs", made.outputs.name)).toEqual([]);
            }
        },
    );

    test("that somebody deleted is reported as gone by a read", async () => {
        const made = await world.plugin().create("sshKeyPair", named("key"));
        await world.api.user.ok("deleteSSHKeyPair", { name: made.outputs.name });
        expect(await world.plugin().read(made)).toBeUndefined();
    });
});

describe("an affinity group", () => {
    test("is created, read and deleted, and has no differences in between", async () => {
        const args = { ...named("spread"), description: "Apart" };
        const made = await world.plugin().create("affinityGroup", args);
        expect(made.outputs).toMatchObject({ name: args.name, type: "host anti-affinity", description: "Apart" });
        expect(await listed("listAffinityGroups", args.name)).toMatchObject([
            { id: made.id, description: `Apart [${args.owner}]` },
        ]);
        await expectNoChange(world.plugin(), made);
        await world.plugin().delete(made);
        await world.plugin().delete(made);
        expect(await world.plugin().read(made)).toBeUndefined();
    });

    test("is replaced to change its type", async () => {
        const args = named("spread");
        const made = await world.plugin().create("affinityGroup", args);
        const together = await world.plugin().up(made, { ...args, type: "host affinity" });
        expect(await listed("listAffinityGroups", args.name)).toMatchObject([
            { id: together.id, type: "host affinity" },
        ]);
        const error = await failure(
            world.plugin().create("affinityGroup", { ...named("spread"), type: "rack affinity" }),
        );
        expect(error.failures).toEqual([{ property: "type", reason: expect.stringContaining("host anti-affinity") }]);
    });

    test.each(["drop", "cut"] as const)("with a lost answer (%s) is created once", async (kind) => {
        const args = named("spread");
        world.fault(kind, "createAffinityGroup");
        const made = await world.plugin().create("affinityGroup", args);
        expect(await listed("listAffinityGroups", args.name)).toMatchObject([{ id: made.id }]);
        await expectNoChange(world.plugin(), made);
    });

    test("with a failed job leaves nothing; one that an interrupted run left is taken over, one of others is not", async () => {
        const args = named("spread");
        world.fault("failJob", "createAffinityGroup", { text: "No such luck" });
        expect((await failure(world.plugin().create("affinityGroup", args))).message).toContain("No such luck");
        expect(await listed("listAffinityGroups", args.name)).toEqual([]);
        const first = await world.plugin().create("affinityGroup", args);
        expect((await world.plugin().create("affinityGroup", args)).id).toBe(first.id);
        const error = await failure(
            world.plugin().create("affinityGroup", { ...args, owner: "org/project/other/stack" }),
        );
        expect(error.failures[0]).toMatchObject({
            property: "name",
            reason: expect.stringContaining("is taken by affinity group"),
        });
    });
});

describe("a volume", () => {
    const small = { serviceOffering: "Small Instance", template: "Debian 12" };
    let machines: Resource[];

    beforeAll(async () => {
        const plugin = world.plugin();
        machines = await Promise.all(
            ["one", "two"].map((name) => plugin.create("virtualMachine", { ...named(name), ...small })),
        );
    });

    const volumeOf = async (id: string) => (await world.api.user.list("listVolumes", { id }))[0];

    test("is created, attached, grown, moved, detached and deleted", async () => {
        const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 2 };
        let volume = await world.plugin().create("volume", args);
        expect(volume.outputs).toMatchObject({ name: marked(args), sizeGiB: 2, state: "Allocated", zone: "sandbox" });
        await expectNoChange(world.plugin(), volume);
        volume = await world.plugin().up(volume, { ...args, virtualMachine: machines[0].id });
        expect(volume.outputs).toMatchObject({ virtualMachine: machines[0].id, deviceId: 1, state: "Ready" });
        await expectNoChange(world.plugin(), volume);
        volume = await world.plugin().up(volume, { ...args, virtualMachine: machines[0].id, sizeGiB: 4 });
        expect(await volumeOf(volume.id)).toMatchObject({ size: 4 * 2 ** 30, virtualmachineid: machines[0].id });
        volume = await world.plugin().up(volume, { ...args, sizeGiB: 4, virtualMachine: machines[1].id, deviceId: 5 });
        expect(await volumeOf(volume.id)).toMatchObject({ virtualmachineid: machines[1].id, deviceid: 5 });
        await expectNoChange(world.plugin(), volume);
        const { logged, result } = await captureLog(() =>
            world.plugin().up(volume, { ...args, sizeGiB: 4, name: "other" }),
        );
        volume = result;
        expect(logged[0]).toContain(`volume ${marked(args)} keeps its name`);
        expect(await volumeOf(volume.id)).toMatchObject({ name: marked(args) });
        expect(volume.outputs).not.toHaveProperty("virtualMachine");
        await expectNoChange(world.plugin(), volume);
        await world.plugin().delete(volume);
        await world.plugin().delete(volume);
        expect(await world.plugin().read(volume)).toBeUndefined();
    });

    test("of a fixed offering has the offering's size, and changes its offering in place", async () => {
        const args = { ...named("data"), diskOffering: "Small" };
        const volume = await world.plugin().create("volume", args);
        expect(volume.outputs).toMatchObject({ sizeGiB: 5 });
        const larger = await world.plugin().up(volume, { ...args, diskOffering: "Medium" });
        expect(larger).toMatchObject({ id: volume.id, outputs: { sizeGiB: 20, diskOffering: "Medium" } });
        await expectNoChange(world.plugin(), larger);
        const error = await failure(world.plugin().plan("volume", args, larger));
        expect(error.failures).toEqual([
            { property: "diskOffering", reason: expect.stringMatching(/cannot shrink from 20 to 5 GiB/) },
        ]);
        await world.plugin().delete(larger);
    });

    test("that somebody detached or moved is repaired; one that somebody grew keeps its size", async () => {
        const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 2, virtualMachine: machines[0].id };
        let volume = await world.plugin().create("volume", args);
        await world.api.user.done("detachVolume", { id: volume.id });
        expect(await world.plugin().drifted(volume)).toBe(true);
        volume = await world.plugin().up((await world.plugin().read(volume))!, args);
        expect(await volumeOf(volume.id)).toMatchObject({ virtualmachineid: machines[0].id });
        await world.api.user.done("detachVolume", { id: volume.id });
        await world.api.user.done("attachVolume", { id: volume.id, virtualmachineid: machines[1].id });
        volume = await world.plugin().up((await world.plugin().read(volume))!, args);
        expect(await volumeOf(volume.id)).toMatchObject({ virtualmachineid: machines[0].id });
        await world.api.user.done("resizeVolume", { id: volume.id, size: 9 });
        const { result, logged } = await captureLog(async () => {
            const plugin = world.plugin();
            return plugin.plan("volume", args, (await plugin.read(volume))!);
        });
        expect(result.diff).toMatchObject({ changes: false });
        expect(logged[0]).toMatch(/has 9 GiB, more than sizeGiB 2 asks for: it keeps that size/);
        await world.plugin().delete(volume);
    });

    test("that shrinks, or does not match its offering, is refused", async () => {
        const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 4 };
        const volume = await world.plugin().create("volume", args);
        const shrunk = await failure(world.plugin().plan("volume", { ...args, sizeGiB: 3 }, volume));
        expect(shrunk.failures).toEqual([
            { property: "sizeGiB", reason: expect.stringContaining("cannot shrink from 4 to 3") },
        ]);
        const unsized = await failure(world.plugin().create("volume", { ...named("data"), diskOffering: "Custom" }));
        expect(unsized.failures).toEqual([{ property: "sizeGiB", reason: expect.stringContaining("is required") }]);
        const sized = await failure(
            world.plugin().create("volume", { ...named("data"), diskOffering: "Small", sizeGiB: 7 }),
        );
        expect(sized.failures).toEqual([{ property: "sizeGiB", reason: expect.stringContaining("has 5 GiB") }]);
        await world.plugin().delete(volume);
    });

    test.each(["drop", "cut"] as const)("with lost answers (%s) is created once", async (kind) => {
        for (const command of ["createVolume", "attachVolume", "detachVolume", "deleteVolume"]) {
            const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 1, virtualMachine: machines[0].id };
            world.fault(kind, command);
            const volume = await world.plugin().create("volume", args);
            expect(await listed("listVolumes", marked(args))).toMatchObject([
                { id: volume.id, virtualmachineid: machines[0].id },
            ]);
            await world.plugin().delete(volume);
            expect(await listed("listVolumes", marked(args))).toEqual([]);
        }
    });

    test("with a failed creation leaves nothing; with a failed attachment it stays in the state, and the next run continues", async () => {
        const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 1, virtualMachine: machines[0].id };
        world.fault("failJob", "createVolume");
        await failure(world.plugin().create("volume", args));
        expect(await listed("listVolumes", marked(args))).toEqual([]);
        world.fault("failJob", "attachVolume", { text: "No such luck" });
        const error = await failure(world.plugin().create("volume", args));
        expect(error).toMatchObject({
            message: expect.stringContaining("No such luck"),
            properties: { name: marked(args), __provider: "the text of volume" },
        });
        const inputs = { ...args, name: marked(args), zone: "sandbox", __provider: "the text of volume" };
        const volume = await world
            .plugin()
            .update({ kind: "volume", id: error.id, inputs, outputs: error.properties }, inputs);
        expect(await volumeOf(volume.id)).toMatchObject({ virtualmachineid: machines[0].id });
        await world.plugin().delete(volume);
    });

    test("that an interrupted run left is taken over, once", async () => {
        const args = { ...named("data"), diskOffering: "Custom", sizeGiB: 1 };
        const first = await world.plugin().create("volume", args);
        const adopted = await world.plugin().create("volume", { ...args, sizeGiB: 2 });
        expect(adopted).toMatchObject({ id: first.id, outputs: { sizeGiB: 2 } });
        // The process that created it knows that it is in the state, so a replacement creates another one.
        const plugin = world.plugin();
        await plugin.read(adopted);
        const other = await plugin.create("volume", args);
        expect(other.id).not.toBe(first.id);
    });
});
