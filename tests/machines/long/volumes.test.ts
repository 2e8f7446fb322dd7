/** Data volumes as machines see them, and their traces on the host. */
import * as fs from "node:fs";
import * as path from "node:path";
import { waitUntil, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

withMachines("a volume", () => {
    let lab: Lab;
    let one: Guest;
    let other: Guest;
    let custom: string;

    beforeAll(async () => {
        lab = await Lab.start("10.1.44.0/24");
        custom = await lab.idOf("listDiskOfferings", "Custom");
        one = await lab.deploy("one", { diskofferingid: custom, size: 1 });
        other = await lab.deploy("other");
        await Promise.all([one.waitForCloudInit(), other.waitForCloudInit()]);
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    const make = async (name: string, sizeGiB = 1): Promise<string> => {
        const zoneid = await lab.idOf("listZones", "sandbox");
        return (await lab.user.done("createVolume", { name, zoneid, diskofferingid: custom, size: sizeGiB })).volume.id;
    };
    const attach = (id: string, guest: Guest) => lab.user.done("attachVolume", { id, virtualmachineid: guest.id });
    const detach = (id: string) => lab.user.done("detachVolume", { id });
    const of = (guest: Guest) => lab.user.list("listVolumes", { virtualmachineid: guest.id, type: "DATADISK" });
    /** Disks by name, with their sizes in GiB. */
    const disks = (guest: Guest) =>
        guest.outputOf('for d in /dev/vd?; do [ -b $d ] && echo "$d $(($(blockdev --getsize64 $d) >> 30))"; done');
    const files = () => fs.readdirSync(path.join(lab.stateDir, "nspawn", "volumes"));

    test("that is created with its machine is there at the first boot", async () => {
        expect(await disks(one)).toBe("/dev/vdb 1");
        expect(await of(one)).toMatchObject([{ name: expect.stringMatching(/^DATA-/), state: "Ready", deviceid: 1 }]);
    });

    test("can be attached to a running machine, and is there after a reboot from inside", async () => {
        const id = await make("two", 2);
        await attach(id, one);
        expect(await disks(one)).toBe("/dev/vdb 1\n/dev/vdc 2");
        const { leader } = one.machine;
        await one.outputOf("systemctl reboot");
        await one.waitForNextBoot(leader);
        await one.waitForCloudInit();
        expect(await disks(one)).toBe("/dev/vdb 1\n/dev/vdc 2");
        await detach(id);
        expect(await disks(one)).toBe("/dev/vdb 1");
        const again = one.machine.leader;
        await one.outputOf("systemctl reboot");
        await one.waitForNextBoot(again);
        await one.waitForCloudInit();
        expect(await disks(one)).toBe("/dev/vdb 1");
        await lab.user.ok("deleteVolume", { id });
    });

    test("can be attached to and detached from a stopped machine", async () => {
        await other.call("stopVirtualMachine");
        const id = await make("late");
        await attach(id, other);
        expect(lab.loopDevices()).toHaveLength(1);
        await other.call("startVirtualMachine");
        expect(await disks(other)).toBe("/dev/vdb 1");
        await other.call("stopVirtualMachine");
        await detach(id);
        await lab.user.ok("deleteVolume", { id });
        await other.call("startVirtualMachine");
        await other.waitForCloudInit();
        expect(await disks(other)).toBe("");
    });

    test("can be moved to another machine with its data", async () => {
        const id = await make("moving");
        await attach(id, one);
        await one.runScript("mkfs.ext4 -q -L moving /dev/vdc; mount /dev/vdc /mnt; echo moved >/mnt/file; umount /mnt");
        await detach(id);
        await attach(id, other);
        expect(await other.outputOf("blkid -p -s LABEL -o value /dev/vdb; mount /dev/vdb /mnt && cat /mnt/file")).toBe(
            "moving\nmoved",
        );
        await other.outputOf("umount /mnt");
        await detach(id);
        await lab.user.ok("deleteVolume", { id });
    });

    test("can be detached while it is mounted and in use, and keeps its data", async () => {
        const id = await make("pulled");
        await attach(id, one);
        await one.runScript("mkfs.ext4 -q /dev/vdc; mkdir -p '/data dir'; mount /dev/vdc '/data dir'");
        await one.runScript("echo synced >'/data dir/file'; sync; mount --bind '/data dir' /srv");
        await one.outputOf(
            "systemd-run --unit=holder sh -c 'exec 3>/srv/open; while :; do echo more >&3; sleep 0.05; done'",
        );
        expect(await one.outputOf("systemctl is-active holder")).toBe("active");
        await detach(id);
        expect(await disks(one)).toBe("/dev/vdb 1");
        expect(await one.outputOf("grep -c ' /srv \\| /data' /proc/self/mounts")).toBe("0");
        expect(await one.outputOf("systemctl is-active holder")).toBe("failed");
        expect(lab.loopDevices()).toHaveLength(1);
        await attach(id, other);
        await other.outputOf("e2fsck -p /dev/vdb");
        expect(await other.outputOf("mount /dev/vdb /mnt && cat /mnt/file; umount /mnt")).toBe("synced");
        await detach(id);
        await lab.user.ok("deleteVolume", { id });
    });

    test("can grow while it is attached and mounted", async () => {
        const [{ id }] = await of(one);
        await one.runScript("mkfs.ext4 -q /dev/vdb; mount /dev/vdb /mnt");
        await lab.user.done("resizeVolume", { id, size: 3 });
        expect(await disks(one)).toBe("/dev/vdb 3");
        await one.runScript("umount /mnt; e2fsck -f -p /dev/vdb; resize2fs /dev/vdb; mount /dev/vdb /mnt");
        expect(Number(await one.outputOf("df --output=size --block-size=1M /mnt | tail -n 1"))).toBeGreaterThan(2_700);
        await one.outputOf("umount /mnt");
    });

    test("is a sparse file, and leaves neither file nor loop device after its deletion", async () => {
        const [{ id }] = await of(one);
        const { size, blocks } = fs.statSync(path.join(lab.stateDir, "nspawn", "volumes", `${id}.img`));
        expect(size).toBe(3 * 2 ** 30);
        expect(blocks * 512).toBeLessThan(200 * 2 ** 20);
        expect(files()).toEqual([`${id}.img`]);
        await detach(id);
        await lab.user.ok("deleteVolume", { id });
        expect(lab.loopDevices()).toEqual([]);
        await waitUntil("the files are gone", () => files().length === 0);
    });
});
