/**
 * One machine: a container over an overlay of its template, with its own namespace of network, its own groups, and a
 * mount namespace that takes all of its mounts along when it ends, however it ends.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { MachinePlan } from "../hypervisor";
import { groupFilesOf, makeGroup, processesOf, removeGroup } from "./cgroups";
import { allow, deny, restrict } from "./devices";
import {
    childrenOf,
    commandOf,
    HOST_ENV,
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
import { INIT } from "./templateFiles";
import { type Disk, holds, mountPoints } from "./volumes";

/** How long a machine may take to shut down by itself before its power is cut, in milliseconds. */
const SHUTDOWN_PATIENCE = 90_000;
/** Size from which a console's log is put aside when the machine starts, in bytes. */
const CONSOLE_LIMIT = 2_000_000;
/** What nspawn says at the end of a machine that wants to start again. */
const REBOOT = 133;
/** By which systemd is told to halt: SIGRTMIN+3. */
const HALT = 37;

/** Rights that no machine has: modules and the clock are the host's. */
const FORBIDDEN = ["sys_module", "sys_time"] as const;

/** What is put down about a machine that runs. */
export interface Running {
    readonly process: ProcessId;
    readonly name: string;
    readonly addresses: readonly string[];
}

/**
 * Runs as the first process of a process namespace: whatever kills it, or its parent, ends the whole machine. It
 * outlives reboots of the machine, which finds the disks then that it has then.
 */
const script = `
for group in $CGROUPS; do echo 0 >"$group/cgroup.procs" || exit; done
mkdir -p /run/systemd && mount -t tmpfs -o mode=755 tmpfs /run/systemd || exit
cd "$FOLDER" && mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=upper,workdir=work" root || exit
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do unset "$name"; done
export SYSTEMD_NSPAWN_LOCK=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
while :; do
  nsenter --net="/run/netns/$NETWORK" systemd-nspawn --setenv="DISKS=$(cat disks)" "$@"
  [ $? = ${REBOOT} ] || exit
done
`;

function nspawnArguments(folder: string, machine: MachinePlan): string[] {
    // Neither may lie on an overlay: containers have overlays of their own in them.
    const binds = ["containerd", "kubelet"].map((name) => `--bind=${escaped(`${folder}/${name}`)}:/var/lib/${name}`);
    return [
        ...["--quiet", "--register=no", "--keep-unit", "--settings=no", "--console=read-only", "--kill-signal=SIGRTMIN+3"],
        ...["--resolv-conf=off", "--timezone=off", "--link-journal=no", `--directory=${folder}/root`],
        ...[`--machine=${machine.instanceName}`, `--hostname=${machine.name}`, `--uuid=${machine.id}`],
        // Network, containers and packet filters are the machine's own.
        "--capability=all",
        `--drop-capability=${FORBIDDEN.map((name) => `CAP_${name.toUpperCase()}`).join(",")}`,
        "--system-call-filter=@keyring",
        ...binds,
        ...[INIT, "--show-status=no"],
    ];
}

/** What is the host's: modules and the clock. */
const NOT_THEIRS = ["sys_module", "sys_time"];

/** A path within an option of an overlay or of nspawn. */
const escaped = (file: string) => file.replace(/[\\:,]/g, "\\$&");

/** Disks as `init` of the template takes them. */
const disksText = (disks: readonly Disk[]) =>
    disks.map(({ name, major, minor }) => `${name}:${major}:${minor}`).join(" ");

export class Machine {
    readonly instanceName: string;
    private readonly prefix: string;
    private readonly folder: string;

    /** @param machinesFolder where each machine has a folder of its own */
    constructor(prefix: string, machinesFolder: string, instanceName: string) {
        this.prefix = prefix;
        this.instanceName = instanceName;
        this.folder = path.join(machinesFolder, instanceName);
    }

    get consoleFile(): string {
        return path.join(this.folder, "console.log");
    }

