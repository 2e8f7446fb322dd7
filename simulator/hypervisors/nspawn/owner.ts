/**
 * Attributes processes of the host to clouds by an environment variable that names their folder. The variable is there
 * during the whole life of a process, even if its state folder was deleted.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HOST_ENV } from "./host";

/** Its value is the folder of a machine or network. */
const VARIABLE = "CLOUDSTACK_LOCAL_OWNER";

/** The folder of a state's machines, volumes and networks. */
export const nspawnFolder = (stateDir: string) => path.join(path.resolve(stateDir), "nspawn");

/** The state folder of an owner; undefined if it is not a folder of a cloud. */
export function stateDirOf(owner: string): string | undefined {
    return /^(\/.*)\/nspawn\/(?:machines|networks)\/[^/]+$/.exec(owner)?.[1];
}

/** The environment of a process of a machine or network. */
export function environmentFor(owner: string): NodeJS.ProcessEnv {
    return { ...HOST_ENV, [VARIABLE]: owner };
}

export interface OwnedProcess {
    readonly pid: number;
    readonly owner: string;
}

/** All processes of clouds, except those inside machines, whose environment lacks the variable. */
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
        // It has ended, or its environment may not be read.
        return undefined;
    }
}
