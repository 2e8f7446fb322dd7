/** The host: its programs, processes and namespaces. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";

/** Where administration programs lie that are not on every PATH. */
export const HOST_ENV: NodeJS.ProcessEnv = {
    PATH: [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].join(":"),
    LC_ALL: "C",
};

/** A program of the host failed. */
export class HostError extends Error {
    readonly stderr: string;

    constructor(command: string, stderr: string) {
        super(`${command}: ${stderr.trim() || "failed without a word"}`);
        this.stderr = stderr;
    }
}

export interface RunOptions {
    readonly input?: string;
    /** Milliseconds. */
    readonly timeout?: number;
}

/** Runs a program and gives back what it prints. @throws HostError with what it complained of */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
        const child = execFile(
            command,
            args,
            { env: HOST_ENV, timeout: options.timeout ?? 60_000, maxBuffer: 64 * 2 ** 20 },
            (error, stdout, stderr) => {
                if (error === null) return resolve(stdout);
                const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
                const reason = missing ? "is not installed" : stderr || (error.killed ? "took too long" : error.message);
                reject(new HostError([command, ...args].join(" ").slice(0, 200), reason));
            },
        );
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(options.input ?? "");
    });
}

/** As `run`, for what may fail because it is done already. */
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

/** Whether there is a namespace of this name; a file that an interrupted command has left is none. */
export function hasNamespace(namespace: string): boolean {
    try {
        return fs.statSync(`/run/netns/${namespace}`).dev === fs.statSync("/proc/self/ns/net").dev;
    } catch {
        return false;
    }
}

/** Makes a namespace, or finds it. */
export async function ensureNamespace(namespace: string): Promise<void> {
    if (hasNamespace(namespace)) return;
    await attempt("ip", ["netns", "delete", namespace]);
    await run("ip", ["netns", "add", namespace]);
}

/** A process, told apart from a later one with its number by when it started. */
export interface ProcessId {
    readonly pid: number;
    /** Clock ticks since the boot. */
    readonly started: string;
    /** Which boot of the host: what starts by itself has the same number at the same moment of the next one. */
    readonly boot: string;
}

const thisBoot = () => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function statOf(pid: number): string[] | undefined {
    try {
        const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        // The name in parentheses may hold anything; what is counted begins behind it.
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

/** For how many seconds a process has been there. */
export function ageOf(pid: number): number | undefined {
    const stat = statOf(pid);
    if (stat === undefined) return undefined;
    const [uptime] = fs.readFileSync("/proc/uptime", "utf8").split(" ");
    // Linux tells programs of a hundred ticks a second, whatever its own clock does.
    return Math.max(0, Number(uptime) - Number(stat[19]) / 100);
}

export function kill(pid: number, signal: NodeJS.Signals | number): void {
    try {
        process.kill(pid, signal);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** The children of a process, by number. */
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

/** Asks again until it is so; false when the time is up. */
export async function until(isSo: () => boolean, milliseconds: number, every = 25): Promise<boolean> {
    const end = Date.now() + milliseconds;
    while (!isSo()) {
        if (Date.now() > end) return false;
        await new Promise((resolve) => setTimeout(resolve, every));
    }
    return true;
}

/** Whole or not at all: a reader never sees half a file. */
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
