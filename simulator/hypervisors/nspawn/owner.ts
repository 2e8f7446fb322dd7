/**
 * Which processes of the host are a cloud's: they carry in their environment the folder that they work for. It is
 * there from their first moment to their last, and where state folder and names are gone, too.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HOST_ENV } from "./host";

/** The folder of a machine, or of a network. */
const VARIABLE = "CLOUDSTACK_LOCAL_OWNER";

/** Where a state keeps the folders of its machines, disks and networks. */
export const nspawnFolder = (stateDir: string) => path.join(path.resolve(stateDir), "nspawn");

/** The state folder of an owner; undefined where it is none of ours. */
export function stateDirOf(owner: string): string | undefined {
    return /^(\/.*)\/nspawn\/(?:machines|networks)\/[^/]+$/.exec(owner)?.[1];
}

/** The environment of a process that works for a folder. */
export function environmentFor(owner: string): NodeJS.ProcessEnv {
    return { ...HOST_ENV, [VARIABLE]: owner };
}

export interface OwnedProcess {
    readonly pid: number;
    readonly owner: string;
}

/** All processes of clouds, but for those inside of machines: their environments are their own. */
export function ownedProcesses(): OwnedProcess[] {
    const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => {
        const owner = ownerOf(pid);
        return owner === undefined ? [] : [{ pid: Number(pid), owner }];
    });
}

function ownerOf(pid: string): string | undefined {
    try {
        const words = fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
        return words.find((word) => word.startsWith(`${VARIABLE}=`))?.slice(VARIABLE.length + 1);
    } catch {
        // It has ended, or is not ours to look at.
        return undefined;
    }
}
