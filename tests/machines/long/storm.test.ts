/** Many commands at once, in random order: at the end everything is as the API shows it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { waitUntil, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

const SECONDS = 15;

/** A pseudo-random generator of numbers below `size`. */
function dice(seed: number): (size: number) => number {
    let state = seed;
    return (size) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * size);
    };
}

withMachines("many commands at once, in random order", () => {
    let lab: Lab;

    beforeAll(async () => {
        lab = await Lab.start("10.1.49.0/24");
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    test("leave exactly what the API shows", async () => {
        const seed = Date.now() % 100_000;
        console.log(`seed ${seed}`);
        const roll = dice(seed);
        const guests = await Promise.all(["a", "b", "c", "d"].map((name) => lab.deploy(name)));
        const zoneid = await lab.idOf("listZones", "sandbox");
        const diskofferingid = await lab.idOf("listDiskOfferings", "Custom");
        const volumes: string[] = await Promise.all(
            ["v", "w"].map(async (name) => {
                const { volume } = await lab.user.done("createVolume", { name, zoneid, diskofferingid, size: 1 });
                return volume.id;
            }),
        );
        const pick = <T>(list: readonly T[]): T => list[roll(list.length)];
        const actions: ((guest: Guest) => Promise<unknown>)[] = [
            (guest) => guest.call("stopVirtualMachine", { forced: roll(2) === 0 }),
            (guest) => guest.call("startVirtualMachine"),
            (guest) => guest.call("startVirtualMachine"),
            (guest) => guest.call("rebootVirtualMachine"),
            (guest) => lab.user.done("restoreVirtualMachine", { virtualmachineid: guest.id }),
            (guest) => lab.user.done("attachVolume", { id: pick(volumes), virtualmachineid: guest.id }),
            (guest) => lab.user.done("attachVolume", { id: pick(volumes), virtualmachineid: guest.id }),
            () => lab.user.done("detachVolume", { id: pick(volumes) }),
            (guest) => guest.outputOf(pick(["systemctl reboot", "systemctl poweroff", "reboot --force", "kill -9 -1"])),
            (guest) => guest.outputOf("test -b /dev/vdb && mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt & sleep 0.2"),
            async (guest) => guest.machine.kill(),
        ];
        const longest = { milliseconds: 0, action: "" };
        const worker = async () => {
            const end = Date.now() + SECONDS * 1000;
            while (Date.now() < end) {
                const action = pick(actions);
                const start = Date.now();
                // Many are refused, since another worker has just done the same, or undone what the command needs.
                await action(pick(guests)).catch(() => undefined);
                const milliseconds = Date.now() - start;
                if (milliseconds > longest.milliseconds)
                    Object.assign(longest, { milliseconds, action: String(action) });
            }
        };
        await Promise.all([worker(), worker(), worker()]);
        await lab.cloud.idle();
        // A shutdown that systemd does not notice would take 90 seconds.
        expect([longest.milliseconds < 60_000, longest.action]).toEqual([true, longest.action]);

        for (const guest of guests) {
            const isKnown = async () => ((await guest.fromApi()).state === "Running") === guest.machine.runs;
            await waitUntil("the API knows what runs", isKnown);
            if (guest.machine.runs) await guest.call("stopVirtualMachine", { forced: true });
            await guest.call("startVirtualMachine");
            expect(await guest.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
            const disks = await lab.user.list("listVolumes", { virtualmachineid: guest.id, type: "DATADISK" });
            const names = disks.map(({ deviceid }) => `/dev/vd${"abcdefgh"[deviceid]}`).sort();
            expect(await guest.outputOf("ls /dev/vd? 2>/dev/null")).toBe(names.join("\n"));
        }
        const all = await lab.user.list("listVolumes", { type: "DATADISK" });
        const attached = all.filter(({ virtualmachineid }) => virtualmachineid !== undefined);
        expect(lab.loopDevices()).toHaveLength(attached.length);
        for (const guest of guests) await guest.call("destroyVirtualMachine", { expunge: true, forced: true });
        for (const id of volumes) await lab.user.ok("deleteVolume", { id });
        const kept = (folder: string) => fs.readdirSync(path.join(lab.stateDir, "nspawn", folder));
        await waitUntil("no volume is left", () => kept("volumes").length === 0);
        expect(kept("machines")).toEqual([]);
        expect(lab.loopDevices()).toEqual([]);
    });
});
