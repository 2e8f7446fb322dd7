/**
 * Which of the host's devices a machine may open. If the kernel has the v1 controller `devices`, all disks but the
 * machine's own are denied; version 2 would need a BPF program for this, which is not implemented.
 *
 * The rules are a deny list: runc allows all devices to a privileged container of the machine, which the kernel rejects
 * below a group with an allow list, so that the container fails. A deny list is inherited instead. Creating a device
 * node stays allowed, since runc does so; opening it is denied.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { withDescendants, foldersOf, tryRead, tryWrite } from "./cgroups";
import type { Disk } from "./volumes";

const LOOP_MAJOR = 7;
/** Loop devices up to this one are denied even before they exist. */
const LAST_LOOP_MINOR = 63;

/** Majors of harmless character devices: mem (restricted below), tty, misc (restricted below), pts. */
const ALLOWED_MAJORS = new Set([1, 5, 10, ...Array.from({ length: 8 }, (_, index) => 136 + index)]);
/** Minors of mem, kmem, port and kmsg: the host's memory, I/O ports and log. */
const MEMORY_MINORS = [1, 2, 4, 11];
/** Devices of major misc that pods may need. */
const ALLOWED_MISC = new Set(["fuse", "tun", "autofs", "userfaultfd", "cpu_dma_latency"]);

/** The host's devices: the contents of `/proc/devices` and `/proc/misc`, and the numbers of its loop devices. */
export interface HostDevices {
    readonly devices: string;
    readonly misc: string;
    readonly loops: readonly number[];
}

/** The rules for `devices.deny` that deny a group all disks but these. */
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

/** The folder of a group in the hierarchy of the controller; empty if the host has none. */
function devicesFolders(group: string): string[] {
    return foldersOf(group).filter((folder) => fs.existsSync(path.join(folder, "devices.deny")));
}

/** @param group a group without processes */
export function restrict(group: string, own: readonly Disk[]): void {
    for (const folder of devicesFolders(group))
        for (const rule of denyRules(hostDevices(), own)) tryWrite(path.join(folder, "devices.deny"), rule);
}

/** Allows one more disk to a group and its descendants, except those that the machine itself has restricted. */
export function allow(group: string, disk: Disk): void {
    for (const folder of devicesFolders(group).flatMap(withDescendants)) {
        if (tryRead(path.join(folder, "devices.list"))?.trim() === "a *:* rwm")
            tryWrite(path.join(folder, "devices.allow"), `b ${disk.major}:${disk.minor} rw`);
    }
}

/** Denies a disk to a group and its descendants. */
export function deny(group: string, disk: Disk): void {
    for (const folder of devicesFolders(group))
        tryWrite(path.join(folder, "devices.deny"), `b ${disk.major}:${disk.minor} rw`);
}
