import { startCloud } from "../../../simulator";
import { World, failure, named, type AccountName, type Resource } from "./support";

/** A deletion leaves nothing that would prevent a new resource with the same name, address and groups. */

let world: World;

beforeAll(async () => void (world = new World(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const small = { serviceOffering: "Small Instance", template: "Debian 12" };
const accounts: AccountName[] = ["user", "expunger", "admin"];
const addresses: Record<AccountName, string> = { user: "10.1.1.50", expunger: "10.1.1.51", admin: "10.1.1.52" };

interface Setup {
    account: AccountName;
    group: Resource;
    machine: Resource;
    volume: Resource;
    args: Record<string, unknown> & { name: string };
}

/** A running machine with a fixed address, a group and a data volume. */
async function setup(account: AccountName, more: object = {}): Promise<Setup> {
    const plugin = world.plugin(account);
    const group = await plugin.create("securityGroup", named("sg"));
    const args = { ...named("gone"), ...small, securityGroups: [group.id], ...more };
    const machine = await plugin.create("virtualMachine", args);
    const volume = await plugin.create("volume", {
        ...named("data"),
        diskOffering: "Custom",
        sizeGiB: 3,
        virtualMachine: machine.id,
    });
    return { account, group, machine, volume, args };
}

async function volumeOf({ account, volume }: Setup): Promise<any> {
    return (await world.api[account].list("listVolumes", { id: volume.id }))[0];
}

describe.each(accounts)("the account %s", (account) => {
    test("deletes a machine: name, address and groups can be used immediately, the data volume is kept and detached", async () => {
        const made = await setup(account, { ipAddress: addresses[account] });
        await world.plugin(account).delete(made.machine);
        expect(await world.plugin(account).read(made.machine)).toBeUndefined();
        expect(await volumeOf(made)).toMatchObject({ id: made.volume.id });
        expect(await volumeOf(made)).not.toHaveProperty("virtualmachineid");
        const again = await world.plugin(account).create("virtualMachine", made.args);
        expect(again.outputs).toMatchObject({ name: made.args.name, ipAddress: addresses[account] });
        const attached = await world
            .plugin(account)
            .up(made.volume, { ...made.volume.inputs, virtualMachine: again.id });
        expect(await volumeOf(made)).toMatchObject({ virtualmachineid: again.id });
        await world.plugin(account).delete(attached);
        await world.plugin(account).delete(again);
        await world.plugin(account).delete(made.group);
        expect(await world.belongings(account)).toEqual([]);
    });

    test("moves the data volume of a machine that is replaced in the same run", async () => {
        const made = await setup(account);
        const plugin = world.plugin(account);
        // As in the engine, which compares the volume before the machine is deleted.
        await plugin.plan("volume", made.volume.inputs, made.volume);
        await plugin.delete(made.machine);
        const again = await plugin.create("virtualMachine", made.args);
        const moved = await plugin.up(made.volume, { ...made.volume.inputs, virtualMachine: again.id });
        expect(await volumeOf(made)).toMatchObject({ virtualmachineid: again.id });
        for (const resource of [moved, again, made.group]) await world.plugin(account).delete(resource);
        expect(await world.belongings(account)).toEqual([]);
    });

    test("accepts that a resource is already gone", async () => {
        const made = await setup(account);
        for (const resource of [made.volume, made.machine, made.group]) await world.plugin(account).delete(resource);
        for (const resource of [made.volume, made.machine, made.group]) await world.plugin(account).delete(resource);
        expect(await world.belongings(account)).toEqual([]);
    });

    test("deletes a machine that is stopped, and one that CloudStack has already destroyed", async () => {
        const made = await setup(account);
        await world.api[account].done("stopVirtualMachine", { id: made.machine.id });
        await world.plugin(account).delete(made.machine);
        const other = await setup(account);
        await world.api[account].done("destroyVirtualMachine", { id: other.machine.id });
        await world.plugin(account).delete(other.machine);
        for (const resource of [made.volume, other.volume]) await world.plugin(account).delete(resource);
        expect(await world.belongings(account)).toEqual(expect.not.arrayContaining([made.args.name, other.args.name]));
    });
});

test("a deletion by an account that may expunge costs one call", async () => {
    const args = { ...named("gone"), ...small };
    const made = await world.plugin("expunger").create("virtualMachine", args);
    const plugin = world.plugin("expunger");
    await plugin.read(made);
    world.cloud.clearCalls();
    await plugin.delete(made);
    const { destroyVirtualMachine, ...others } = world.calls();
    expect(destroyVirtualMachine).toBe(1);
    expect(Object.keys(others).filter((command) => !command.startsWith("list"))).toEqual([]);
});

test("a machine with delete protection is not deleted; the error says how to delete it", async () => {
    const args = { ...named("protected"), ...small, deleteProtection: true };
    const made = await world.plugin().create("virtualMachine", args);
    const error = await failure(world.plugin().delete(made));
    expect(error.message).toMatch(/has delete protection: set deleteProtection to false/);
    expect(await world.machine(made.id)).toMatchObject({ state: "Running", name: args.name });
    const open = await world.plugin().up(made, { ...args, deleteProtection: false });
    await world.plugin().delete(open);
});

describe("an interrupted deletion", () => {
    const steps = [
        "stopVirtualMachine",
        "detachVolume",
        "updateVirtualMachine",
        "updateVmNicIp",
        "destroyVirtualMachine",
    ];
    test.each(steps)(
        "with a failing %s leaves the machine unchanged, and the next one completes it",
        async (command) => {
            const made = await setup("user", { ipAddress: "10.1.1.60" });
            if (command === "updateVirtualMachine") world.fault("refuse", command);
            // Retiring a machine tries several addresses before it lets CloudStack choose one.
            else world.fault("failJob", command, { count: command === "updateVmNicIp" ? 0 : 1 });
            const error = await failure(world.plugin().delete(made.machine));
            expect(error.message).toContain(command);
            world.cloud.clearFaults();
            expect(await world.machine(made.machine.id)).toMatchObject({
                state: "Running",
                name: made.args.name,
                securitygroup: [{ id: made.group.id }],
            });
            expect(await volumeOf(made)).toMatchObject({ virtualmachineid: made.machine.id, deviceid: 1 });
            await world.plugin().delete(made.machine);
            expect(await world.plugin().read(made.machine)).toBeUndefined();
            const again = await world.plugin().create("virtualMachine", made.args);
            for (const resource of [made.volume, again, made.group]) await world.plugin().delete(resource);
        },
    );

    test.each(steps)("with a lost answer of %s continues", async (command) => {
        const made = await setup("user", { ipAddress: "10.1.1.61" });
        world.fault("drop", command);
        await world.plugin().delete(made.machine);
        const again = await world.plugin().create("virtualMachine", made.args);
        for (const resource of [made.volume, again, made.group]) await world.plugin().delete(resource);
    });
});

describe("deletion of a security group", () => {
    test("that names itself succeeds", async () => {
        const group = await world
            .plugin()
            .create("securityGroup", { ...named("self"), ingress: [{ ports: "22", self: true }] });
        await world.plugin().delete(group);
        expect(await world.api.user.list("listSecurityGroups", { id: group.id }).catch(() => [])).toEqual([]);
    });

    test("that a machine of others uses fails and names the machine", async () => {
        const { group, machine, volume } = await setup("user");
        const hasty = { ...group, outputs: { ...group.outputs, timeoutSeconds: { delete: 1 } } };
        const error = await failure(world.plugin().delete(hasty));
        expect(error.message).toMatch(
            new RegExp(
                `cannot be deleted yet. It is used by machine ${machine.outputs.name} \\(Running\\): remove that first`,
            ),
        );
        for (const resource of [volume, machine, group]) await world.plugin().delete(resource);
    });
});
