/**
 * One machine: a container over an overlay of its template, with its own network namespace and control groups, and a
 * mount namespace whose end removes all of its mounts.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { MachinePlan } from "../hypervisor";
import { bootScript, DROPPED_CAPABILITIES } from "./bootScript";
import { groupFilesOf, makeGroup, processesOf, removeGroup } from "./cgroups";
import { allow, deny, restrict } from "./devices";
import {
    attempt,
    childrenOf,
    commandOf,
    identify,
    isAlive,
    kill,
    type ProcessId,
    readJson,
    run,
    until,
    writeWhole,
} from "./host";
import { machineNamespace, numberOf } from "./names";
import { environmentFor, ownedProcesses } from "./owner";
import { enablePasswordUpdates } from "./template";
import { type Disk, usesDisk, mountPoints } from "./volumes";

/** How long a machine may take to shut down by itself before its power is cut, in milliseconds. */
const SHUTDOWN_TIMEOUT = 90_000;
/** Size above which a console log is rotated when the machine starts, in bytes. */
const CONSOLE_LIMIT = 2_000_000;
/** The signal that makes systemd halt without delay: SIGRTMIN+3. */
const HALT_SIGNAL = 37;

/** Content of `machine.json`, which describes the machine to commands while no cloud serves it. */
export interface MachineFile {
    readonly id: string;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly templateName: string;
    readonly cpuNumber: number;
    readonly memoryMiB: number;
    readonly dataVolumeIds: readonly string[];
    /** Process 1 of the machine's outer pid namespace, whose end ends the machine; absent if it was stopped. */
    readonly process?: ProcessId;
}

function machineFileOf(plan: MachinePlan, process: ProcessId | undefined): MachineFile {
    const { id, name, templateName, cpuNumber, memoryMiB } = plan;
    const addresses = plan.nics.map(({ address }) => address);
    const dataVolumeIds = plan.dataVolumes.map((volume) => volume.id);
    return { id, name, addresses, templateName, cpuNumber, memoryMiB, dataVolumeIds, process };
}

/** Disks as `init` of the template takes them. */
const disksText = (disks: readonly Disk[]) =>
    disks.map(({ name, major, minor }) => `${name}:${major}:${minor}`).join(" ");

/**
 * systemd reports "Too many open files" when no inotify instance is left, which all machines share with the host's
 * root.
 */
const INOTIFY_REMEDY =
    "(For more machines, allow more inotify instances: sysctl fs.inotify.max_user_instances=1024; " +
    "cloudstack-local doctor counts them.)";

export class Machine {
    readonly instanceName: string;
    /** Holds its disk, its console log and `machine.json`. */
    readonly folder: string;
    private readonly prefix: string;

    /** @param machinesFolder where each machine has a folder of its own */
    constructor(prefix: string, machinesFolder: string, instanceName: string) {
        this.prefix = prefix;
        this.instanceName = instanceName;
        this.folder = path.join(machinesFolder, instanceName);
    }

    get consoleFile(): string {
        return path.join(this.folder, "console.log");
    }

    private get recordFile(): string {
        return path.join(this.folder, "machine.json");
    }

    /** The path of its control groups. */
    get group(): string {
        return `${this.prefix}/${numberOf(this.instanceName)}`;
    }

    private get disks(): readonly Disk[] {
        const file = path.join(this.folder, "disks");
        const words = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(" ").filter(Boolean) : [];
        return words.map((word) => {
            const [name, major, minor] = word.split(":");
            return { name, major: Number(major), minor: Number(minor) };
        });
    }

    private set disks(disks: readonly Disk[]) {
        writeWhole(path.join(this.folder, "disks"), disksText(disks));
    }

    /** The content of `machine.json`, written at its latest start. */
    get recorded(): MachineFile | undefined {
        return readJson<MachineFile>(this.recordFile);
    }

    /** Its host name; its instance name if it has never been started. */
    get name(): string {
        return this.recorded?.name ?? this.instanceName;
    }

