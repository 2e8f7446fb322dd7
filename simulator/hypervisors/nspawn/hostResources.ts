/** What clouds have on this host: found by names and marks alone, so that what a crashed one has left is found, too. */
import * as fs from "node:fs";
import * as path from "node:path";
import { foldersOf, processesOf, topGroups } from "./cgroups";
import { isAlive } from "./host";
import { Machine } from "./machine";
import { prefixIn, prefixOf } from "./names";
import { nspawnFolder, ownedProcesses, stateDirOf } from "./owner";
import { registeredPrefixes, registrationOf } from "./register";

/** What one cloud has on the host, but for its files. */
export interface HostResources {
    readonly prefix: string;
    /** Undefined where nobody knows any more. */
    readonly stateDir?: string;
    /** The process that serves it; undefined where there is none. */
    readonly server?: number;
    /** Of machines and routers. */
    readonly processes: readonly number[];
    /** Of networks. */
    readonly namespaces: readonly string[];
    /** Of the host's network. */
    readonly links: readonly string[];
    /** Folders of control groups. */
    readonly groups: readonly string[];
    readonly loopDevices: readonly string[];
    readonly mounts: readonly string[];
    readonly isRegistered: boolean;
}

const namesIn = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

/** The state folders of all processes of clouds, with the processes. */
function processesByState(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    for (const { pid, owner } of ownedProcesses()) {
        const stateDir = stateDirOf(owner);
        if (stateDir !== undefined) found.set(stateDir, [...(found.get(stateDir) ?? []), pid]);
    }
    return found;
}

/** All clouds that have anything here. */
export function allHostResources(): HostResources[] {
    const names = [...namesIn("/run/netns"), ...namesIn("/sys/class/net"), ...topGroups(), ...registeredPrefixes()];
    const ofProcesses = [...processesByState().keys()].map(prefixOf);
    const prefixes = new Set([...names.flatMap((name) => prefixIn(name) ?? []), ...ofProcesses]);
    return [...prefixes].sort().map((prefix) => hostResourcesOf(prefix));
}

/** @param stateDir where it is known; else it is looked for */
export function hostResourcesOf(prefix: string, stateDir?: string): HostResources {
    const owned = [...processesByState()].filter(([state]) => prefixOf(state) === prefix);
    const registration = registrationOf(prefix);
    const state = stateDir ?? registration?.stateDir ?? owned[0]?.[0];
    return {
        prefix,
        ...(state === undefined ? {} : { stateDir: state }),
        ...(isAlive(registration) ? { server: registration.pid } : {}),
        processes: [...new Set([...owned.flatMap(([, pids]) => pids), ...processesOf(prefix)])],
        namespaces: namesIn("/run/netns").filter((name) => prefixIn(name) === prefix),
        links: namesIn("/sys/class/net").filter((name) => name === prefix),
        groups: foldersOf(prefix).filter((folder) => fs.existsSync(folder)),
        loopDevices: state === undefined ? [] : loopDevicesBelow(nspawnFolder(state)),
        mounts: state === undefined ? [] : mountsBelow(nspawnFolder(state)),
        isRegistered: registration !== undefined,
    };
}

/** A folder by all of its names: the kernel knows files by their real one. */
function namesOf(folder: string): string[] {
    try {
        return [folder, fs.realpathSync(folder)];
    } catch {
        // It is gone; what was in it may be in use all the same.
        return [folder];
    }
}

/** Loop devices on files of a folder, deleted ones included. */
export function loopDevicesBelow(folder: string): string[] {
    return namesIn("/sys/block").filter(hasBackingFileBelow(folder)).map((name) => `/dev/${name}`);
}

const hasBackingFileBelow = (folder: string) => (name: string): boolean => {
    try {
        const file = fs.readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8");
        return namesOf(folder).some((one) => file.startsWith(`${one}/`));
    } catch {
        // No loop device, or a free one.
        return false;
    }
};

function mountsBelow(folder: string): string[] {
    const mounts = fs.readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "");
    return mounts.filter((where) => namesOf(folder).some((one) => where.startsWith(`${one}/`)));
}

/** Whether nothing of a cloud is here. */
export function isEmpty(found: HostResources): boolean {
    const { processes, namespaces, links, groups, loopDevices, mounts, isRegistered } = found;
    const lists = [processes, namespaces, links, groups, loopDevices, mounts];
    return lists.every((list) => list.length === 0) && !isRegistered;
}

/** All machines that a state has, whether they run or not. */
export function machinesOf(stateDir: string): Machine[] {
    const folder = path.join(nspawnFolder(stateDir), "machines");
    return namesIn(folder).map((name) => new Machine(prefixOf(stateDir), folder, name));
}

/** The machines of a state that run, whoever started them. */
export const runningMachines = (stateDir: string) => machinesOf(stateDir).filter((machine) => machine.runs);
