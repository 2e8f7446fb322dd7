/** Data volumes: sparse files that are attached to machines through loop devices. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { VolumePlan } from "../hypervisor";
import { run, until } from "./host";

/** A disk of a machine: its name there, and the host's device behind it. */
export interface Disk {
    /** As /dev/NAME in the machine: vda is the root disk's name, so data disks begin with vdb. */
    readonly name: string;
    readonly major: number;
    readonly minor: number;
}

export function diskName({ deviceId }: Pick<VolumePlan, "deviceId">): string {
    return `vd${String.fromCharCode("a".charCodeAt(0) + deviceId)}`;
}

/** The mount points of a disk according to `/proc/PID/mountinfo`, latest mount first. */
export function mountPoints(mountInfo: string, { major, minor }: Disk): string[] {
    const found = mountInfo.split("\n").map((line) => line.split(" "));
    return found
        .filter(([, , device]) => device === `${major}:${minor}`)
        .map(([, , , , where]) => where.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))))
        .reverse();
}

/** Major and minor in one number, as `stat` encodes it. */
const deviceNumber = ({ major, minor }: Disk) => (major << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);

/** Whether a process has the disk or a file on it open. */
export function usesDisk(pid: number, disk: Disk): boolean {
    const number = deviceNumber(disk);
    const isOnDisk = (file: string) => {
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
            [`${folder}/cwd`, `${folder}/root`, ...open].some(isOnDisk) ||
            fs.readFileSync(`${folder}/maps`, "utf8").includes(mapped)
        );
    } catch {
        // It has ended.
        return false;
    }
}

/** The backing file of a loop device; undefined if the device is unused. */
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

    /** The loop devices of a volume's file; more than one only after an error. */
    private async devicesOf(id: string): Promise<string[]> {
        const file = this.fileOf(id);
        if (!fs.existsSync(file)) return [];
        const text = await run("losetup", ["--associated", file, "--output", "NAME", "--noheadings"]);
        return text
            .split("\n")
            .map((line) => line.trim())
            .filter(Boolean);
    }

    /** Creates the file if it does not exist, and grows it to the volume's size. */
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

    /** Sets up a loop device for a volume unless it has one. */
    async connect(volume: VolumePlan): Promise<Disk> {
        this.make(volume);
        const [found] = await this.devicesOf(volume.id);
        const device = found ?? (await run("losetup", ["--find", "--show", this.fileOf(volume.id)])).trim();
        const { rdev } = fs.statSync(device);
        return { name: diskName(volume), major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
    }

    /** Detaches a volume's loop devices. @throws Error if one stays in use */
    async disconnect(id: string): Promise<void> {
        for (const device of await this.devicesOf(id)) {
            const file = backingOf(device);
            await run("losetup", ["--detach", device]);
            // The kernel releases it with the last mount on it, shortly after the machine's end.
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
