/** The host: its programs, processes and namespaces. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";

/** PATH with the folders of administration programs, which not every user's PATH has. */
export const HOST_ENV: NodeJS.ProcessEnv = {
    PATH: [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].join(":"),
    LC_ALL: "C",
};

/** A program of the host failed. */
export class HostError extends Error {
    readonly stderr: string;

    constructor(command: string, stderr: string) {
        super(`${command}: ${stderr.trim() || "failed without any output"}`);
        this.stderr = stderr;
    }
}

export interface RunOptions {
    readonly input?: string;
    /** Milliseconds. */
    readonly timeout?: number;
}

/** Runs a program and returns its standard output. @throws HostError with its standard error */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
        const child = execFile(
            command,
            args,
            { env: HOST_ENV, timeout: options.timeout ?? 60_000, maxBuffer: 64 * 2 ** 20 },
            (error, stdout, stderr) => {
                if (error === null) return resolve(stdout);
                const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
                const reason = missing
                    ? "is not installed"
                    : stderr || (error.killed ? "took too long" : error.message);
                reject(new HostError([command, ...args].join(" ").slice(0, 200), reason));
            },
        );
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(options.input ?? "");
    });
}

/** As `run`, for commands that may fail because their result exists already; returns whether it succeeded. */
export async function attempt(command: string, args: readonly string[]): Promise<boolean> {
    try {
        await run(command, args);
        return true;
    } catch (error) {
        if (error instanceof HostError) return false;
        throw error;
    }
}

export const inNamespace = (namespace: string, ...command: string[]): [string, string[]] => [
    "ip",
    ["netns", "exec", namespace, ...command],
];

/** Whether a namespace of this name exists; `ip netns add` leaves a plain file behind if it is interrupted. */
export function hasNamespace(namespace: string): boolean {
    try {
        return fs.statSync(`/run/netns/${namespace}`).dev === fs.statSync("/proc/self/ns/net").dev;
    } catch {
        return false;
    }
}

/** Creates a namespace unless it exists. */
export async function ensureNamespace(namespace: string): Promise<void> {
    if (hasNamespace(namespace)) return;
    await attempt("ip", ["netns", "delete", namespace]);
    await run("ip", ["netns", "add", namespace]);
}

/** A process, identified by pid and start time, since pids are reused. */
export interface ProcessId {
    readonly pid: number;
    /** Clock ticks since the boot. */
    readonly started: string;
    /** The host's boot id: after the next boot, another process may have the same pid and start time. */
    readonly boot: string;
}

const thisBoot = () => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function statOf(pid: number): string[] | undefined {
    try {
        const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        // The command name in parentheses may contain spaces and parentheses; the fields follow its last one.
        return text.slice(text.lastIndexOf(")") + 2).split(" ");
    } catch {
        return undefined;
    }
}

export function identify(pid: number): ProcessId | undefined {
    const stat = statOf(pid);
    return stat === undefined ? undefined : { pid, started: stat[19], boot: thisBoot() };
}

export function isAlive(process: ProcessId | undefined): process is ProcessId {
    if (process === undefined) return false;
    const stat = statOf(process.pid);
    return stat !== undefined && stat[19] === process.started && stat[0] !== "Z" && process.boot === thisBoot();
}

/** The age of a process in seconds. */
export function ageOf(pid: number): number | undefined {
    const stat = statOf(pid);
    if (stat === undefined) return undefined;
    const [uptime] = fs.readFileSync("/proc/uptime", "utf8").split(" ");
    // USER_HZ is 100 on Linux, independent of the kernel's own timer frequency.
    return Math.max(0, Number(uptime) - Number(stat[19]) / 100);
}

export function kill(pid: number, signal: NodeJS.Signals | number): void {
    try {
        process.kill(pid, signal);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** The pids of a process's children. */
export function childrenOf(pid: number): number[] {
    try {
        const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
        return text.split(" ").filter(Boolean).map(Number);
    } catch {
        return [];
    }
}

export function commandOf(pid: number): string {
    try {
        return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    } catch {
        return "";
    }
}

/** Polls until the condition holds; resolves to false at the timeout. */
export async function until(condition: () => boolean, milliseconds: number, every = 25): Promise<boolean> {
    const end = Date.now() + milliseconds;
    while (!condition()) {
        if (Date.now() > end) return false;
        await new Promise((resolve) => setTimeout(resolve, every));
    }
    return true;
}

/** Writes a file atomically: a reader never sees part of it. */
export function writeWhole(file: string, text: string): void {
    const part = `${file}.${process.pid}.part`;
    fs.writeFileSync(part, text, { mode: 0o600 });
    fs.renameSync(part, file);
}

export function readJson<T>(file: string): T | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as T;
    } catch {
        return undefined;
    }
}

/** Quotes a string as one word of a POSIX shell. */
export function shellWord(text: string): string {
    return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
