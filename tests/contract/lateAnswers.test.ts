import { startCloud } from "../../simulator";
import { plugin } from "./faults/plugin";
import { type AccountName, type Plugin, type Resource, World, named } from "./provider/support";

/**
 * A create request whose answer is lost and that is carried out after the client stopped looking for it, on a slow
 * server: the duplicate that it creates is deleted if it provably belongs to the program and is empty.
 */

/** Its plugins wait for an answer for a second. */
class HastyWorld extends World {
    override plugin(account: AccountName = "user"): Plugin {
        return super.plugin(account, { "cloudstack:httpTimeoutSeconds": "1" });
    }
}

let world: HastyWorld;

beforeAll(async () => void (world = new HastyWorld(await startCloud())));
afterAll(() => world.cloud.close());
afterEach(() => world.cloud.clearFaults());

const fresh = () => plugin(world, "user").plugin;
const disks = async () => (await world.api.user.list("listVolumes", { type: "DATADISK" })).map(({ id }) => id).sort();

async function until(count: number): Promise<void> {
    const deadline = Date.now() + 20_000;
    while ((await disks()).length < count) {
        if (Date.now() > deadline) throw new Error("the late volume never came");
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** A volume that exists twice: its first request is carried out after the second one was answered. */
async function madeTwice(): Promise<Resource> {
    world.fault("delay", "createVolume", { seconds: 6 });
    const made = await fresh().create("volume", { ...named("late"), diskOffering: "Small" });
    expect(await disks()).toEqual([made.id]);
    await until(2);
    return made;
}

test("a volume that a late createVolume creates is found by a refresh and deleted by the next run", async () => {
    const made = await madeTwice();
    const read = (await fresh().read(made))!;
    const repaired = await fresh().up(read, made.inputs);
    expect(repaired.id).toBe(made.id);
    expect(await disks()).toEqual([made.id]);
    expect(await fresh().drifted(repaired)).toBe(false);
    await fresh().delete(repaired);
    expect(await disks()).toEqual([]);
});

test("or is deleted with the volume itself, but not while somebody uses it", async () => {
    const made = await madeTwice();
    const [late] = (await disks()).filter((id) => id !== made.id);
    const machine = await fresh().create("virtualMachine", {
        ...named("user"),
        serviceOffering: "Small Instance",
        template: "Debian 12",
    });
    await world.api.user.done("attachVolume", { id: late, virtualmachineid: machine.id });
    expect(await fresh().drifted(made)).toBe(false);
    await fresh().delete(made);
    expect(await disks()).toEqual([late]);
    await fresh().delete(machine);
    await world.api.user.ok("deleteVolume", { id: late });
    await fresh().delete(await madeTwice());
    expect(await disks()).toEqual([]);
});

test("a slow createVolume that does answer is waited for and not sent again", async () => {
    world.cloud.clearCalls();
    world.fault("delay", "createVolume", { seconds: 1.5 });
    const made = await fresh().create("volume", { ...named("slow"), diskOffering: "Small" });
    expect(world.calls().createVolume).toBe(1);
    expect(await disks()).toEqual([made.id]);
    await fresh().delete(made);
});