    get process(): ProcessId | undefined {
        return this.recorded?.process;
    }

    get runs(): boolean {
        return isAlive(this.process);
    }

    /** The pid of systemd-nspawn on the host. */
    private get nspawn(): number | undefined {
        const { process } = this;
        if (!isAlive(process)) return undefined;
        return childrenOf(process.pid)
            .flatMap(childrenOf)
            .find((pid) => commandOf(pid) === "systemd-nspawn");
    }

    /** The pid of the machine's init process on the host; undefined while it starts or reboots. */
    get leader(): number | undefined {
        const { nspawn } = this;
        if (nspawn === undefined) return undefined;
        return childrenOf(nspawn).find((pid) => commandOf(pid) === "systemd");
    }

    /** Starts the machine; its network namespace must exist. */
    async start(machine: MachinePlan, templateRoot: string, disks: readonly Disk[]): Promise<void> {
        await removeGroup(this.group);
        for (const name of ["upper", "work", "root", "containerd", "kubelet"])
            fs.mkdirSync(path.join(this.folder, name), { recursive: true, mode: 0o755 });
        if (machine.password !== undefined) enablePasswordUpdates(templateRoot, path.join(this.folder, "upper"));
        const groups = makeGroup(this.group, machine);
        restrict(this.group, disks);
        this.disks = disks;
        if (fs.existsSync(this.consoleFile) && fs.statSync(this.consoleFile).size > CONSOLE_LIMIT)
            fs.renameSync(this.consoleFile, `${this.consoleFile}.1`);
        const console = fs.openSync(this.consoleFile, "a", 0o600);
        const before = fs.fstatSync(console).size;
        const isolation = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
        const network = machineNamespace(this.prefix, this.instanceName);
        const script = path.join(this.folder, "boot");
        writeWhole(script, bootScript(machine, { folder: this.folder, templateRoot, groups, network }));
        const child = spawn("unshare", [...isolation, "sh", script], {
            detached: true,
            stdio: ["ignore", console, console],
            env: environmentFor(this.folder),
        });
        fs.closeSync(console);
        child.unref();
        const process = child.pid === undefined ? undefined : identify(child.pid);
        writeWhole(this.recordFile, JSON.stringify(machineFileOf(machine, process)));
        const hasStarted = await until(() => this.leader !== undefined || !isAlive(process), 30_000);
        if (!hasStarted || !isAlive(process)) {
            await this.cutPower();
            throw new Error(`${machine.name} did not start: ${this.consoleTail(before)}`);
        }
    }

    /** @param from the offset in the console log where this start began */
    private consoleTail(from: number): string {
        const text = stripVTControlCharacters(fs.readFileSync(this.consoleFile).subarray(from).toString());
        const words =
            text
                .trim()
                .split(/[\r\n]+/)
                .slice(-3)
                .join("; ")
                .slice(-500) || "its console is empty";
        return /Too many open files/.test(words) ? `${words} ${INOTIFY_REMEDY}` : words;
    }

    /**
     * Shuts the machine down as a hypervisor's power button does: through logind, so that the programs which delay the
     * shutdown, kubelet for its pods, can do so. Cuts the power at the timeout.
     */
    async shutDown(): Promise<void> {
        let lastSignal: number | undefined;
        const isPoweringOff = this.leader !== undefined && (await this.powerOff());
        const hasEnded = () => {
            const { leader } = this;
            if (isPoweringOff) return !this.runs;
            // An init that has just started may ignore the signal, so it is repeated.
            if (leader !== undefined && (lastSignal === undefined || Date.now() - lastSignal > 1_000)) {
                kill(leader, HALT_SIGNAL);
                lastSignal = Date.now();
            }
            return !this.runs;
        };
        await until(hasEnded, SHUTDOWN_TIMEOUT, 25);
        await this.cutPower();
    }

