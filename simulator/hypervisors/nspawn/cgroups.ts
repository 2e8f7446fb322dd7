/**
 * The control groups of machines: one group per machine in every hierarchy, so that a machine's processes are found
 * even when their parents have ended, and so that no machine can write to the groups of another. Its processes are one
 * level below that group, so that it cannot change its own limits.
 *
 * A host has one unified hierarchy (v2), one per controller (v1), or both (hybrid); the mounts tell which.
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

/** Parses `/proc/self/mounts`. On a hybrid host the v2 tree is one more hierarchy, without controllers. */
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

/** The group below a machine's own that holds its processes: they can neither see nor change groups above it. */
const INNER = "machine";

/**
 * Creates the groups of a machine and sets the limits that the kernel supports; returns the folders of the groups for
 * its processes.
 */
export function makeGroup(name: string, limits: Limits): string[] {
    const { isV1, roots } = hierarchies();
    const inner = path.join(name, INNER);
    // Parents before children.
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

/** In the order of writing: the kernel rejects a limit of memory plus swap below the limit of memory. */
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

/** A group of the v1 controller cpuset accepts no process until its CPUs and memory nodes are set. */
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

/** Enables a v2 group's controllers for its children, one by one, since the kernel may lack some of them. */
function enableControllers(folder: string): void {
    for (const controller of ["cpu", "cpuset", "memory", "pids", "io"])
        tryWrite(path.join(folder, "cgroup.subtree_control"), `+${controller}`);
}

/** Writes a value if the file exists; a limit that the kernel rejects is not set. */
export function tryWrite(file: string, value: string): void {
    if (!fs.existsSync(file)) return;
    try {
        fs.writeFileSync(file, value);
    } catch {
        // docs/local-cloud.md documents which limits hold on which hosts.
    }
}

/** A file's contents; undefined if it does not exist. A machine removes groups of its own at any time. */
export function tryRead(file: string): string | undefined {
    try {
        return fs.readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}

/** The folders of a group and its descendants, parents first. */
export function withDescendants(folder: string): string[] {
    try {
        const inner = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        return [folder, ...inner.flatMap((entry) => withDescendants(path.join(folder, entry.name)))];
    } catch {
        // It does not exist, or was just removed.
        return [];
    }
}

const deepestFirst = (folder: string) => withDescendants(folder).reverse();

function pidsIn(file: string): number[] {
    // 0 stands for a process outside of this pid namespace.
    return (tryRead(file) ?? "")
        .split("\n")
        .map(Number)
        .filter((pid) => pid > 0);
}

/** The processes in a group and its descendants. */
export function processesOf(name: string): number[] {
    const folders = foldersOf(name).flatMap(withDescendants);
    return [...new Set(folders.flatMap((folder) => pidsIn(path.join(folder, "cgroup.procs"))))];
}

/** The `cgroup.procs` files of the groups, in all hierarchies, that hold a process of a machine. */
export function groupFilesOf(name: string, pid: number): string[] {
    return foldersOf(name)
        .map((root) => withDescendants(root).map((folder) => path.join(folder, "cgroup.procs")))
        .flatMap((files) => files.find((file) => pidsIn(file).includes(pid)) ?? []);
}

/** Kills the remaining processes of a machine and removes its groups. */
export async function removeGroup(name: string): Promise<void> {
    const isEmpty = () => {
        const pids = processesOf(name);
        for (const pid of pids) kill(pid, "SIGKILL");
        return pids.length === 0;
    };
    if (!(await until(isEmpty, 10_000, 50)))
        throw new Error(`Processes ${processesOf(name).join(", ")} of ${name} cannot be killed`);
    const isGone = () => {
        for (const folder of foldersOf(name).flatMap(deepestFirst)) {
            try {
                fs.rmdirSync(folder);
            } catch {
                // Its last process has not ended yet.
            }
        }
        return foldersOf(name).every((folder) => !fs.existsSync(folder));
    };
    await until(isGone, 5_000, 50);
}

/** The names of all top-level groups. */
export function topGroups(): string[] {
    return [...new Set(hierarchies().roots.flatMap((root) => fs.readdirSync(root)))];
}

/** Reads the first of these files of a group that exists in any hierarchy, and in either version. */
export function readGroupFile(name: string, ...files: readonly string[]): string | undefined {
    for (const file of foldersOf(name).flatMap((folder) => files.map((one) => path.join(folder, one)))) {
        const text = tryRead(file);
        if (text !== undefined) return text.trim();
    }
    return undefined;
}

/**
 * A machine's memory usage without reclaimable file cache, and its peak usage including file cache; bytes.
 */
export function memoryOf(name: string): { used: number; peak: number } {
    const held = Number(readGroupFile(name, "memory.usage_in_bytes", "memory.current") ?? 0);
    const statistics = readGroupFile(name, "memory.stat") ?? "";
    // Version 1 reports the sum with descendants under another name.
    const idle = (/^total_inactive_file (\d+)/m.exec(statistics) ?? /^inactive_file (\d+)/m.exec(statistics))?.[1];
    return {
        used: Math.max(0, held - Number(idle ?? 0)),
        peak: Number(readGroupFile(name, "memory.max_usage_in_bytes", "memory.peak") ?? 0),
    };
}

/** The processor time of a machine, in seconds. */
export function processorSecondsOf(name: string): number {
    const v1 = readGroupFile(name, "cpuacct.usage");
    if (v1 !== undefined) return Number(v1) / 1e9;
    const v2 = /^usage_usec (\d+)/m.exec(readGroupFile(name, "cpu.stat") ?? "")?.[1];
    return Number(v2 ?? 0) / 1e6;
}
