/**
 * The command `cloudstack-local` as users run it: compiled to a folder of its own, each cloud with a separate state
 * folder.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import ts from "typescript";

const SOURCE = path.resolve(__dirname, "../../../simulator");

function copy(from: string, to: string): void {
    fs.mkdirSync(to, { recursive: true });
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
        const source = path.join(from, entry.name);
        if (entry.isDirectory()) copy(source, path.join(to, entry.name));
        else if (entry.name.endsWith(".json")) fs.copyFileSync(source, path.join(to, entry.name));
        else {
            const { outputText } = ts.transpileModule(fs.readFileSync(source, "utf8"), {
                compilerOptions: {
                    module: ts.ModuleKind.CommonJS,
                    target: ts.ScriptTarget.ES2022,
                    esModuleInterop: true,
                    resolveJsonModule: true,
                },
            });
            fs.writeFileSync(path.join(to, entry.name.replace(/\.ts$/, ".js")), outputText);
        }
    }
}

export interface Result {
    readonly status: number | null;
    readonly out: string;
    readonly err: string;
}

/** A compiled copy of the command, and an empty state folder. */
export class CommandLine {
    readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-test-"));
    readonly state = path.join(this.folder, "state");
    /** The program. */
    readonly main = path.join(this.folder, "simulator", "main.js");

    constructor() {
        copy(SOURCE, path.join(this.folder, "simulator"));
        fs.copyFileSync(path.join(SOURCE, "../releases.json"), path.join(this.folder, "releases.json"));
    }

    private more: NodeJS.ProcessEnv = {};

    private get env(): NodeJS.ProcessEnv {
        return { ...process.env, CLOUDSTACK_LOCAL_STATE: this.state, ...this.more };
    }

    /** The same command with additional environment variables. */
    with(more: NodeJS.ProcessEnv): CommandLine {
        const other: CommandLine = Object.create(this);
        other.more = more;
        return other;
    }

    run(...args: string[]): Result {
        return this.runWith("", ...args);
    }

    /** With an input. A started cloud does not boot machines unless the test sets otherwise. */
    runWith(input: string, ...args: string[]): Result {
        const plain = args[0] === "start" && !args.includes("--hypervisor") ? ["--hypervisor", "none"] : [];
        const { status, stdout, stderr } = spawnSync(process.execPath, [this.main, ...args, ...plain], {
            env: this.env,
            encoding: "utf8",
            input,
        });
        return { status, out: stdout, err: stderr };
    }

    /** The output of a command that must succeed. */
    ok(...args: string[]): string {
        const { status, out, err } = this.run(...args);
        if (status !== 0) throw new Error(`cloudstack-local ${args.join(" ")}: ${status} ${out}${err}`);
        return out;
    }

    spawn(...args: string[]): ChildProcess {
        return spawn(process.execPath, [this.main, ...args], { env: this.env, stdio: "ignore" });
    }

    /** A command that keeps running, and its output so far. */
    capture(...args: string[]): { child: ChildProcess; output: () => string } {
        const stdio = ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"];
        const child = spawn(process.execPath, [this.main, ...args], { env: this.env, stdio });
        let text = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
        return { child, output: () => text };
    }

    file(name: string): any {
        return JSON.parse(fs.readFileSync(path.join(this.state, name), "utf8"));
    }

    /** The variables that `env` exports. */
    environment(...args: string[]): Record<string, string> {
        const lines = this.ok("env", ...args)
            .trim()
            .split("\n");
        return Object.fromEntries(lines.map((line) => /^export (\w+)=(.*)$/.exec(line)!.slice(1) as [string, string]));
    }

    remove(): void {
        this.run("stop");
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
