import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** One process of this machine. */
export interface Process {
    pid: number;
    parent: number;
    /** The command line, blanks between its words. */
    command: string;
}

/** All processes of this machine that can be seen: from /proc where there is one, else from `ps`. */
export function processes(): Process[] {
    try {
        return readdirSync("/proc")
            .filter((name) => /^\d+$/.test(name))
            .flatMap(fromProc);
    } catch {
        return execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
            .split("\n")
            .flatMap((line) => {
                const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
                return pid ? [{ pid: Number(pid), parent: Number(parent), command }] : [];
            });
    }
}

function fromProc(pid: string): Process[] {
    try {
        // The name of the program stands in parentheses and may hold anything; the parent is the second field behind.
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /s, "")
            .split(" ");
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
        return state === "Z" ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
    } catch {
        return []; // it has ended meanwhile
    }
}

/** The processes below one, children before grandchildren, itself not included. */
export function descendants(pid: number, all: Process[] = processes()): Process[] {
    return all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...descendants(child.pid, all)]);
}

/** Whether a process runs (one that has ended and was not yet waited for does not). */
export function isRunning(pid: number): boolean {
    return processes().some((process) => process.pid === pid);
}

/** Kills a process at once. Fine when it is gone already. */
export function kill9(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
            throw error;
        }
    }
}
