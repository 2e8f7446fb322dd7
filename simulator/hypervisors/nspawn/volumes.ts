/** Data volumes: sparse files, which machines see as disks through loop devices. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { VolumePlan } from "../hypervisor";
import { run } from "./host";

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

    async disconnect(id: string): Promise<void> {
        for (const device of await this.devicesOf(id)) await run("losetup", ["--detach", device]);
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

    /** Disconnects all volumes of this cloud. */
    async disconnectAll(): Promise<void> {
        const files = fs.existsSync(this.folder) ? fs.readdirSync(this.folder) : [];
        for (const file of files) await this.disconnect(path.basename(file, ".img"));
    }
}
