import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** A process of this computer. */
export interface Process {
    pid: number;
    parent: number;
    /** The command line, joined with spaces. */
    command: string;
}

/** All visible processes: from /proc if it exists, otherwise from `ps`. */
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
        // The program's name is in parentheses and may contain anything; the parent is the second field after it.
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /s, "")
            .split(" ");
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
        return state === "Z" ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
    } catch {
        return []; // has ended meanwhile
    }
}

/** The descendants of a process, children before grandchildren. */
export function descendants(pid: number, all: Process[] = processes()): Process[] {
    return all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...descendants(child.pid, all)]);
}

/** Whether a process is running; zombies are not. */
export function isRunning(pid: number): boolean {
    return processes().some((process) => process.pid === pid);
}

/** Kills a process with SIGKILL. A process that has ended already is no error. */
export function kill9(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
            throw error;
        }
    }
}
