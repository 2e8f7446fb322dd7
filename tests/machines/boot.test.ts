/**
 * One machine has the address, name, keys and user data of its deployment, keeps its disk, has its volume, and leaves
 * nothing behind on the host.
 */
import { CLOUD_INIT_SUCCEEDED, Lab, type Guest } from "./support/lab";
import { withMachines } from "./support/possible";

const userData = `#cloud-config
write_files:
  - path: /etc/motto
    content: keep it simple
runcmd:
  - [sh, -c, "echo ran >> /root/runs"]
`;

withMachines("a machine", () => {
    let lab: Lab;
    let guest: Guest;

    beforeAll(async () => {
        lab = await Lab.start("10.1.41.0/24");
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    test("boots with what its deployment returned", async () => {
        const { keypair } = await lab.user.ok("createSSHKeyPair", { name: "key" });
        guest = await lab.deploy("web-1", { userData, keypair: "key", ipaddress: "10.1.41.77" });
        expect(guest.address).toBe("10.1.41.77");
        expect(await guest.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
        expect(await guest.outputOf("ip -4 -o address show dev eth0")).toContain(" 10.1.41.77/24 ");
        expect(await guest.outputOf("cat /sys/class/net/eth0/address")).toBe(guest.deployed.nic[0].macaddress);
        expect(await guest.outputOf("hostname; cat /etc/hostname")).toBe("web-1\nweb-1");
        expect(await guest.outputOf("cloud-init query instance_id; cloud-id; cat /etc/machine-id")).toBe(
            [guest.id, "cloudstack", guest.id.replaceAll("-", "")].join("\n"),
        );
        expect(await guest.outputOf("cat /etc/motto /root/runs")).toBe("keep it simpleran");
        const key = await guest.outputOf("cat ~debian/.ssh/authorized_keys");
        expect(key).toMatch(/^ssh-rsa AAAA/);
        expect(keypair.privatekey).toContain("PRIVATE KEY");
        expect(await guest.outputOf("systemctl --failed --plain --no-legend")).toBe("");
    });

    test("finds other machines by name", async () => {
        const other = await lab.deploy("web-2");
        await other.waitForCloudInit();
        expect(await guest.outputOf("getent ahostsv4 web-2 | head -n 1")).toMatch(
            new RegExp(`^${other.address} .*web-2`),
        );
        expect(await guest.outputOf("getent ahostsv4 data-server | head -n 1")).toMatch(/^10\.1\.41\.1 .*data-server/);
        expect(await other.outputOf("ping -c 1 -W 1 web-1")).toContain("100% packet loss");
        await lab.allowPing();
        expect(await other.outputOf("ping -c 1 -W 2 web-1")).toContain(" 0% packet loss");
        await other.call("destroyVirtualMachine", { expunge: true });
        expect(await guest.outputOf("getent hosts web-2")).toBe("");
    });

    test("has its volume, and keeps its root disk and the volume over a stop", async () => {
        const { volume } = await lab.user.done("createVolume", {
            name: "data",
            zoneid: await lab.idOf("listZones", "sandbox"),
            diskofferingid: await lab.idOf("listDiskOfferings", "Custom"),
            size: 1,
        });
        await lab.user.done("attachVolume", { id: volume.id, virtualmachineid: guest.id });
        expect(await guest.outputOf("blockdev --getsize64 /dev/vdb")).toBe(String(2 ** 30));
        await guest.runScript("mkfs.ext4 -q /dev/vdb; mount /dev/vdb /mnt; echo kept >/mnt/file; echo root >/file");
        await guest.call("stopVirtualMachine");
        expect(await guest.fromApi()).toMatchObject({ state: "Stopped" });
        expect(lab.loopDevices()).toEqual([]);
        await guest.call("startVirtualMachine");
        expect(await guest.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
        expect(await guest.outputOf("mount /dev/vdb /mnt && cat /mnt/file /file /root/runs")).toBe("kept\nroot\nran");
        expect(await guest.outputOf("ip -4 -o address show dev eth0")).toContain(" 10.1.41.77/24 ");
        await guest.call("destroyVirtualMachine", { expunge: true });
        await lab.user.ok("deleteVolume", { id: volume.id });
    });
});
