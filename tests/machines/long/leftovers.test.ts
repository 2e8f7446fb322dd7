/**
 * What clouds change on their host: while they run, only things with their own name, and nothing once they have ended,
 * whichever of their processes was killed before. Uses the command line, as users do.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { prefixOf } from "../../../simulator/hypervisors/nspawn";
import { ownedProcesses, stateDirOf } from "../../../simulator/hypervisors/nspawn/owner";
import { Client } from "../../contract/simulator/client";
import { CommandLine } from "../../contract/simulator/commandLine";
import { lookAtHost } from "../support/host";
import { waitUntil } from "../support/lab";
import { withMachines } from "../support/possible";
import { TEMPLATE } from "../support/template";

withMachines("a cloud and its host", () => {
    let command: CommandLine;
    let prefix: string;
    let before: readonly string[];

    const look = () => lookAtHost(prefix, command.state);
    const start = (...more: string[]) => command.ok("start", "--port", "0", "--hypervisor", "nspawn", ...more);
    const ps = (): any[] => JSON.parse(command.ok("ps", "--json"));
    const one = (name: string) => ps().find((machine) => machine.name === name);
    const client = () => {
        const { endpoint, accounts } = command.file("credentials.json");
        return new Client({ endpoint }, accounts.expunger);
    };
    const inOne = (script: string) => command.ok("exec", "one", "--", "sh", "-ec", script);
    /** The doctor's findings about this cloud. */
    const diagnosed = () => JSON.parse(command.run("doctor", "--state", command.state, "--json").out).clouds;
    const serverPid = (): number => command.file("server.json").pid;
    /** Processes of this cloud's machines and networks, outermost first. */
    const owned = () => ownedProcesses().filter(({ owner }) => stateDirOf(owner) === command.state);

    async function killed(...pids: number[]): Promise<void> {
        // The end of one may end others.
        pids.forEach(killOne);
        await waitUntil("they have ended", () => pids.every((pid) => !isThere(pid)));
    }

    function killOne(pid: number): void {
        try {
            process.kill(pid, "SIGKILL");
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
    }

    function isThere(pid: number): boolean {
        try {
            return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
        } catch {
            return false;
        }
    }

    async function deploy(name: string): Promise<any> {
        const user = client();
        const [template] = await user.list("listTemplates", { templatefilter: "executable", name: TEMPLATE });
        const given = { ...(await user.catalogue()), name, templateid: template.id };
        return (await user.done("deployVirtualMachine", given)).virtualmachine;
    }

    async function attach(machine: any): Promise<any> {
        const user = client();
        const [offering] = await user.list("listDiskOfferings", { name: "Custom" });
        const given = { name: "data", zoneid: machine.zoneid, diskofferingid: offering.id, size: 1 };
        const { volume } = await user.done("createVolume", given);
        return (await user.done("attachVolume", { id: volume.id, virtualmachineid: machine.id })).volume;
    }

    /**
     * Runs a script in machine "one" until it succeeds, since not all services of a machine run as soon as it has
     * booted.
     */
    async function succeeds(script: string): Promise<string> {
        let last = { status: null as number | null, out: "" };
        await waitUntil(script, () => (last = command.run("exec", "one", "--", "sh", "-ec", script)).status === 0);
        return last.out;
    }

    /** Waits until all machines that the API shows as Running do run. */
    const allRun = () =>
        waitUntil("machines run", () => ps().every(({ state, runs }) => runs === (state === "Running")));

    beforeAll(() => {
        command = new CommandLine();
        prefix = prefixOf(command.state);
        before = look().own;
        expect(look().ofCloud).toEqual([]);
    });

    afterAll(() => {
        command.run("destroy", "--yes");
        expect(look()).toEqual({ own: before, ofCloud: [] });
        command.remove();
    });

    test("a running cloud adds only things with its own name to the host", async () => {
        start("--cidr", "10.1.32.0/24");
        const machine = await deploy("one");
        await attach(machine);
        const { own, ofCloud } = look();
        expect(own).toEqual(before);
        const kinds = [
            `/run/netns/${prefix}`,
            `/run/netns/${prefix}-1`,
            `/sys/class/net/${prefix}`,
            `/run/cloudstack-local/${prefix}.json`,
            `inet 10.1.32.254/24 .* ${prefix}`,
            `10.1.32.0/24 dev ${prefix} `,
            "^/dev/loop",
            "^process .*routerMain",
            "^process .*systemd-nspawn",
        ];
        for (const kind of kinds) expect(ofCloud).toContainEqual(expect.stringMatching(new RegExp(kind)));
    });

    test("its machines have short names in lists of processes", () => {
        const lines = owned().map(({ pid }) => commandLineOf(String(pid)));
        const script = path.join(command.state, "nspawn", "machines", one("one").instanceName, "boot");
        expect(lines).toContain(`sh ${script}`);
        const outer = lines.find((line) => line?.startsWith("unshare"))!;
        expect(outer).toMatch(new RegExp(`^unshare [a-z -]+ sh ${script}$`));
    });

    test("ps shows what each machine is and uses", () => {
        expect(ps()).toEqual([
            {
                ...{ name: "one", addresses: ["10.1.32.10"], state: "Running", runs: true, template: TEMPLATE },
                ...{ id: expect.any(String), instanceName: expect.stringMatching(/^i-\d+-1-VM$/) },
                ...{ cpuNumber: 1, memoryMiB: 1024, volumeIds: [expect.any(String)] },
                ...{ memoryBytes: expect.any(Number), memoryPeakBytes: expect.any(Number) },
                ...{ processorSeconds: expect.any(Number), upSeconds: expect.any(Number) },
                ...{ rootDiskBytes: expect.any(Number), volumeBytes: 0 },
            },
        ]);
        const { memoryBytes, memoryPeakBytes, processorSeconds, upSeconds, rootDiskBytes } = one("one");
        expect(memoryBytes).toBeGreaterThan(2 ** 20);
        expect(memoryPeakBytes).toBeGreaterThanOrEqual(memoryBytes);
        expect(memoryPeakBytes).toBeLessThanOrEqual(2 ** 30);
        expect(processorSeconds).toBeGreaterThan(0.05);
        expect(upSeconds).toBeGreaterThan(0);
        expect(rootDiskBytes).toBeGreaterThan(4096);
        inOne("head -c 3000000 /dev/urandom >/big; head -c 5000000 /dev/urandom >/dev/vdb; sync");
        expect(one("one").rootDiskBytes).toBeGreaterThan(rootDiskBytes + 2_900_000);
        expect(one("one").volumeBytes).toBeGreaterThan(4_900_000);
        const memory = "[\\d.]+ MiB of 1\\.0 GiB";
        const [time, disk] = ["[\\d.]+(s|m \\d+s)", "[\\d.]+ MiB"];
        const cells = ["^one", "10\\.1\\.32\\.10", "Running", "yes", memory, time, time, disk, TEMPLATE, "i-"];
        expect(command.ok("ps")).toMatch(new RegExp(cells.join(" +"), "m"));
    });

    describe("exec", () => {
        test("passes on standard input, output, errors and the exit code", () => {
            const script = "cat; echo bad >&2; exit 7";
            expect(command.runWith("in\n", "exec", "one", "--", "sh", "-c", script)).toEqual({
                status: 7,
                out: "in\n",
                err: "bad\n",
            });
            expect(command.ok("exec", "one", "--", "id", "-un")).toBe("root\n");
            expect(command.ok("exec", "10.1.32.10", "--", "hostname")).toBe("one\n");
            const { instanceName } = one("one");
            const words = ["printf", "%s|", "a b", "--help", "$HOME"];
            expect(command.ok("exec", instanceName, "--", ...words)).toBe("a b|--help|$HOME|");
            expect(command.run("exec", "one", "--", "no-such-program").status).toBe(127);
        });

        test("gives the command none of the host's environment", () => {
            const text = command.with({ SECRET_OF_HOST: "1" }).ok("exec", "one", "--", "env");
            const names = text.split("\n").map((line) => line.split("=")[0]);
            expect(names).toEqual(expect.arrayContaining(["HOME", "PATH", "USER"]));
            expect(names).not.toContain("SECRET_OF_HOST");
        });

        test("gives the command a terminal of the machine if it has one itself", () => {
            const line = [process.execPath, command.main, "exec", "one", "--", "sh", "-c", "'tty; exit 5'"].join(" ");
            const { status, stdout } = spawnSync("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
                env: { ...process.env, CLOUDSTACK_LOCAL_STATE: command.state },
                encoding: "utf8",
            });
            expect(stdout).toMatch(/\/dev\/pts\/\d+\r?\n$/);
            expect(status).toBe(5);
            expect(command.run("exec", "one", "--", "tty")).toMatchObject({ status: 1, out: "not a tty\n" });
        });

        test("is subject to the machine's limits, and its command ends with it", async () => {
            const find = () => namesOfProcesses().find((pid) => commandLineOf(pid) === "sleep 4242");
            const child = command.spawn("exec", "one", "--", "sleep", "4242");
            await waitUntil("the command runs", () => find() !== undefined);
            expect(fs.readFileSync(`/proc/${find()}/cgroup`, "utf8")).toContain(`/${prefix}/1/`);
            child.kill("SIGKILL");
            await waitUntil("the command has ended", () => find() === undefined);
        });

        test("lists the running machines if there is none of that name", () => {
            expect(command.run("exec", "two", "--", "true")).toEqual({
                status: 125,
                out: "",
                err: 'Machine "two" not found. Running machines: one.\n',
            });
            expect(command.run("exec", "one").err).toContain("cloudstack-local exec NAME -- COMMAND");
        });
    });

    test("console shows the end of a machine's output, and can follow it", async () => {
        expect(command.ok("console", "one")).toContain("Reached target");
        expect(command.ok("console", "one", "--lines", "2").trimEnd().split("\n")).toHaveLength(2);
        expect(command.run("console", "two").err).toBe('Machine "two" not found. Running machines: one.\n');
        const { child, output } = command.capture("console", "one", "--lines", "0", "--follow");
        try {
            await waitUntil("a line appears", () => {
                inOne("echo a line of ours >/dev/console");
                return output().includes("a line of ours");
            });
        } finally {
            child.kill();
        }
    });

    test("the API returns the console to the machine's owner", async () => {
        const user = client();
        const { id } = one("one");
        const { console: shown } = await user.ok("getVirtualMachineConsoleLog", { id });
        expect(shown).toEqual({ virtualmachineid: id, log: expect.stringContaining("Reached target") });
        inOne("seq 20000 | sed 's/^/a long line to fill the console with /' >/dev/console");
        await waitUntil("it is long", async () => {
            const { log } = (await user.ok("getVirtualMachineConsoleLog", { id })).console;
            return log.startsWith("a long line") && log.length > 60_000 && log.length <= 65_536;
        });
    });

    test("machines survive a kill of the cloud, and the next start adopts them", async () => {
        const first = one("one");
        await killed(serverPid());
        expect(command.run("status")).toMatchObject({ status: 1, out: expect.stringContaining("No cloud is running") });
        expect(one("one")).toMatchObject({ runs: true, state: "Running", addresses: ["10.1.32.10"] });
        expect(command.ok("exec", "one", "--", "hostname")).toBe("one\n");
        expect(command.ok("console", "one", "--lines", "1")).not.toBe("");
        // The services of the virtual router survive, too.
        const metaData = "curl -sf http://10.1.32.1/latest/meta-data/local-hostname";
        expect(await succeeds(`${metaData}; getent ahostsv4 data-server | head -n 1`)).toMatch(/^one\n?10\.1\.32\.1 /);
        expect(command.run("doctor", "--state", command.state).status).toBe(1);
        expect(diagnosed()).toMatchObject([{ status: "unserved", machines: ["one"], stateDir: command.state }]);
        expect(command.run("start", "--port", "0", "--hypervisor", "none")).toMatchObject({
            status: 1,
            err: expect.stringMatching(
                /machines of .* are running \(one\): stop them first with cloudstack-local stop/,
            ),
        });
        start();
        await allRun();
        const now = one("one");
        expect(now.upSeconds).toBeGreaterThan(first.upSeconds);
        expect(diagnosed()).toMatchObject([{ status: "served", machines: ["one"] }]);
        // The new process manages the machines: it detaches a volume, and notices a machine that powers off.
        const user = client();
        await user.done("detachVolume", { id: first.volumeIds[0] });
        expect(command.ok("exec", "one", "--", "ls", "/dev")).not.toMatch(/^vdb$/m);
        expect(look().ofCloud.filter((line) => line.startsWith("/dev/loop"))).toEqual([]);
        await user.done("attachVolume", { id: first.volumeIds[0], virtualmachineid: first.id });
        command.ok("exec", "one", "--", "systemctl", "poweroff", "--no-wall");
        await waitUntil("its end is seen", () => one("one").state === "Stopped");
        expect(command.run("exec", "one", "--", "true")).toMatchObject({
            status: 125,
            err: 'The machine "one" is not running. No machine is running.\n',
        });
        await user.done("startVirtualMachine", { id: first.id });
    });

    test("stop ends machines whose cloud was killed", async () => {
        await killed(serverPid());
        expect(command.ok("stop")).toContain("Stopped without it: 1 machine.");
        expect(look()).toEqual({ own: before, ofCloud: [] });
        expect(one("one")).toMatchObject({ state: "Running", runs: false });
        start();
        await allRun();
    });

    test("SIGTERM to the cloud ends its machines, which a start boots again", async () => {
        const pid = serverPid();
        process.kill(pid, "SIGTERM");
        await waitUntil("it has ended", () => !isThere(pid));
        expect(look()).toEqual({ own: before, ofCloud: [] });
        start();
        await allRun();
        expect(command.ok("exec", "one", "--", "ls", "/big")).toBe("/big\n");
    });

    test("stop waits for a machine whose services stop slowly; with --force it does not", async () => {
        const slow = "systemd-run --quiet --service-type=exec -p 'ExecStop=sleep 5' -p TimeoutStopSec=60 sleep 1000";
        await succeeds(slow);
        const begun = Date.now();
        const { err } = command.run("stop");
        expect(Date.now() - begun).toBeGreaterThan(4_500);
        expect(err).toContain("Waiting for 1 machine to shut down: one");
        start();
        await allRun();
        await succeeds(slow);
        const { child } = command.capture("stop");
        await waitUntil("it is stopping", () => command.run("status").out.includes("is stopping"));
        const forced = Date.now();
        command.ok("stop", "--force");
        expect(Date.now() - forced).toBeLessThan(4_500);
        await waitUntil("both have come back", () => child.exitCode === 0);
        expect(look()).toEqual({ own: before, ofCloud: [] });
        // A machine that was stopped by force is still one that a start boots.
        expect(one("one").state).toBe("Running");
    });

    describe("after a kill of all processes, nothing is left on the host after", () => {
        beforeEach(async () => {
            start();
            await allRun();
            await killed(serverPid(), ...owned().map(({ pid }) => pid));
            expect(look().ofCloud).toEqual(
                expect.arrayContaining([`/run/netns/${prefix}-1`, `/run/netns/${prefix}`, `/sys/class/net/${prefix}`]),
            );
        });

        afterEach(() => {
            expect(look()).toEqual({ own: before, ofCloud: [] });
        });

        test("stop", () => {
            expect(command.ok("stop")).toContain("No cloud is running");
        });

        test("doctor --clear", () => {
            const found = command.run("doctor", "--state", command.state);
            expect(found.status).toBe(1);
            expect(found.out).toContain("left behind by a cloud that is not running");
            expect(found.out).toContain("-> cloudstack-local doctor --clear");
            expect(command.run("doctor", "--state", command.state, "--clear").out).toContain(": cleared");
            expect(diagnosed()).toEqual([]);
        });

        test("a start, which boots the machines as always, and a stop", async () => {
            start();
            await allRun();
            expect(command.ok("exec", "one", "--", "ls", "/dev/vdb")).toBe("/dev/vdb\n");
            command.ok("stop");
        });
    });

    test("a start succeeds in spite of what an interrupted start left", async () => {
        const folder = path.join(command.state, "nspawn");
        const { instanceName, volumeIds } = one("one");
        fs.writeFileSync(`/run/netns/${prefix}`, "");
        execFileSync("ip", ["netns", "add", `${prefix}-1`]);
        execFileSync("ip", ["netns", "exec", `${prefix}-1`, "ip", "link", "add", "eth0", "type", "veth"]);
        execFileSync("ip", ["link", "add", prefix, "type", "veth", "peer", "name", "nowhere0"]);
        const disk = path.join(folder, "volumes", `${volumeIds[0]}.img`);
        for (const _ of ["once", "again"]) execFileSync("losetup", ["--find", disk]);
        // Process 1 exists, but does not belong to the cloud.
        const process1 = { pid: 1, started: "7", boot: "another" };
        const note = path.join(folder, "machines", instanceName, "machine.json");
        fs.writeFileSync(note, JSON.stringify({ ...JSON.parse(fs.readFileSync(note, "utf8")), process: process1 }));
        for (const name of ["dns", "dhcp", "http"])
            fs.writeFileSync(path.join(folder, "networks", prefix, `${name}.pid`), JSON.stringify(process1));
        const server = { pid: 1, url: "http://127.0.0.1:1", token: "", process: process1 };
        fs.writeFileSync(path.join(command.state, "server.json"), JSON.stringify(server));
        start();
        await allRun();
        const metaData = "curl -sf http://data-server/latest/meta-data/local-hostname";
        expect(await succeeds(`ls /dev/vdb; ${metaData}`)).toBe("/dev/vdb\none");
        expect(look().own).toEqual(before);
        command.ok("stop");
        expect(look()).toEqual({ own: before, ofCloud: [] });
    });

    test("doctor does not touch what belongs to a running cloud", async () => {
        start();
        await allRun();
        const things = () => look().ofCloud.filter((line) => !line.startsWith("process"));
        const running = things();
        expect(command.ok("doctor", "--state", command.state, "--clear")).toContain("its cloud is running");
        expect(things()).toEqual(running);
        expect(one("one").runs).toBe(true);
    });

    test("destroy deletes everything, disks included, except files that are not the cloud's", () => {
        expect(command.run("destroy")).toMatchObject({ status: 2, err: expect.stringContaining("use --yes") });
        expect(one("one").runs).toBe(true);
        fs.writeFileSync(path.join(command.state, "notes.txt"), "mine");
        expect(command.ok("destroy", "--yes")).toContain("was deleted");
        expect(look()).toEqual({ own: before, ofCloud: [] });
        expect(fs.readdirSync(command.state)).toEqual(["notes.txt"]);
        expect(command.ok("destroy", "--yes")).toContain("There is no cloud");
        expect(command.run("ps").err).toContain("There is no cloud in");
    });

    test("destroy also deletes everything after a kill of all processes", async () => {
        start("--cidr", "10.1.33.0/24");
        await attach(await deploy("two"));
        await killed(serverPid(), ...owned().map(({ pid }) => pid));
        expect(look().ofCloud).not.toEqual([]);
        expect(command.ok("destroy", "--yes")).toContain("was deleted");
        expect(look()).toEqual({ own: before, ofCloud: [] });
    });

    test("doctor removes what is left of a cloud whose folder was deleted, machines included", async () => {
        start("--cidr", "10.1.33.0/24");
        await attach(await deploy("two"));
        await killed(serverPid());
        fs.rmSync(command.state, { recursive: true });
        expect(diagnosed()).toMatchObject([
            { status: "leftover", isGone: true, loopDevices: [expect.stringMatching(/^\/dev\/loop/)] },
        ]);
        command.run("doctor", "--state", command.state, "--clear");
        expect(look()).toEqual({ own: before, ofCloud: [] });
    });
});

const namesOfProcesses = () => fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));

function commandLineOf(pid: string): string | undefined {
    try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    } catch {
        return undefined;
    }
}
