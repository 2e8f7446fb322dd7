/**
 * The resources that clouds hold on this host, found by names and environments, so that leftovers of a crash are found
 * too.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { foldersOf, processesOf, topGroups } from "./cgroups";
import { isAlive } from "./host";
import { Machine } from "./machine";
import { prefixIn, prefixOf } from "./names";
import { nspawnFolder, ownedProcesses, stateDirOf } from "./owner";
import { registeredPrefixes, registrationOf } from "./register";

/** The resources of one cloud on the host, except its files. */
export interface HostResources {
    readonly prefix: string;
    /** Undefined if it is unknown. */
    readonly stateDir?: string;
    /** The pid of the process that serves the cloud; undefined if there is none. */
    readonly server?: number;
    /** The pids of machines and routers. */
    readonly processes: readonly number[];
    /** Network namespaces. */
    readonly namespaces: readonly string[];
    /** Links in the host's network namespace. */
    readonly links: readonly string[];
    /** Folders of control groups. */
    readonly groups: readonly string[];
    readonly loopDevices: readonly string[];
    readonly mounts: readonly string[];
    readonly isRegistered: boolean;
}

const namesIn = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

/** The processes of clouds, by state folder. */
function processesByState(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    for (const { pid, owner } of ownedProcesses()) {
        const stateDir = stateDirOf(owner);
        if (stateDir !== undefined) found.set(stateDir, [...(found.get(stateDir) ?? []), pid]);
    }
    return found;
}

/** The resources of all clouds. */
export function allHostResources(): HostResources[] {
    const names = [...namesIn("/run/netns"), ...namesIn("/sys/class/net"), ...topGroups(), ...registeredPrefixes()];
    const ofProcesses = [...processesByState().keys()].map(prefixOf);
    const prefixes = new Set([...names.flatMap((name) => prefixIn(name) ?? []), ...ofProcesses]);
    return [...prefixes].sort().map((prefix) => hostResourcesOf(prefix));
}

/** @param stateDir default: the one of its registration or processes */
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

/** A folder's path as given and resolved, since the kernel reports resolved paths. */
function namesOf(folder: string): string[] {
    try {
        return [folder, fs.realpathSync(folder)];
    } catch {
        // It was deleted; files in it may still be in use.
        return [folder];
    }
}

/** Loop devices with backing files in a folder, including deleted files. */
export function loopDevicesBelow(folder: string): string[] {
    return namesIn("/sys/block")
        .filter(hasBackingFileBelow(folder))
        .map((name) => `/dev/${name}`);
}

const hasBackingFileBelow =
    (folder: string) =>
    (name: string): boolean => {
        try {
            const file = fs.readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8");
            return namesOf(folder).some((one) => file.startsWith(`${one}/`));
        } catch {
            // Not a loop device, or an unused one.
            return false;
        }
    };

function mountsBelow(folder: string): string[] {
    const mounts = fs
        .readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "");
    return mounts.filter((where) => namesOf(folder).some((one) => where.startsWith(`${one}/`)));
}

/** Whether a cloud holds no resources on this host. */
export function isEmpty(found: HostResources): boolean {
    const { processes, namespaces, links, groups, loopDevices, mounts, isRegistered } = found;
    const lists = [processes, namespaces, links, groups, loopDevices, mounts];
    return lists.every((list) => list.length === 0) && !isRegistered;
}

/** All machines of a state, running or not. */
export function machinesOf(stateDir: string): Machine[] {
    const folder = path.join(nspawnFolder(stateDir), "machines");
    return namesIn(folder).map((name) => new Machine(prefixOf(stateDir), folder, name));
}

/** The running machines of a state. */
export const runningMachines = (stateDir: string) => machinesOf(stateDir).filter((machine) => machine.runs);
