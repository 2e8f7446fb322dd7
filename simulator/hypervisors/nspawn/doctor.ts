/** Findings about a host: the resources that clouds hold on it, and whether it can run machines. */
import * as fs from "node:fs";
import { enforcedLimits, whyUnsupported } from "./capabilities";
import { hierarchies } from "./cgroups";
import { isAlive } from "./host";
import { conflictingRoute } from "./network";
import { isEmpty, type HostResources, runningMachines } from "./hostResources";
import { registrationOf } from "./register";

/**
 * `served`: the cloud is running. `unserved`: its machines run, but their management server does not. `unknown`:
 * machines run whose state folder is unknown. `leftover`: nothing uses the resources any more.
 */
export type CloudStatus = "served" | "unserved" | "unknown" | "leftover";

export interface CloudFinding extends HostResources {
    readonly status: CloudStatus;
    /** Names of the running machines. */
    readonly machines: readonly string[];
    /** Whether its state folder was deleted. */
    readonly isGone: boolean;
}

/** @returns undefined for a cloud without resources on this host */
export function findingOf(found: HostResources): CloudFinding | undefined {
    if (isEmpty(found)) return undefined;
    const { stateDir, server } = found;
    const isGone = stateDir !== undefined && !fs.existsSync(stateDir);
    const machines = stateDir === undefined ? [] : runningMachines(stateDir).map(({ name }) => name);
    return { ...found, machines, isGone, status: statusOf(server, found, machines.length) };
}

function statusOf(server: number | undefined, { stateDir, processes }: HostResources, machines: number): CloudStatus {
    if (server !== undefined) return "served";
    if (stateDir === undefined) return processes.length > 0 ? "unknown" : "leftover";
    return machines > 0 ? "unserved" : "leftover";
}

export interface HostFinding {
    readonly about: "machines" | "limits" | "rights" | "inotify" | "volumes" | "addresses";
    /** `problem`: something will not work; `note`: something is restricted. */
    readonly level: "ok" | "note" | "problem";
    readonly text: string;
    /** What to do about it. */
    readonly remedy?: string;
}

/** The cloud whose network is checked. */
export interface CloudNetwork {
    readonly prefix: string;
    readonly cidr: string;
    /** Whether the cloud already exists, with this network. */
    readonly exists: boolean;
}

/** If machines cannot run at all, that is the only finding. */
export async function examineHost(network: CloudNetwork): Promise<HostFinding[]> {
    const reason = await whyUnsupported();
    if (reason !== undefined) {
        const remedy = "none: clouds on this computer only keep the states of machines (hypervisor none)";
        return [{ about: "machines", level: "problem", text: `this computer cannot boot machines: ${reason}`, remedy }];
    }
    const machines: HostFinding = { about: "machines", level: "ok", text: "this computer can boot machines" };
    return [machines, await limits(), rights(), inotify(), volumes(), await addresses(network)];
}

async function limits(): Promise<HostFinding> {
    const about = "limits";
    const { memory, processors } = await enforcedLimits();
    const version = hierarchies().isV1 ? "version 1" : "version 2";
    const missing = [...(memory ? [] : ["memory"]), ...(processors ? [] : ["cpu"])];
    const groups = `control groups of ${version}`;
    if (missing.length === 0)
        return { about, level: "ok", text: `memory and processors of machines are limited (${groups})` };
    return {
        about,
        level: "note",
        text: `the kernel does not limit ${missing.join(" and ")} of machines (${groups}): one machine may use all of it`,
        remedy: `enable the ${missing.join(" and ")} controller in /sys/fs/cgroup for root`,
    };
}

const SYS_RESOURCE = 1n << 24n;

function rights(): HostFinding {
    const status = fs.readFileSync("/proc/self/status", "utf8");
    const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
    if ((effective & SYS_RESOURCE) !== 0n)
        return { about: "rights", level: "ok", text: "root has all capabilities that machines use" };
    return {
        about: "rights",
        level: "note",
        text: "root lacks CAP_SYS_RESOURCE: machines cannot raise resource limits or lower OOM scores of processes",
        remedy: "optional: if this computer is a container, add that capability to it",
    };
}

/** How many of root's inotify instances one machine holds, as measured: 6 with Debian 12, 5 with Debian 13. */
const INSTANCES_PER_MACHINE = 6;
/** Room for fewer machines than this is reported. */
const RECOMMENDED_ROOM = 8;

/** Counts the inotify instances of root's processes, whose limit all machines share. */
function inotifyInstances(): number {
    const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.reduce((sum, pid) => sum + instancesOfProcess(`/proc/${pid}`), 0);
}

function instancesOfProcess(folder: string): number {
    try {
        if (fs.statSync(folder).uid !== 0) return 0;
        const open = fs.readdirSync(`${folder}/fd`).map((name) => `${folder}/fd/${name}`);
        return open.filter((file) => linkTarget(file) === "anon_inode:inotify").length;
    } catch {
        // It has ended.
        return 0;
    }
}

function linkTarget(file: string): string | undefined {
    try {
        return fs.readlinkSync(file);
    } catch {
        return undefined;
    }
}

function inotify(): HostFinding {
    const about = "inotify";
    const all = Number(fs.readFileSync("/proc/sys/fs/inotify/max_user_instances", "utf8"));
    const used = inotifyInstances();
    const room = Math.max(0, Math.floor((all - used) / INSTANCES_PER_MACHINE));
    const text = `${used} of ${all} inotify instances are in use; enough for about ${room} more machines`;
    if (room >= RECOMMENDED_ROOM) return { about, level: "ok", text };
    const remedy = "sysctl fs.inotify.max_user_instances=1024";
    return { about, level: room === 0 ? "problem" : "note", text, remedy };
}

function volumes(): HostFinding {
    if (fs.existsSync("/dev/loop-control")) return { about: "volumes", level: "ok", text: "volumes can be attached" };
    return {
        about: "volumes",
        level: "problem",
        text: "/dev/loop-control not found: volumes cannot be attached",
        remedy: "modprobe loop",
    };
}

async function addresses({ prefix, cidr, exists }: CloudNetwork): Promise<HostFinding> {
    const about = "addresses";
    const conflict = await conflictingRoute(prefix, cidr);
    if (conflict === undefined)
        return { about, level: "ok", text: `nothing else uses addresses of the network ${cidr}` };
    const other = registrationOf(/ on (\w+)$/.exec(conflict)?.[1] ?? "");
    const rest = isAlive(other) ? "" : ", which is not running";
    const whose = other === undefined ? "" : `, the cloud of ${other.stateDir}${rest}`;
    return {
        about,
        level: exists ? "problem" : "note",
        text: `addresses of the network ${cidr} are in use (${conflict}${whose})`,
        remedy: exists
            ? "stop what uses them, or start a new cloud in another folder with --cidr"
            : "choose another network: cloudstack-local start --cidr",
    };
}
