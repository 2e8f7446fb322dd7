/** Data volumes: sparse files, which machines see as disks through loop devices. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { VolumePlan } from "../hypervisor";
import { run, until } from "./host";

/** A disk of a machine: what it is called there, and which device of the host is behind it. */
export interface Disk {
    /** As /dev/NAME in the machine: vda is the root disk's name, so data disks begin with vdb. */
    readonly name: string;
    readonly major: number;
    readonly minor: number;
}

export function diskName({ deviceId }: Pick<VolumePlan, "deviceId">): string {
    return `vd${String.fromCharCode("a".charCodeAt(0) + deviceId)}`;
}

/** Where a file system on the disk is mounted, by `/proc/PID/mountinfo`: the latest mount first. */
export function mountPoints(mountInfo: string, { major, minor }: Disk): string[] {
    const found = mountInfo.split("\n").map((line) => line.split(" "));
    return found
        .filter(([, , device]) => device === `${major}:${minor}`)
        .map(([, , , , where]) => where.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))))
        .reverse();
}

/** Major and minor in one number, as `stat` gives it. */
const deviceNumber = ({ major, minor }: Disk) => (major << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);

/** Whether a process has something open that is on the disk, or the disk itself. */
export function usesDisk(pid: number, disk: Disk): boolean {
    const number = deviceNumber(disk);
    const isThere = (file: string) => {
        try {
            const { dev, rdev } = fs.statSync(file);
            return dev === number || rdev === number;
        } catch {
            return false;
        }
    };
    const folder = `/proc/${pid}`;
    try {
        const open = fs.readdirSync(`${folder}/fd`).map((name) => `${folder}/fd/${name}`);
        const hex = (value: number) => value.toString(16).padStart(2, "0");
        const mapped = ` ${hex(disk.major)}:${hex(disk.minor)} `;
        return (
            [`${folder}/cwd`, `${folder}/root`, ...open].some(isThere) ||
            fs.readFileSync(`${folder}/maps`, "utf8").includes(mapped)
        );
    } catch {
        // It has ended.
        return false;
    }
}

/** Which file is behind a loop device; nothing where it is free. */
function backingOf(device: string): string | undefined {
    try {
        return fs.readFileSync(`/sys/block/${path.basename(device)}/loop/backing_file`, "utf8").trim();
    } catch {
        return undefined;
    }
}

export class Volumes {
    private readonly folder: string;

    constructor(folder: string) {
        this.folder = folder;
    }

    private fileOf(id: string): string {
        return path.join(this.folder, `${id}.img`);
    }

    /** The devices of a volume's file; more than one only after something went wrong. */
    private async devicesOf(id: string): Promise<string[]> {
        const file = this.fileOf(id);
        if (!fs.existsSync(file)) return [];
        const text = await run("losetup", ["--associated", file, "--output", "NAME", "--noheadings"]);
        return text.split("\n").map((line) => line.trim()).filter(Boolean);
    }

    /** Makes the file where there is none, and grows it where it is smaller. */
    private make({ id, sizeGiB }: VolumePlan): void {
        fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
        const handle = fs.openSync(this.fileOf(id), "a", 0o600);
        try {
            const bytes = sizeGiB * 2 ** 30;
            if (fs.fstatSync(handle).size < bytes) fs.ftruncateSync(handle, bytes);
        } finally {
            fs.closeSync(handle);
        }
    }

    /** Connects a volume to a loop device, or finds the one that it has. */
    async connect(volume: VolumePlan): Promise<Disk> {
        this.make(volume);
        const [found] = await this.devicesOf(volume.id);
        const device = found ?? (await run("losetup", ["--find", "--show", this.fileOf(volume.id)])).trim();
        const { rdev } = fs.statSync(device);
        return { name: diskName(volume), major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
    }

    /** Comes back when nothing uses the file any more. @throws Error where something keeps doing so */
    async disconnect(id: string): Promise<void> {
        for (const device of await this.devicesOf(id)) {
            const file = backingOf(device);
            await run("losetup", ["--detach", device]);
            // The kernel frees it with the last file system on it, a moment after the machine's end.
            if (!(await until(() => file === undefined || backingOf(device) !== file, 10_000, 10)))
                throw new Error(`The volume ${id} is still in use on ${device}`);
        }
    }

    async resize(volume: VolumePlan): Promise<void> {
        if (!fs.existsSync(this.fileOf(volume.id))) return;
        this.make(volume);
        for (const device of await this.devicesOf(volume.id)) await run("losetup", ["--set-capacity", device]);
    }

    async remove(id: string): Promise<void> {
        await this.disconnect(id);
        fs.rmSync(this.fileOf(id), { force: true });
    }
}
