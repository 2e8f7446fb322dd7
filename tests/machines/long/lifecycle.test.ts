/**
 * What happens to a machine when it is stopped, started, rebooted, restored, changed or destroyed, or powers off or
 * dies.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { childrenOf } from "../../../simulator/hypervisors/nspawn/host";
import { waitUntil, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

/** A service that records that it was stopped, and a count of the runs of user data. */
const userData = `#cloud-config
write_files:
  - path: /etc/systemd/system/witness.service
    content: |
      [Service]
      ExecStart=sleep infinity
      ExecStop=sh -c "echo stopped >>/var/witness"
      [Install]
      WantedBy=multi-user.target
runcmd:
  - systemctl enable --now witness
  - echo ran >>/var/runs
`;

/** What a machine has on the host while it is running. */
function traces({ lab, instanceName, controlGroup }: Guest): string[] {
    const namespace = `namespace ${lab.prefix}-${path.basename(controlGroup)}`;
    const isIts = (pid: string) => {
        try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(instanceName);
        } catch {
            return false;
        }
    };
    return lab.leftovers().filter((line) => {
        const [kind, name] = line.split(" ");
        return line === namespace || (kind === "process" && isIts(name));
    });
}

const milliseconds = async (action: () => Promise<unknown>): Promise<number> => {
    const start = Date.now();
    await action();
    return Date.now() - start;
};