    private get stateFile(): string {
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

    /** What was put down when it was started; undefined where it was not, or was stopped. */
    get running(): Running | undefined {
        return readJson<Running>(this.stateFile);
    }

    get process(): ProcessId | undefined {
        return this.running?.process;
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
        const groups = makeGroup(this.group, machine);
        restrict(this.group, disks);
        this.disks = disks;
        if (fs.existsSync(this.consoleFile) && fs.statSync(this.consoleFile).size > CONSOLE_LIMIT)
            fs.renameSync(this.consoleFile, `${this.consoleFile}.1`);
        const console = fs.openSync(this.consoleFile, "a", 0o600);
        const isolation = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
        const child = spawn(
            "unshare",
            [...isolation, "sh", "-c", script, "sh", ...nspawnArguments(this.folder, machine)],
            {
                detached: true,
                stdio: ["ignore", console, console],
                env: {
                    ...HOST_ENV,
                    CGROUPS: groups.join(" "),
                    FOLDER: this.folder,
                    LOWER: escaped(templateRoot),
                    NETWORK: machineNamespace(this.prefix, this.instanceName),
                },
            },
        );
        fs.closeSync(console);
        child.unref();
        const process = child.pid === undefined ? undefined : identify(child.pid);
        const addresses = machine.nics.map((nic) => nic.address);
        writeWhole(this.stateFile, JSON.stringify({ process, name: machine.name, addresses }));
        const came = await until(() => this.leader !== undefined || !isAlive(process), 30_000);
        if (!came || !isAlive(process)) {
            await this.cutPower();
            throw new Error(`${machine.name} did not come up: ${this.lastWords()}`);
        }
    }

    private lastWords(): string {
        const text = fs.existsSync(this.consoleFile) ? fs.readFileSync(this.consoleFile, "utf8") : "";
        return text.trim().split("\n").slice(-3).join("; ").slice(-500) || "its console is empty";
    }

    /** Lets the machine shut down; cuts its power where it takes too long. */
    async shutDown(): Promise<void> {
        let told: number | undefined;
        const hasEnded = () => {
            const { leader } = this;
            // One that has just come up does not hear yet: it is told once more.
            if (leader !== undefined && (told === undefined || Date.now() - told > 1_000)) {
                kill(leader, HALT);
                told = Date.now();
            }
            return !this.runs;
        };
        await until(hasEnded, SHUTDOWN_PATIENCE, 25);
        await this.cutPower();
    }

    /** Ends everything of the machine at once. */
    async cutPower(): Promise<void> {
        const { process } = this;
        if (isAlive(process)) {
            kill(process.pid, "SIGKILL");
            await until(() => !isAlive(process), 10_000);
        }
        await removeGroup(this.group);
        fs.rmSync(this.stateFile, { force: true });
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
        const spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
        const files = groupFilesOf(this.group, leader).join(" ");
        const rights = `--bounding-set=${NOT_THEIRS.map((name) => `-${name}`).join(",")}`;
        const words = ["setpriv", rights, "nsenter", "--target", String(leader), ...spaces, "--", ...command];
        // Into its groups first: what runs in a machine is bound by its limits, and may no more than it.
        return ["sh", "-c", 'for file in $0; do echo 0 >"$file" || exit; done; exec "$@"', files, ...words];
    }

    private inside(...command: string[]): Promise<string> {
        const [program, ...args] = this.commandLine(command);
        return run(program, args);
    }

    /** Waits for a machine that is just starting anew by itself; false where it has ended. */
    private async isUp(): Promise<boolean> {
        await until(() => this.leader !== undefined || !this.runs, 30_000);
        return this.leader !== undefined;
    }

    /** Plugs a disk into the running machine. */
    async addDisk(disk: Disk): Promise<void> {
        const { name, major, minor } = disk;
        this.disks = [...this.disks.filter((other) => other.name !== name), disk];
        allow(this.group, disk);
        if (!(await this.isUp())) return;
        await this.inside("sh", "-c", `test -b /dev/${name} || mknod -m 0660 /dev/${name} b ${major} ${minor}`);
    }

    /**
     * Pulls a disk out of the running machine, whatever uses it: file systems on it go, and processes that hold on to
     * something there are ended, where those of a virtual machine would get nothing but errors any more.
     */
    async removeDisk(name: string): Promise<void> {
        const disk = this.disks.find((other) => other.name === name);
        if (disk === undefined) return;
        this.disks = this.disks.filter((other) => other.name !== name);
        if (await this.isUp()) {
            const mountInfo = fs.readFileSync(`/proc/${this.leader}/mountinfo`, "utf8");
            for (const mountPoint of mountPoints(mountInfo, disk)) await this.inside("umount", "--lazy", mountPoint);
            await this.inside("rm", "-f", `/dev/${name}`);
        }
        for (const pid of processesOf(this.group)) if (holds(pid, disk)) kill(pid, "SIGKILL");
        deny(this.group, disk);
    }
}
