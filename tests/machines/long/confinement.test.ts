/** Parts of the host that a machine cannot access, although root in the machine is root on the host. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

/** Control groups version 2 have no controller "devices". */
const hasController = fs.existsSync("/sys/fs/cgroup/devices/devices.list");
const testDevices: (name: string, body: () => Promise<void>) => void = hasController
    ? test
    : (name, body) => test.skip(`${name} (skipped: no control group controller "devices")`, body);

withMachines("confinement", () => {
    let lab: Lab;
    let guest: Guest;
    /** A disk of the host that no machine has. */
    let device = "";
    let file: string;

    beforeAll(async () => {
        lab = await Lab.start("10.1.46.0/24");
        file = path.join(lab.stateDir, "host.img");
        fs.writeFileSync(file, "the host's own\n");
        fs.truncateSync(file, 64 * 2 ** 20);
        device = execFileSync("losetup", ["--find", "--show", file], { encoding: "utf8" }).trim();
        guest = await lab.deploy("confined", {
            diskofferingid: await lab.idOf("listDiskOfferings", "Custom"),
            size: 1,
        });
        await guest.waitForCloudInit();
    });

    afterAll(async () => {
        if (device !== "") execFileSync("losetup", ["--detach", device]);
        expect(await lab.dispose()).toEqual([]);
    });

    /** Runs a script as a systemd unit in the machine, as its services run. */
    const unit = (script: string) => guest.outputOf(`systemd-run --quiet --pipe --wait --collect sh -c '${script}'`);

    testDevices("the host's disks", async () => {
        const { rdev } = fs.statSync(device);
        const numbers = `${rdev >> 8} ${rdev & 0xff}`;
        const node = "/dev/theirs";
        const attempts = `mknod ${node} b ${numbers}; head -c 14 ${node}; mount ${node} /mnt; rm ${node}`;
        for (const answer of [await unit(attempts), await guest.outputOf(attempts)]) {
            expect(answer).not.toContain("the host's own");
            expect(answer).toContain("Operation not permitted");
            expect(answer).toMatch(/mount: .*(permission denied|Can't open blockdev)/);
        }
        // A change of the machine's own device rules does not help, nor do rules that a privileged container asks for.
        const groups = "/sys/fs/cgroup/devices";
        const lift =
            `for g in ${groups} ${groups}/system.slice; do echo "a *:* rwm" >$g/devices.allow; ` +
            `echo "b ${numbers.replace(" ", ":")} rw" >$g/devices.allow; done; ${attempts}`;
        expect(await unit(lift)).not.toContain("the host's own");
        expect(await unit("losetup --find --show /etc/hostname")).toMatch(/failed|cannot|denied|not permitted/);
        expect(await unit("head -c 1 /dev/vdb | wc -c")).toBe("1");
    });

    testDevices("a privileged container gets what the machine has, and nothing of the host's", async () => {
        const { rdev } = fs.statSync(device);
        const group = "/sys/fs/cgroup/devices/privileged";
        const answer = await guest.outputOf(`
            mkdir ${group} && echo "a *:* rwm" >${group}/devices.allow && echo allowed
            echo $$ >${group}/cgroup.procs
            mknod /dev/theirs b ${rdev >> 8} ${rdev & 0xff}; head -c 14 /dev/theirs; rm /dev/theirs
            head -c 1 /dev/vdb | wc -c; echo $$ >/sys/fs/cgroup/devices/cgroup.procs; rmdir ${group}`);
        expect(answer).toMatch(/^allowed\n.*Operation not permitted\n1$/);
        // A group with its own list of devices, as runc creates it for a container without privileges.
        expect(
            await guest.outputOf(`
            mkdir ${group} && echo a >${group}/devices.deny
            for rule in "c *:* m" "b *:* m" "c 1:3 rwm" "c 1:5 rwm" "c 1:7 rwm" "c 1:8 rwm" "c 1:9 rwm" "c 5:0 rwm" \\
                "c 5:1 rwm" "c 5:2 rwm" "c 136:* rwm" "c 10:200 rwm" "c 10:229 rwm"
            do echo "$rule" >${group}/devices.allow || echo "refused: $rule"; done
            wc -l <${group}/devices.list; rmdir ${group}`),
        ).toBe("13");
    });

    test("a machine cannot change the host's clock, modules and settings", async () => {
        const swappiness = fs.readFileSync("/proc/sys/vm/swappiness", "utf8").trim();
        const panic = fs.readFileSync("/proc/sys/kernel/panic", "utf8").trim();
        for (const ask of [unit, (script: string) => guest.outputOf(script)]) {
            // Sets the current values, in case it works after all.
            expect(await ask("date --set=@$(date +%s)")).toContain("cannot set date: Operation not permitted");
            for (const write of [`echo ${swappiness} >/proc/sys/vm/swappiness`, "echo h >/proc/sysrq-trigger"])
                expect(await ask(write)).toMatch(/Read-only file system|cannot create/);
            const rights = BigInt(`0x${await ask("sed -n s/CapBnd:.//p /proc/self/status")}`);
            const [SYS_MODULE, SYS_TIME, NET_ADMIN] = [16n, 25n, 12n];
            expect([SYS_MODULE, SYS_TIME, NET_ADMIN].map((bit) => (rights >> bit) & 1n)).toEqual([0n, 0n, 1n]);
        }
        // The kernel settings that a node needs can be changed for the machine alone.
        await guest.runScript("sysctl -w kernel.panic=17 vm.overcommit_memory=1");
        expect(await guest.outputOf("cat /proc/sys/kernel/panic /proc/sys/vm/overcommit_memory")).toBe("17\n1");
        expect(fs.readFileSync("/proc/sys/kernel/panic", "utf8").trim()).toBe(panic);
        expect(await guest.outputOf("sysctl -w net.ipv4.ip_forward=1")).toBe("net.ipv4.ip_forward = 1");
    });

    test("a machine does not see the host's processes, files and control groups", async () => {
        expect(await guest.outputOf("ps -e -o comm=")).not.toMatch(/^node$/m);
        expect(await guest.outputOf(`ls ${lab.stateDir}`)).toContain("No such file");
        expect(await guest.outputOf("pwd; readlink /proc/self/cwd; cat ../../../../etc/hostname")).toBe(
            "/\n/\nconfined",
        );
        expect(await guest.outputOf("cat /proc/self/cgroup")).not.toContain("..");
        expect(await guest.outputOf("ls -d /sys/fs/cgroup/*/csl* /sys/fs/cgroup/csl*")).not.toMatch(/^\//m);
    });
});
