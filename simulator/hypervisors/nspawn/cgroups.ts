/**
 * The control groups of machines: one group per machine in every hierarchy, so that a machine's processes are found
 * whatever became of their parents, and so that no machine writes into the groups of another. Its processes are one
 * level further down, so that it cannot lift its own limits.
 *
 * Hosts have one tree (v2), or one tree per controller (v1), or both beside each other; which it is, is looked at.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { kill, until } from "./host";

export interface Limits {
    readonly cpuNumber: number;
    readonly memoryMiB: number;
}

/** The roots of all hierarchies, and whether they are of version 1. */
export interface Hierarchies {
    readonly isV1: boolean;
    readonly roots: readonly string[];
}

/** What `/proc/self/mounts` says. A v2 tree beside v1 controllers is one more hierarchy, without controllers. */
export function hierarchiesOf(mounts: string): Hierarchies {
    const found = mounts
        .split("\n")
        .map((line) => line.split(" "))
        .filter(([, where, type]) => /^cgroup2?$/.test(type ?? "") && where.startsWith("/sys/fs/cgroup"));
    const roots = [...new Set(found.map(([, where]) => where))];
    return { isV1: found.some(([, , type]) => type === "cgroup"), roots };
}

export function hierarchies(): Hierarchies {
    return hierarchiesOf(fs.readFileSync("/proc/self/mounts", "utf8"));
}

/** The folders of a group in all hierarchies; `name` is a path such as csl1a2b/7. */
export function foldersOf(name: string, { roots } = hierarchies()): string[] {
    return roots.map((root) => path.join(root, name));
}

/** The group below a machine's own in which its processes are: what stands above it they can neither see nor change. */
const INNER = "machine";

/**
 * Makes the groups of a machine and sets its limits as far as the kernel lets us; answers the folders of the groups in
 * which its processes are to be.
 */
export function makeGroup(name: string, limits: Limits): string[] {
    const { isV1, roots } = hierarchies();
    const inner = path.join(name, INNER);
    // From the top to the bottom.
    const groups = [path.dirname(name), name, inner];
    for (const root of roots) {
        fs.mkdirSync(path.join(root, inner), { recursive: true });
        if (isV1) inheritCpuset(root, groups);
        else for (const group of ["", ...groups.slice(0, -1)]) enableControllers(path.join(root, group));
    }
    for (const folder of foldersOf(name, { isV1, roots }))
        for (const [file, value] of limitFiles(isV1, limits)) tryWrite(path.join(folder, file), value);
    return foldersOf(inner, { isV1, roots });
}

/** In the order in which they are written: memory and swap together may not be less than memory. */
function limitFiles(isV1: boolean, { memoryMiB, cpuNumber }: Limits): [string, string][] {
    const bytes = String(memoryMiB * 2 ** 20);
    const quota = String(cpuNumber * 100_000);
    return isV1
        ? [
              ["memory.limit_in_bytes", bytes],
              ["memory.memsw.limit_in_bytes", bytes],
              ["cpu.cfs_quota_us", quota],
          ]
        : [
              ["memory.max", bytes],
              ["memory.swap.max", "0"],
              ["cpu.max", `${quota} 100000`],
          ];
}

/** A group of the v1 controller cpuset takes no process before it has processors and memory. */
function inheritCpuset(root: string, groups: readonly string[]): void {
    if (!fs.existsSync(path.join(root, "cpuset.cpus"))) return;
    for (const group of groups) {
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
            const above = fs.readFileSync(path.join(root, path.dirname(group), file), "utf8").trim();
            tryWrite(path.join(root, group, file), above);
        }
        tryWrite(path.join(root, group, "cgroup.clone_children"), "1");
    }
}

/** Lets the groups below a v2 group have its controllers, one by one: a kernel may lack some. */
function enableControllers(folder: string): void {
    for (const controller of ["cpu", "cpuset", "memory", "pids", "io"])
        tryWrite(path.join(folder, "cgroup.subtree_control"), `+${controller}`);
}

