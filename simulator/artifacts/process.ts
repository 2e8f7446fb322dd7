/** Runs programs of this computer. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";

/** How many lines of a failed program's output its error message contains. */
const TAIL_LINES = 5;

export interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Ends the program, and the programs that it has started. */
    readonly signal?: AbortSignal;
    /** Called with each line of standard error. */
    readonly onLine?: (line: string) => void;
}

/** Returns the program's standard output. @throws Error with the end of its standard error */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { cwd, env = process.env, signal, onLine } = options;
    return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        // A process group of its own, so that the compilers that Go has started end with it.
        const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
        // A program that is just being started would miss a signal that can be blocked. Nothing has to be cleaned up: what
        // is unfinished is in the caller's working folder.
        const interrupt = () => {
            try {
                if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
            } catch {
                // It has ended meanwhile.
            }
        };
        signal?.addEventListener("abort", interrupt, { once: true });
        let output = "";
        const tail: string[] = [];
        child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
        readline.createInterface({ input: child.stderr }).on("line", (line) => {
            tail.push(line);
            tail.splice(0, tail.length - TAIL_LINES);
            onLine?.(line);
        });
        child.once("error", reject);
        child.once("close", (code, killedBy) => {
            signal?.removeEventListener("abort", interrupt);
            if (signal?.aborted) return reject(signal.reason as Error);
            if (code === 0) return resolve(output);
            const end = `${path.basename(command)} ${args[0]} ended with ${killedBy ?? code}`;
            reject(new Error([end, ...tail].join("\n")));
        });
    });
}

/** Lets a number of jobs run at a time; the others start in the order in which they came. */
export class Gate {
    private free: number;
    private readonly waiting: (() => void)[] = [];

    constructor(width: number) {
        this.free = width;
    }

    async pass<T>(job: () => Promise<T>): Promise<T> {
        if (this.free > 0) this.free--;
        else await new Promise<void>((start) => this.waiting.push(start));
        try {
            return await job();
        } finally {
            const next = this.waiting.shift();
            if (next === undefined) this.free++;
            else next();
        }
    }
}
