/**
 * Which of the host's devices a machine may open. All but its own disks are kept from it where the kernel has the v1
 * controller `devices`; version 2 does this only by programs that are loaded into the kernel, which we do not.
 *
 * What is forbidden is listed, not what is allowed: runc gives every device to a privileged container of the machine,
 * and below a group that lists what is allowed the kernel refuses that, and the container fails. A list of what is
 * forbidden holds for it, too. Making a node is allowed, since runc makes them; opening it is not.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { withDescendants, foldersOf, tryWrite } from "./cgroups";
import type { Disk } from "./volumes";

const LOOP_MAJOR = 7;
/** Loop devices up to this one are forbidden before there are any. */
const LAST_LOOP_MINOR = 63;

/** Character devices without danger: mem (see below), tty and console and ptmx, misc (see below), pts. */
const ALLOWED_MAJORS = new Set([1, 5, 10, ...Array.from({ length: 8 }, (_, index) => 136 + index)]);
/** mem, kmem, port, kmsg: the memory of the host, and its log. */
const MEMORY_MINORS = [1, 2, 4, 11];
/** What pods may need. */
const ALLOWED_MISC = new Set(["fuse", "tun", "autofs", "userfaultfd", "cpu_dma_latency"]);

/** What the kernel says of its devices: `/proc/devices`, `/proc/misc`, and the numbers of loop devices. */
export interface HostDevices {
    readonly devices: string;
    readonly misc: string;
    readonly loops: readonly number[];
}

/** The rules that keep all but these disks from a group, as `devices.deny` takes them. */
export function denyRules({ devices, misc, loops }: HostDevices, own: readonly Disk[]): string[] {
    const [characters, blocks = ""] = devices.split(/^Block devices:$/m);
    const majorsOf = (text: string) => {
        const majors = [...text.matchAll(/^ *(\d+) /gm)].map(([, major]) => Number(major));
        return [...new Set(majors)];
    };
    const miscMinors = [...misc.matchAll(/^ *(\d+) (\S+)$/gm)].filter(([, , name]) => !ALLOWED_MISC.has(name));
    const minors = new Set([...Array.from({ length: LAST_LOOP_MINOR + 1 }, (_, minor) => minor), ...loops]);
    for (const { major, minor } of own) if (major === LOOP_MAJOR) minors.delete(minor);
    return [
        ...majorsOf(blocks).flatMap((major) => (major === LOOP_MAJOR ? [] : [`b ${major}:* rw`])),
        ...[...minors].map((minor) => `b ${LOOP_MAJOR}:${minor} rw`),
        ...majorsOf(characters).flatMap((major) => (ALLOWED_MAJORS.has(major) ? [] : [`c ${major}:* rw`])),
        ...MEMORY_MINORS.map((minor) => `c 1:${minor} rw`),
        ...miscMinors.map(([, minor]) => `c 10:${minor} rw`),
    ];
}

function hostDevices(): HostDevices {
    const loops = fs.readdirSync("/sys/block").flatMap((name) => /^loop(\d+)$/.exec(name)?.[1] ?? []);
    return {
        devices: fs.readFileSync("/proc/devices", "utf8"),
        misc: fs.readFileSync("/proc/misc", "utf8"),
        loops: loops.map(Number),
    };
}

/** The folder of a group in the hierarchy of the controller; nothing where there is none. */
function devicesFolders(group: string): string[] {
    return foldersOf(group).filter((folder) => fs.existsSync(path.join(folder, "devices.deny")));
}

/** @param group in which nothing runs yet */
export function restrict(group: string, own: readonly Disk[]): void {
    for (const folder of devicesFolders(group))
        for (const rule of denyRules(hostDevices(), own)) tryWrite(path.join(folder, "devices.deny"), rule);
}

/** Lets a group have one more disk, and the groups below it, but for those that the machine itself restricts. */
export function allow(group: string, disk: Disk): void {
    for (const folder of devicesFolders(group).flatMap(withDescendants)) {
        if (fs.readFileSync(path.join(folder, "devices.list"), "utf8").trim() === "a *:* rwm")
            tryWrite(path.join(folder, "devices.allow"), `b ${disk.major}:${disk.minor} rw`);
    }
}

/** Takes a disk from a group and all below it. */
export function deny(group: string, disk: Disk): void {
    for (const folder of devicesFolders(group)) tryWrite(path.join(folder, "devices.deny"), `b ${disk.major}:${disk.minor} rw`);
}
