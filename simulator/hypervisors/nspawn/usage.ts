/** What a machine uses of the host. */
import * as fs from "node:fs";
import * as path from "node:path";
import { memoryOf, processorSecondsOf } from "./cgroups";
import { ageOf, run } from "./host";
import type { Machine } from "./machine";
import { nspawnFolder } from "./owner";

/** Sizes in bytes, times in seconds. What only a machine that runs uses is absent where it does not. */
export interface Usage {
    /** Without file cache that the kernel could have back at once. */
    readonly memoryBytes?: number;
    /** The most that it has held since it was switched on, file cache included. */
    readonly memoryPeakBytes?: number;
    readonly processorSeconds?: number;
    /** Since its last boot. */
    readonly upSeconds?: number;
    /** What it has written over its template. */
    readonly rootDiskBytes: number;
    /** What its attached volumes take. */
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

/** Sparse files take less than they are long. */
function allocated(file: string): number {
    const found = fs.statSync(file, { throwIfNoEntry: false });
    return found === undefined ? 0 : found.blocks * 512;
}

/** Files that go while they are counted do no harm. */
async function allocatedBelow(folder: string): Promise<number> {
    const script = 'du --summarize --one-file-system --block-size=1 "$1" 2>/dev/null || true';
    const text = await run("sh", ["-c", script, "sh", folder]);
    return Number(/^\d+/.exec(text)?.[0] ?? 0);
}