    /** Whether systemd, which may not run yet, or not any more, has accepted the request. */
    private powerOff(): Promise<boolean> {
        const [program, ...args] = this.commandLine(["timeout", "5", "systemctl", "--no-wall", "poweroff"]);
        return attempt(program, args);
    }

    /** Kills process 1 of its outer pid namespace, upon which the kernel kills all others. */
    kill(): void {
        const { process } = this;
        if (isAlive(process)) kill(process.pid, "SIGKILL");
    }

    /** Kills all processes of the machine and removes its control groups. */
    async cutPower(): Promise<void> {
        this.kill();
        await until(() => !this.runs, 10_000);
        for (const { pid, owner } of ownedProcesses()) if (owner === this.folder) kill(pid, "SIGKILL");
        await removeGroup(this.group);
        const { recorded } = this;
        if (recorded !== undefined) writeWhole(this.recordFile, JSON.stringify({ ...recorded, process: undefined }));
    }

    /** Deletes its root disk, so that its next start has a fresh one. */
    wipe(): void {
        for (const name of ["upper", "work", "containerd", "kubelet"])
            fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
    }

    remove(): void {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    /** The command line that runs a program in the machine. @throws Error if the machine is not running */
    commandLine(command: readonly string[]): string[] {
        const { leader } = this;
        if (leader === undefined) throw new Error(`${this.instanceName} is not running`);
        const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--no-fork"];
        const files = groupFilesOf(this.group, leader).join(" ");
        const rights = `--bounding-set=${DROPPED_CAPABILITIES.map((name) => `-${name}`).join(",")}`;
        // A shell inside waits for the program. Without it nsenter itself would be a process of the machine that
        // systemd stops (SIGSTOP) at shutdown without continuing it, and the shutdown would wait for it.
        const waiting = ["sh", "-c", '"$@"; exit $?', "sh"];
        const enter = ["setpriv", rights, "nsenter", "--target", String(leader), ...namespaces, "--"];
        // Enters the machine's control groups first, so that its limits apply to the program.
        return [
            "sh",
            "-c",
            'for file in $0; do echo 0 >"$file" || exit; done; exec "$@"',
            files,
            ...enter,
            ...waiting,
            ...command,
        ];
    }

    private runInside(...command: string[]): Promise<string> {
        const [program, ...args] = this.commandLine(command);
        return run(program, args);
    }

    /** Waits for a machine that is rebooting; resolves to false if it has ended. */
    async isUp(): Promise<boolean> {
        await until(() => this.leader !== undefined || !this.runs, 30_000);
        return this.leader !== undefined;
    }

    /** Attaches a disk to the running machine. */
    async addDisk(disk: Disk): Promise<void> {
        const { name, major, minor } = disk;
        this.disks = [...this.disks.filter((other) => other.name !== name), disk];
        allow(this.group, disk);
        if (!(await this.isUp())) return;
        const node = `/dev/${name}`;
        await this.runInside(
            "sh",
            "-ec",
            `rm -f ${node}; mknod -m 0660 ${node} b ${major} ${minor}; chgrp disk ${node}`,
        );
    }

    /**
     * Detaches a disk from the running machine even if it is in use: file systems on it are unmounted, and processes
     * that have files open there are killed, whereas those of a virtual machine would get I/O errors.
     */
    async removeDisk(name: string): Promise<void> {
        const disk = this.disks.find((other) => other.name === name);
        if (disk === undefined) return;
        if (await this.isUp()) {
            const mountInfo = fs.readFileSync(`/proc/${this.leader}/mountinfo`, "utf8");
            for (const mountPoint of mountPoints(mountInfo, disk)) await this.runInside("umount", "--lazy", mountPoint);
            await this.runInside("rm", "-f", `/dev/${name}`);
        }
        for (const pid of processesOf(this.group)) if (usesDisk(pid, disk)) kill(pid, "SIGKILL");
        deny(this.group, disk);
        // Must be last, so that an interrupted attempt is repeated.
        this.disks = this.disks.filter((other) => other.name !== name);
    }
}