withMachines("a machine's life", () => {
    let lab: Lab;
    let guest: Guest;

    beforeAll(async () => {
        lab = await Lab.start("10.1.43.0/24");
        guest = await lab.deploy("first", { userData });
        await guest.waitForCloudInit();
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    const witness = () => guest.outputOf("cat /var/witness");
    const runs = () => guest.outputOf("cat /var/runs");

    describe("stop", () => {
        test("stops the machine's services", async () => {
            expect(traces(guest).length).toBeGreaterThan(1);
            await guest.call("stopVirtualMachine");
            expect(traces(guest)).toEqual([]);
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            expect(await witness()).toBe("stopped");
            expect(await runs()).toBe("ran");
        });

        test("with forced=true does not stop its services, and takes little time", async () => {
            expect(await milliseconds(() => guest.call("stopVirtualMachine", { forced: true }))).toBeLessThan(2_000);
            expect(traces(guest)).toEqual([]);
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            expect(await witness()).toBe("stopped");
        });

        test("does not wait for a command that was started with exec", async () => {
            const command = guest.run("sleep", "300");
            const end = expect(command).rejects.toThrow();
            const processes = () => guest.outputOf("ps -e -o args=");
            await waitUntil("it runs", async () => /^sleep 300$/m.test(await processes()));
            expect(await milliseconds(() => guest.call("stopVirtualMachine"))).toBeLessThan(15_000);
            await end;
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
        });

        test("works on a machine that has just been started", async () => {
            await guest.call("stopVirtualMachine");
            await guest.call("startVirtualMachine");
            expect(await milliseconds(() => guest.call("stopVirtualMachine"))).toBeLessThan(15_000);
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
        });
    });

    describe("reboot", () => {
        test("through the API starts the machine again", async () => {
            const { leader } = guest.machine;
            await guest.call("rebootVirtualMachine");
            await guest.waitForNextBoot(leader);
            await guest.waitForCloudInit();
            expect(await runs()).toBe("ran");
        });

        test("from inside keeps the machine Running", async () => {
            const { leader } = guest.machine;
            await guest.outputOf("systemctl reboot");
            await guest.waitForNextBoot(leader);
            expect(await guest.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
            expect(await guest.outputOf("ip -4 -o address show dev eth0")).toContain(` ${guest.address}/24 `);
            const events = await lab.user.list("listEvents", { resourceid: guest.id, type: "VM.STOP" });
            expect(events.filter(({ description }) => /by itself/.test(description))).toEqual([]);
            expect(await guest.fromApi()).toMatchObject({ state: "Running" });
        });
    });

    describe("an end from inside is noticed", () => {
        afterEach(async () => {
            expect(traces(guest)).toEqual([]);
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
        });

        test("after poweroff", async () => {
            await guest.outputOf("systemctl poweroff");
            await guest.waitForState("Stopped");
            const [{ description }] = await lab.user.list("listEvents", { resourceid: guest.id, type: "VM.STOP" });
            expect(description).toContain("has ended by itself");
        });

        test("after SIGKILL", async () => {
            const nspawn = childrenOf(guest.machine.process!.pid).flatMap(childrenOf);
            expect(nspawn).toHaveLength(1);
            process.kill(nspawn[0], "SIGKILL");
            await guest.waitForState("Stopped");
        });
    });

    describe("restore", () => {
        let volume: any;

        beforeAll(async () => {
            ({ volume } = await lab.user.done("createVolume", {
                name: "data",
                diskofferingid: await lab.idOf("listDiskOfferings", "Custom"),
                size: 1,
                virtualmachineid: guest.id,
            }));
            await guest.runScript("mkfs.ext4 -q /dev/vdb; mount /dev/vdb /mnt; echo kept >/mnt/file");
        });

        test("gives it a fresh root disk, and keeps its address, id and data volume", async () => {
            await guest.outputOf("echo gone >/var/mark; rm -f /var/runs");
            await lab.user.done("restoreVirtualMachine", { virtualmachineid: guest.id });
            expect(await guest.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
            expect(await guest.outputOf("cat /var/mark; cat /var/runs; cat /etc/machine-id")).toBe(
                `cat: /var/mark: No such file or directory\nran\n${guest.id.replaceAll("-", "")}`,
            );
            expect(await guest.outputOf("ip -4 -o address show dev eth0")).toContain(` ${guest.address}/24 `);
            expect(await guest.outputOf("mount /dev/vdb /mnt && cat /mnt/file")).toBe("kept");
        });

        test("installs another template, also on a machine that is stopped", async () => {
            await guest.call("stopVirtualMachine");
            const filter = { templatefilter: "executable" };
            const templateid = await lab.idOf("listTemplates", "Debian 13 with password", filter);
            const { virtualmachine } = await lab.user.done("restoreVirtualMachine", {
                virtualmachineid: guest.id,
                templateid,
            });
            expect(virtualmachine).toMatchObject({ state: "Stopped", templateid });
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            expect(await guest.hasPassword("debian", virtualmachine.password)).toBe(true);
            await lab.user.done("detachVolume", { id: volume.id });
            await lab.user.ok("deleteVolume", { id: volume.id });
        });
    });

    describe("changes of a stopped machine", () => {
        const read = (controller: string, file: string) => {
            return fs.readFileSync(path.join("/sys/fs/cgroup", controller, guest.controlGroup, file), "utf8").trim();
        };
        const isV1 = fs.existsSync("/sys/fs/cgroup/memory");
        const limits = () =>
            isV1
                ? [read("memory", "memory.limit_in_bytes"), read("cpu", "cpu.cfs_quota_us")]
                : [read("", "memory.max"), read("", "cpu.max").split(" ")[0]];

        test("of name, address and offering apply from the next start on", async () => {
            expect(limits()).toEqual([String(512 * 2 ** 20), "100000"]);
            await guest.call("stopVirtualMachine");
            await lab.user.ok("updateVirtualMachine", { id: guest.id, name: "renamed" });
            const [{ id: nicid }] = (await guest.fromApi()).nic;
            await lab.user.done("updateVmNicIp", { nicid, ipaddress: "10.1.43.99" });
            const serviceofferingid = await lab.idOf("listServiceOfferings", "Large Instance");
            await lab.user.ok("changeServiceForVirtualMachine", { id: guest.id, serviceofferingid });
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            expect(limits()).toEqual([String(2048 * 2 ** 20), "200000"]);
            expect(await guest.outputOf("ip -4 -o address show dev eth0")).toContain(" 10.1.43.99/24 ");
            expect(await guest.outputOf("hostname; cat /etc/hostname")).toBe("renamed\nrenamed");
            expect(await guest.outputOf("curl -s data-server/latest/meta-data/local-hostname")).toBe("renamed");
            expect(await guest.outputOf("getent ahostsv4 first")).toBe("");
        });

        test("apply: a process that exceeds the new memory is killed, and the machine keeps running", async () => {
            await guest.call("stopVirtualMachine");
            const serviceofferingid = await lab.idOf("listServiceOfferings", "Small Instance");
            await lab.user.ok("changeServiceForVirtualMachine", { id: guest.id, serviceofferingid });
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            const { leader } = guest.machine;
            const greedy = (mebibytes: number) =>
                guest.outputOf(`perl -e '$x = "x" x (${mebibytes} << 20); print "done"'; echo $?`);
            expect(await greedy(150)).toBe("done0");
            expect(await greedy(700)).toMatch(/137$/);
            // A change of the limit from inside does not help.
            await guest.outputOf("cd /sys/fs/cgroup; echo -1 >memory/memory.limit_in_bytes; echo max >memory.max");
            expect(await greedy(700)).toMatch(/137$/);
            expect(guest.machine.leader).toBe(leader);
            expect(await guest.outputOf("systemctl is-active ssh")).toBe("active");
        });
    });

    describe("destroy", () => {
        test("without expunge: the machine can be recovered with its disk", async () => {
            await guest.outputOf("echo kept >/var/mark");
            await guest.call("destroyVirtualMachine");
            expect(traces(guest)).toEqual([]);
            await guest.call("startVirtualMachine").then(
                () => expect("started").toBe("refused"),
                (error) => expect(error.message).toContain("Destroyed"),
            );
            await lab.user.ok("recoverVirtualMachine", { id: guest.id });
            await guest.call("startVirtualMachine");
            await guest.waitForCloudInit();
            expect(await guest.outputOf("cat /var/mark")).toBe("kept");
        });

        test("with expunge: nothing of the machine is left, and its address is free", async () => {
            await guest.call("destroyVirtualMachine", { expunge: true, forced: true });
            expect(traces(guest)).toEqual([]);
            expect(fs.existsSync(guest.folder)).toBe(false);
            const next = await lab.deploy("next", { ipaddress: "10.1.43.99" });
            expect(await next.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
            expect(await next.outputOf("ip -4 -o address show dev eth0")).toContain(" 10.1.43.99/24 ");
            await next.call("destroyVirtualMachine", { expunge: true, forced: true });
        });
    });

    test("when the cloud starts again, it boots the machines that were running, and no others", async () => {
        const [running, stopped] = await Promise.all([lab.deploy("running", { userData }), lab.deploy("stopped")]);
        await running.waitForCloudInit();
        await stopped.call("stopVirtualMachine");
        await lab.close();
        expect(lab.leftovers()).toEqual([]);
        await lab.start();
        await waitUntil("it is up", () => running.machine.leader !== undefined);
        expect(await running.waitForCloudInit()).toMatchObject({ status: "done", errors: [] });
        // The machine's services were stopped when the cloud was.
        expect(await running.outputOf("cat /var/witness /var/runs")).toBe("stopped\nran");
        expect([(await running.fromApi()).state, (await stopped.fromApi()).state]).toEqual(["Running", "Stopped"]);
        expect(stopped.machine.runs).toBe(false);
    });
});
