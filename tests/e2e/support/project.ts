import { ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { testEnvironment } from "./engine";
import { EngineEvent, messagesOf, readEvents, Step, stepsOf } from "./events";
import { descendants, isRunning, kill9, Process, processes } from "./processes";

const checkout = resolve(__dirname, "..", "..", "..");

export interface ProjectOptions {
    /** Name of the Pulumi project. Default `test`. */
    name?: string;
    /** Name of the first stack. Default `dev`. */
    stack?: string;
    /** Text of the program: TypeScript with erasable syntax in `index.ts`, unless `language` says otherwise. */
    program: string;
    /** Default `ts`. */
    language?: "ts" | "js";
    /**
     * The stack's configuration; keys without a colon get the project's namespace. Values are stored as YAML scalars.
     */
    config?: Record<string, string>;
    /** Environment variables of the engine and its child processes, such as the endpoint and keys of a cloud. */
    environment?: Record<string, string>;
    /** More files in the project's folder: path and content. */
    files?: Record<string, string>;
}

export interface CommandOptions {
    /** More command-line arguments. */
    args?: string[];
    /** Environment variables in addition to the project's. */
    environment?: Record<string, string>;
    /** The stack. Default: the project's first. */
    stack?: string;
    /** Default false: a command that fails throws an error with all its output. */
    mayFail?: boolean;
}

/** The result of a command of the engine. */
export interface Result {
    /** Exit code; null if a signal ended it. */
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
    events: EngineEvent[];
    /** The operations on resources, without the stack itself and providers. */
    steps: Step[];
    /** Number of resources by operation, as in the engine's summary: `{ create: 2, same: 1 }`. */
    changes: Record<string, number>;
    /** Messages of severity error, one per diagnostic. */
    errors: string[];
    warnings: string[];
    /** Other messages, from the program and the plugin. */
    infos: string[];
}

/** A running command of the engine. */
export interface Running {
    pid: number;
    /** Resolves when the command has ended; it never rejects because of an exit code. */
    finished: Promise<Result>;
    /** The Node.js process in which handlers run; undefined while there is none. */
    plugin(): Process | undefined;
    /** Kills the engine, the plugin's process, or all processes of the command, with SIGKILL. */
    kill9(what: "cli" | "plugin" | "all"): void;
}

/**
 * A Pulumi project in a temporary folder, with its own backend, whose program imports this package by its name.
 *
 *     const project = new Project({ program: "…", environment: cloud.env });
 *     const { steps } = await project.up();
 *     await project.expectNoChanges();
 *     await project.destroy();
 *     project.dispose();
 */
export class Project {
    readonly folder: string;
    readonly stack: string;
    readonly name: string;
    private readonly options: ProjectOptions;
    private readonly backend: string;
    private readonly ready: Promise<void>;
    private readonly children = new Set<ChildProcess>();
    private readonly leftovers = new Set<number>();
    private logs = 0;

    constructor(options: ProjectOptions) {
        this.options = options;
        this.name = options.name ?? "test";
        this.stack = options.stack ?? "dev";
        const parent = mkdtempSync(join(tmpdir(), "pulumi-cloudstack-test-"));
        this.folder = join(parent, "project");
        this.backend = join(parent, "backend");
        mkdirSync(join(this.folder, "node_modules", "@pulumi"), { recursive: true });
        mkdirSync(this.backend);
        // As npm would install them: this package, and the SDK that it shares with the program.
        symlinkSync(checkout, join(this.folder, "node_modules", "pulumi-cloudstack"));
        symlinkSync(join(checkout, "node_modules/@pulumi/pulumi"), join(this.folder, "node_modules/@pulumi/pulumi"));
        this.write("package.json", JSON.stringify({ name: this.name, private: true }));
        this.write("Pulumi.yaml", this.description());
        for (const [file, text] of Object.entries(options.files ?? {})) {
            this.write(file, text);
        }
        this.program(options.program);
        this.ready = this.addStack(this.stack, options.config);
        this.ready.catch(() => {}); // reported by the first command that awaits it
    }

    private description(): string {
        return [
            `name: ${this.name}`,
            `main: ${this.entry()}`,
            "runtime:",
            "  name: nodejs",
            // Node.js strips the types itself; --disable-warning suppresses its warning about that.
            "  options: { typescript: false, nodeargs: --disable-warning=ExperimentalWarning }",
            "",
        ].join("\n");
    }

    private entry(): string {
        return `index.${this.options.language ?? "ts"}`;
    }

    /** Replaces the program; the next command runs the new one. */
    program(text: string): void {
        this.write(this.entry(), text);
    }

    /** Writes a file in the project's folder. */
    write(file: string, text: string): void {
        mkdirSync(dirname(join(this.folder, file)), { recursive: true });
        writeFileSync(join(this.folder, file), text);
    }

    /** Creates another stack of the same program, and its configuration file. */
    async addStack(stack: string, config: Record<string, string> = {}): Promise<void> {
        const lines = Object.entries(config).map(([key, value]) => {
            return `  ${key.includes(":") ? key : `${this.name}:${key}`}: ${JSON.stringify(value)}`;
        });
        this.write(`Pulumi.${stack}.yaml`, lines.length ? ["config:", ...lines, ""].join("\n") : "");
        await this.finish(this.launch(["stack", "init", stack, "--no-select"], {}));
    }

    /** `pulumi config set` */
    async setConfig(key: string, value: string, { secret = false, stack = this.stack } = {}): Promise<void> {
        await this.run(["config", "set", key, value, secret ? "--secret" : "--plaintext", "--stack", stack]);
    }

    /** `pulumi up`, without the preview before it. */
    up(options: CommandOptions = {}): Promise<Result> {
        return this.start("up", options).then((running) => this.finish(running, options));
    }

    /** `pulumi preview`. The steps are what `up` would do. */
    preview(options: CommandOptions = {}): Promise<Result> {
        return this.start("preview", options).then((running) => this.finish(running, options));
    }

    /** A preview that fails if there are changes; the error lists them. */
    expectNoChanges(options: CommandOptions = {}): Promise<Result> {
        return this.preview({ ...options, args: ["--expect-no-changes", "--diff", ...(options.args ?? [])] });
    }

    /** `pulumi refresh`. The steps have what was found (`op: "refresh"`, `old` and `new`). */
    refresh(options: CommandOptions = {}): Promise<Result> {
        return this.start("refresh", options).then((running) => this.finish(running, options));
    }

    /** `pulumi destroy` */
    destroy(options: CommandOptions = {}): Promise<Result> {
        return this.start("destroy", options).then((running) => this.finish(running, options));
    }

    /** `pulumi cancel`: releases the lock that a killed command left behind. */
    async cancel(options: CommandOptions = {}): Promise<Result> {
        return this.run(["cancel", "--yes", "--stack", options.stack ?? this.stack], options);
    }

    /** Resources in the stack's state, with secrets in plain text. */
    async exportResources(options: CommandOptions = {}): Promise<any[]> {
        const args = ["stack", "export", "--show-secrets", "--stack", options.stack ?? this.stack];
        const { stdout } = await this.run(args, options);
        return JSON.parse(stdout).deployment.resources ?? [];
    }

    /** Outputs of the stack, with secrets in plain text. */
    async outputs(options: CommandOptions = {}): Promise<Record<string, any>> {
        const args = ["stack", "output", "--json", "--show-secrets", "--stack", options.stack ?? this.stack];
        return JSON.parse((await this.run(args, options)).stdout);
    }

    /** Starts a command on the stack and returns while it is running, so that a test can disturb it. */
    async start(command: "up" | "preview" | "refresh" | "destroy", options: CommandOptions = {}): Promise<Running> {
        await this.ready;
        const confirmed = command === "preview" ? [] : ["--yes", "--skip-preview"];
        const stack = options.stack ?? this.stack;
        return this.launch([command, ...confirmed, "--stack", stack, ...(options.args ?? [])], options, true);
    }

    /** Runs any other command of the engine. */
    async run(args: string[], options: CommandOptions = {}): Promise<Result> {
        await this.ready;
        return this.finish(this.launch([...args, ...(options.args ?? [])], options), options);
    }

    /** Kills what is still running, and removes the project's folder and backend. */
    dispose(): void {
        const all = processes();
        for (const { pid } of this.children) {
            [pid!, ...descendants(pid!, all).map((process) => process.pid)].forEach(kill9);
        }
        [...this.leftovers].filter(isRunning).forEach(kill9);
        rmSync(dirname(this.folder), { recursive: true, force: true });
    }

    private launch(args: string[], options: CommandOptions, logged = false): Running {
        const eventLog = join(dirname(this.folder), `events-${++this.logs}.json`);
        const child = spawn("pulumi", [...args, "--non-interactive", ...(logged ? ["--event-log", eventLog] : [])], {
            cwd: this.folder,
            env: testEnvironment(this.backend, { ...this.options.environment, ...options.environment }),
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.children.add(child);
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
        const finished = new Promise<Result>((resolve, reject) => {
            child.on("error", reject);
            // "exit" and not "close", since a plugin that survives a killed engine keeps its pipes open.
            child.on("exit", (code, signal) => {
                this.children.delete(child);
                setImmediate(() => resolve(toResult(code, signal, stdout, stderr, readEvents(eventLog))));
            });
        });
        const family = () => descendants(child.pid!);
        const plugin = () => family().find(({ command }) => /^\S*node\S* .*cmd\/dynamic-provider/.test(command));
        return {
            pid: child.pid!,
            finished,
            plugin,
            kill9: (what) => {
                const below = family();
                below.forEach(({ pid }) => this.leftovers.add(pid));
                const victims = {
                    cli: [child.pid!],
                    plugin: [plugin()?.pid],
                    all: [child.pid!, ...below.map((p) => p.pid)],
                };
                victims[what].forEach((pid) => pid && kill9(pid));
            },
        };
    }

    private async finish(running: Running, { mayFail = false }: CommandOptions = {}): Promise<Result> {
        const result = await running.finished;
        if (result.code !== 0 && !mayFail) {
            throw new Error(`pulumi ended with ${result.signal ?? result.code}\n${result.stdout}\n${result.stderr}`);
        }
        return result;
    }
}

function toResult(
    code: number | null,
    signal: NodeJS.Signals | null,
    stdout: string,
    stderr: string,
    events: EngineEvent[],
): Result {
    return {
        code,
        signal,
        stdout,
        stderr,
        events,
        steps: stepsOf(events),
        changes: events.find((event) => event.summaryEvent)?.summaryEvent?.resourceChanges ?? {},
        errors: messagesOf(events, "error"),
        warnings: messagesOf(events, "warning"),
        infos: messagesOf(events, "info", "info#err"),
    };
}
