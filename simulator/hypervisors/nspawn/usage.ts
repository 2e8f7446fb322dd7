/** A machine's resource usage on the host. */
import * as fs from "node:fs";
import * as path from "node:path";
import { memoryOf, processorSecondsOf } from "./cgroups";
import { ageOf, run } from "./host";
import type { Machine } from "./machine";
import { nspawnFolder } from "./owner";

/** Sizes in bytes, times in seconds. Optional values exist only for a running machine. */
export interface Usage {
    /** Without reclaimable file cache. */
    readonly memoryBytes?: number;
    /** The peak since it was started, including file cache. */
    readonly memoryPeakBytes?: number;
    readonly processorSeconds?: number;
    /** Since its last boot. */
    readonly upSeconds?: number;
    /** The size of its overlay over the template. */
    readonly rootDiskBytes: number;
    /** Disk space that its attached volumes take. */
    readonly volumeBytes: number;
}

export async function usageOf(machine: Machine, stateDir: string, volumeIds: readonly string[]): Promise<Usage> {
    const volumes = volumeIds.map((id) => path.join(nspawnFolder(stateDir), "volumes", `${id}.img`));
    return {
        ...(machine.runs ? runningUsage(machine) : {}),
        rootDiskBytes: await allocatedBelow(machine.folder),
        volumeBytes: volumes.reduce((sum, file) => sum + allocated(file), 0),
    };
}

function runningUsage({ group, leader }: Machine): Partial<Usage> {
    const { used, peak } = memoryOf(group);
    const age = leader === undefined ? undefined : ageOf(leader);
    const upSeconds = age === undefined ? undefined : Math.round(age * 100) / 100;
    return { memoryBytes: used, memoryPeakBytes: peak, processorSeconds: processorSecondsOf(group), upSeconds };
}

/** The allocated size, which for sparse files is less than their length. */
function allocated(file: string): number {
    const found = fs.statSync(file, { throwIfNoEntry: false });
    return found === undefined ? 0 : found.blocks * 512;
}

/** Ignores files that are removed while they are counted. */
async function allocatedBelow(folder: string): Promise<number> {
    const script = 'du --summarize --one-file-system --block-size=1 "$1" 2>/dev/null || true';
    const text = await run("sh", ["-c", script, "sh", folder]);
    return Number(/^\d+/.exec(text)?.[0] ?? 0);
}