/** Writes where the file is there and the kernel takes it: a limit that cannot be set is none. */
export function tryWrite(file: string, value: string): void {
    if (!fs.existsSync(file)) return;
    try {
        fs.writeFileSync(file, value);
    } catch {
        // Said in the documentation: limits hold where the kernel lets them be set.
    }
}

/** A group and all below it, each before those in it. */
export function withDescendants(folder: string): string[] {
    try {
        const inner = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        return [folder, ...inner.flatMap((entry) => withDescendants(path.join(folder, entry.name)))];
    } catch {
        // It is not there, or went meanwhile.
        return [];
    }
}

const deepestFirst = (folder: string) => withDescendants(folder).reverse();

function pidsIn(file: string): number[] {
    try {
        // 0 is a process that cannot be seen from here.
        return fs.readFileSync(file, "utf8").split("\n").map(Number).filter((pid) => pid > 0);
    } catch {
        // The group went meanwhile.
        return [];
    }
}

/** The processes in a group and all below it. */
export function processesOf(name: string): number[] {
    const folders = foldersOf(name).flatMap(withDescendants);
    return [...new Set(folders.flatMap((folder) => pidsIn(path.join(folder, "cgroup.procs"))))];
}

/** The groups that a process of a machine is in, in all hierarchies, as the files that take more processes. */
export function groupFilesOf(name: string, pid: number): string[] {
    return foldersOf(name)
        .map((root) => withDescendants(root).map((folder) => path.join(folder, "cgroup.procs")))
        .flatMap((files) => files.find((file) => pidsIn(file).includes(pid)) ?? []);
}

/** Kills what is left of a machine and removes its groups. */
export async function removeGroup(name: string): Promise<void> {
    const isEmpty = () => {
        const pids = processesOf(name);
        for (const pid of pids) kill(pid, "SIGKILL");
        return pids.length === 0;
    };
    if (!(await until(isEmpty, 10_000, 50)))
        throw new Error(`Processes ${processesOf(name).join(", ")} of ${name} cannot be ended`);
    const isGone = () => {
        for (const folder of foldersOf(name).flatMap(deepestFirst)) {
            try {
                fs.rmdirSync(folder);
            } catch {
                // Its last process is just ending.
            }
        }
        return foldersOf(name).every((folder) => !fs.existsSync(folder));
    };
    await until(isGone, 5_000, 50);
}

/** The names of all groups at the top of the hierarchies. */
export function topGroups(): string[] {
    return [...new Set(hierarchies().roots.flatMap((root) => fs.readdirSync(root)))];
}

/** The first of some files of a group, in whichever hierarchy has it. */
export function readGroupFile(name: string, ...files: readonly string[]): string | undefined {
    for (const folder of foldersOf(name)) {
        for (const file of files) {
            try {
                return fs.readFileSync(path.join(folder, file), "utf8").trim();
            } catch {
                // Another hierarchy, or another version.
            }
        }
    }
    return undefined;
}

/**
 * What a machine uses of the memory, without file cache that the kernel could have back at once, and the most that it
 * has held, with it; bytes.
 */
export function memoryOf(name: string): { used: number; peak: number } {
    const held = Number(readGroupFile(name, "memory.usage_in_bytes", "memory.current") ?? 0);
    const statistics = readGroupFile(name, "memory.stat") ?? "";
    // Version 1 counts the groups below in a line of their own.
    const idle = (/^total_inactive_file (\d+)/m.exec(statistics) ?? /^inactive_file (\d+)/m.exec(statistics))?.[1];
    return {
        used: Math.max(0, held - Number(idle ?? 0)),
        peak: Number(readGroupFile(name, "memory.max_usage_in_bytes", "memory.peak") ?? 0),
    };
}

/** What a machine has had of the processors, in seconds. */
export function processorSecondsOf(name: string): number {
    const v1 = readGroupFile(name, "cpuacct.usage");
    if (v1 !== undefined) return Number(v1) / 1e9;
    const v2 = /^usage_usec (\d+)/m.exec(readGroupFile(name, "cpu.stat") ?? "")?.[1];
    return Number(v2 ?? 0) / 1e6;
}
