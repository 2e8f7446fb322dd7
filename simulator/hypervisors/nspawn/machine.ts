/**
 * One machine: a container over an overlay of its template, with its own namespace of network, its own groups, and a
 * mount namespace that takes all of its mounts along when it ends, however it ends.
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
/** Size from which a console's log is put aside when the machine starts, in bytes. */
const CONSOLE_LIMIT = 2_000_000;
/** By which systemd is told to halt: SIGRTMIN+3. */
const HALT_SIGNAL = 37;

/** What is put down about a machine, for whoever looks at it while no cloud serves it. */
export interface MachineFile {
    readonly id: string;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly templateName: string;
    readonly cpuNumber: number;
    readonly memoryMiB: number;
    readonly dataVolumeIds: readonly string[];
    /** The process that holds it up; absent where it was stopped. */
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

/** systemd calls it so when there is no inotify instance left, which all machines share with the host's root. */
const INOTIFY_REMEDY =
    "(For more machines, allow more inotify instances: sysctl fs.inotify.max_user_instances=1024; " +
    "cloudstack-local doctor counts them.)";

export class Machine {
    readonly instanceName: string;
    /** With its disk, its console and what is put down about it. */
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

    /** What was put down when it was started last. */
    get recorded(): MachineFile | undefined {
        return readJson<MachineFile>(this.recordFile);
    }

    /** Its host name, where it was ever started. */
    get name(): string {
        return this.recorded?.name ?? this.instanceName;
    }

    get process(): ProcessId | undefined {
        return this.recorded?.process;
    }

    get runs(): boolean {
        return isAlive(this.process);
    }

    /** The process of nspawn, as the host numbers it. */
    private get nspawn(): number | undefined {
        const { process } = this;
        if (!isAlive(process)) return undefined;
        return childrenOf(process.pid)
            .flatMap(childrenOf)
            .find((pid) => commandOf(pid) === "systemd-nspawn");
    }

    /** The machine's first process, as the host numbers it; nothing while it comes up or reboots. */
    get leader(): number | undefined {
        const { nspawn } = this;
        if (nspawn === undefined) return undefined;
        return childrenOf(nspawn).find((pid) => commandOf(pid) === "systemd");
    }

    /** Starts the machine, whose namespace of network is there. */
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
            throw new Error(`${machine.name} did not come up: ${this.consoleTail(before)}`);
        }
    }

    /** @param from where in the console's log this attempt began */
    private consoleTail(from: number): string {
        const text = stripVTControlCharacters(fs.readFileSync(this.consoleFile).subarray(from).toString());
        const words = text.trim().split(/[\r\n]+/).slice(-3).join("; ").slice(-500) || "it said nothing on its console";
        return /Too many open files/.test(words) ? `${words} ${INOTIFY_REMEDY}` : words;
    }

    /** Lets the machine shut down; cuts its power where it takes too long. */
    async shutDown(): Promise<void> {
        let lastSignal: number | undefined;
        const hasEnded = () => {
            const { leader } = this;
            // One that has just come up does not hear yet: it is told once more.
            if (leader !== undefined && (lastSignal === undefined || Date.now() - lastSignal > 1_000)) {
                kill(leader, HALT_SIGNAL);
                lastSignal = Date.now();
            }
            return !this.runs;
        };
        await until(hasEnded, SHUTDOWN_TIMEOUT, 25);
        await this.cutPower();
    }

    /** Ends the process that holds it up, which takes all others along. */
    kill(): void {
        const { process } = this;
        if (isAlive(process)) kill(process.pid, "SIGKILL");
    }

    /** Ends everything of the machine at once. */
    async cutPower(): Promise<void> {
        this.kill();
        await until(() => !this.runs, 10_000);
        for (const { pid, owner } of ownedProcesses()) if (owner === this.folder) kill(pid, "SIGKILL");
        await removeGroup(this.group);
        const { recorded: note } = this;
        if (note !== undefined) writeWhole(this.recordFile, JSON.stringify({ ...note, process: undefined }));
    }

    /** Gives it a fresh root disk at its next start. */
    wipe(): void {
        for (const name of ["upper", "work", "containerd", "kubelet"])
            fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
    }

    remove(): void {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    /** The words of a command line that runs a program in the machine. @throws Error where it does not run */
    commandLine(command: readonly string[]): string[] {
        const { leader } = this;
        if (leader === undefined) throw new Error(`${this.instanceName} does not run`);
        const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--no-fork"];
        const files = groupFilesOf(this.group, leader).join(" ");
        const rights = `--bounding-set=${DROPPED_CAPABILITIES.map((name) => `-${name}`).join(",")}`;
        // A shell waits for the program. nsenter, too, would stop when systemd stops all processes to end them, and
        // since nobody makes it go on, the machine would wait for it.
        const waiting = ["sh", "-c", '"$@"; exit $?', "sh"];
        const enter = ["setpriv", rights, "nsenter", "--target", String(leader), ...namespaces, "--"];
        // Into its groups first: what runs in a machine is bound by its limits, and may no more than it.
        return ["sh", "-c", 'for file in $0; do echo 0 >"$file" || exit; done; exec "$@"', files, ...enter, ...waiting, ...command];
    }

    private runInside(...command: string[]): Promise<string> {
        const [program, ...args] = this.commandLine(command);
        return run(program, args);
    }

    /** Waits for a machine that is just starting anew by itself; false where it has ended. */
    async isUp(): Promise<boolean> {
        await until(() => this.leader !== undefined || !this.runs, 30_000);
        return this.leader !== undefined;
    }

    /** Plugs a disk into the running machine. */
    async addDisk(disk: Disk): Promise<void> {
        const { name, major, minor } = disk;
        this.disks = [...this.disks.filter((other) => other.name !== name), disk];
        allow(this.group, disk);
        if (!(await this.isUp())) return;
        const node = `/dev/${name}`;
        await this.runInside("sh", "-ec", `rm -f ${node}; mknod -m 0660 ${node} b ${major} ${minor}; chgrp disk ${node}`);
    }

    /**
     * Pulls a disk out of the running machine, whatever uses it: file systems on it go, and processes that hold on to
     * something there are ended, where those of a virtual machine would get nothing but errors any more.
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
        // Last, so that an attempt that is interrupted is made once more.
        this.disks = this.disks.filter((other) => other.name !== name);
    }
}
