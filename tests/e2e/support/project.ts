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
    /** Text of the program. TypeScript (erasable syntax) in `index.ts`; see `language`. */
    program: string;
    /** Default `ts`. */
    language?: "ts" | "js";
    /** The stack's configuration; keys without a colon belong to the project. Values are stored as YAML scalars. */
    config?: Record<string, string>;
    /** Environment of the engine and of all it starts: the endpoint and keys of a cloud, for example. */
    environment?: Record<string, string>;
    /** More files below the project's folder: path and text. */
    files?: Record<string, string>;
}

export interface CommandOptions {
    /** More arguments of the engine's command. */
    args?: string[];
    /** Environment on top of the project's. */
    environment?: Record<string, string>;
    /** The stack. Default: the project's first. */
    stack?: string;
    /** Default false: a command that fails throws an error with all its output. */
    mayFail?: boolean;
}

/** What a command of the engine did. */
export interface Result {
    /** Exit code; null when a signal ended it. */
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
    events: EngineEvent[];
    /** What happened to the resources, without the stack itself and providers. */
    steps: Step[];
    /** Number of resources by operation, as the engine's summary has it: `{ create: 2, same: 1 }`. */
    changes: Record<string, number>;
    /** Messages of severity error, one per diagnostic. */
    errors: string[];
    warnings: string[];
    /** Everything else that was said, from the program and the plugin. */
    infos: string[];
}

/** A command of the engine that runs. */
export interface Running {
    pid: number;
    /** Resolves at the end, however the command ends; it never throws for an exit code. */
    finished: Promise<Result>;
    /** The Node process in which handlers run, or undefined while there is none. */
    plugin(): Process | undefined;
    /** Kills the command line, the plugin's process, or the whole family at once, without a warning. */
    kill9(what: "cli" | "plugin" | "all"): void;
}

/**
 * A Pulumi project in a folder of its own, with a backend of its own, whose program imports this package by its name.
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
        // As npm would install them: the package that is tested, and the SDK that it and the program share.
        symlinkSync(checkout, join(this.folder, "node_modules", "pulumi-cloudstack"));
        symlinkSync(join(checkout, "node_modules/@pulumi/pulumi"), join(this.folder, "node_modules/@pulumi/pulumi"));
        this.write("package.json", JSON.stringify({ name: this.name, private: true }));
        this.write("Pulumi.yaml", this.description());
        for (const [file, text] of Object.entries(options.files ?? {})) {
            this.write(file, text);
        }
        this.program(options.program);
        this.ready = this.addStack(this.stack, options.config);
        this.ready.catch(() => {}); // reported by the first command that waits for it
    }

    private description(): string {
        return [
            `name: ${this.name}`,
            `main: ${this.entry()}`,
            "runtime:",
            "  name: nodejs",
            // Node itself strips the types; --disable-warning keeps its note about that out of the messages.
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

    /** Writes a file below the project's folder. */
    write(file: string, text: string): void {
        mkdirSync(dirname(join(this.folder, file)), { recursive: true });
        writeFileSync(join(this.folder, file), text);
    }

    /** Makes one more stack of the same program. Its configuration is written beside the program's. */
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

    /** `pulumi preview`. The steps say what would be done. */
    preview(options: CommandOptions = {}): Promise<Result> {
        return this.start("preview", options).then((running) => this.finish(running, options));
    }

    /** A preview that fails, with the engine's account of it, when anything would change. */
    expectNoChanges(options: CommandOptions = {}): Promise<Result> {
        return this.preview({ ...options, args: ["--expect-no-changes", "--diff", ...(options.args ?? [])] });
    }

    /** `pulumi refresh`. The steps hold what was found (`op: "refresh"`, `old` and `new`). */
    refresh(options: CommandOptions = {}): Promise<Result> {
        return this.start("refresh", options).then((running) => this.finish(running, options));
    }

    /** `pulumi destroy` */
    destroy(options: CommandOptions = {}): Promise<Result> {
        return this.start("destroy", options).then((running) => this.finish(running, options));
    }

    /** `pulumi cancel`: gives up the lock that a killed command left behind. */
    async cancel(options: CommandOptions = {}): Promise<Result> {
        return this.run(["cancel", "--yes", "--stack", options.stack ?? this.stack], options);
    }

    /** Resources of the stack's state, secrets in plain text. */
    async exportResources(options: CommandOptions = {}): Promise<any[]> {
        const args = ["stack", "export", "--show-secrets", "--stack", options.stack ?? this.stack];
        const { stdout } = await this.run(args, options);
        return JSON.parse(stdout).deployment.resources ?? [];
    }

    /** Outputs of the stack, secrets in plain text. */
    async outputs(options: CommandOptions = {}): Promise<Record<string, any>> {
        const args = ["stack", "output", "--json", "--show-secrets", "--stack", options.stack ?? this.stack];
        return JSON.parse((await this.run(args, options)).stdout);
    }

    /** Starts a command that works on the stack and comes back while it runs, to disturb it. */
    async start(command: "up" | "preview" | "refresh" | "destroy", options: CommandOptions = {}): Promise<Running> {
        await this.ready;
        const confirmed = command === "preview" ? [] : ["--yes", "--skip-preview"];
        const stack = options.stack ?? this.stack;
        return this.launch([command, ...confirmed, "--stack", stack, ...(options.args ?? [])], options, true);
    }

    /** Any other command of the engine. */
    async run(args: string[], options: CommandOptions = {}): Promise<Result> {
        await this.ready;
        return this.finish(this.launch([...args, ...(options.args ?? [])], options), options);
    }

    /** Ends what still runs and removes the project's folder and backend. */
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
            // "exit" and not "close": a plugin that outlives a killed engine holds its pipes open.
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
