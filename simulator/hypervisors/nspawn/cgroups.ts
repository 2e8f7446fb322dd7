/**
 * The control groups of machines: one group per machine in every hierarchy, so that a machine's processes are found
 * whatever became of their parents, and so that no machine writes into the groups of another.
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

/** Makes the groups of a machine and sets its limits as far as the kernel lets us; answers their folders. */
export function makeGroup(name: string, limits: Limits): string[] {
    const { isV1, roots } = hierarchies();
    const parent = path.dirname(name);
    for (const root of roots) {
        fs.mkdirSync(path.join(root, name), { recursive: true });
        if (isV1) shareCpus(root, parent, name);
        else for (const folder of [root, path.join(root, parent)]) delegate(folder);
    }
    const values: Record<string, string> = isV1
        ? {
              "memory.limit_in_bytes": String(limits.memoryMiB * 2 ** 20),
              "cpu.cfs_quota_us": String(limits.cpuNumber * 100_000),
          }
        : {
              "memory.max": String(limits.memoryMiB * 2 ** 20),
              "cpu.max": `${limits.cpuNumber * 100_000} 100000`,
          };
    const folders = foldersOf(name, { isV1, roots });
    for (const [file, value] of Object.entries(values))
        for (const folder of folders) write(path.join(folder, file), value);
    return folders;
}

/** A group of the v1 controller cpuset takes no process before it has processors and memory. */
function shareCpus(root: string, parent: string, name: string): void {
    if (!fs.existsSync(path.join(root, "cpuset.cpus"))) return;
    for (const folder of [parent, name]) {
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
            const above = fs.readFileSync(path.join(root, path.dirname(folder), file), "utf8").trim();
            write(path.join(root, folder, file), above);
        }
        write(path.join(root, folder, "cgroup.clone_children"), "1");
    }
}

/** Lets the groups below a v2 group have its controllers, one by one: a kernel may lack some. */
function delegate(folder: string): void {
    for (const controller of ["cpu", "cpuset", "memory", "pids", "io"])
        write(path.join(folder, "cgroup.subtree_control"), `+${controller}`);
}

/** Writes where the file is there and the kernel takes it: a limit that cannot be set is none. */
function write(file: string, value: string): void {
    if (!fs.existsSync(file)) return;
    try {
        fs.writeFileSync(file, value);
    } catch {
        // Said in the documentation: limits hold where the kernel lets them be set.
    }
}

/** All groups below a folder, the deepest first. */
function below(folder: string): string[] {
    if (!fs.existsSync(folder)) return [];
    const inner = fs
        .readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap((entry) => below(path.join(folder, entry.name)));
    return [...inner, folder];
}

/** The processes in a group and all below it. */
export function processesOf(name: string): number[] {
    const pids = new Set<number>();
    for (const folder of foldersOf(name).flatMap(below)) {
        try {
            const text = fs.readFileSync(path.join(folder, "cgroup.procs"), "utf8");
            for (const line of text.split("\n").filter(Boolean)) pids.add(Number(line));
        } catch {
            // The group went meanwhile.
        }
    }
    return [...pids].filter((pid) => pid > 0);
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
        for (const folder of foldersOf(name).flatMap(below)) {
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

/** The names of groups at the top of the hierarchies that a pattern matches. */
export function topGroups(pattern: RegExp): string[] {
    const names = hierarchies().roots.flatMap((root) => fs.readdirSync(root).filter((name) => pattern.test(name)));
    return [...new Set(names)];
}
