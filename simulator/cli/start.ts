/** `cloudstack-local start`: in the foreground, or as a process of its own that outlives the command. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { startCloud, StateError, type RunningCloud } from "../index";
import { shellWord } from "../shellWord";
import { running } from "./control";
import { choose, hypervisorName, type Choice, type HypervisorName } from "./hypervisor";
import { stateFolder, UserError, type StateFolder } from "./stateFolder";
import { stopped } from "./stop";

export const START_HELP = `cloudstack-local start [options]

Starts the embedded cloud on 127.0.0.1 and returns when it answers.

  --state DIR           where it keeps its state (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)
  --port N              0 takes any free one (default: $CLOUDSTACK_LOCAL_PORT, else 8080, and any free one where
                        another program has that)
  --hypervisor NAME     nspawn: machines boot, as containers of systemd-nspawn (Linux, root); none: they keep their
                        states only; auto (default): nspawn where this computer can, else none, and why
  --cidr CIDR           addresses of the shared network of a new cloud (default 10.1.1.0/24)
  --job-seconds N       how long every job takes, fractions allowed (default 0)
  --timing T            real: answers and jobs take as long as those of a real server, and wait for its locks; a number
                        is a part of that time (0.1: ten times faster); 0 (default): as fast as it goes
  --expunge-seconds N   how long a destroyed machine waits until it is expunged (default 86400)
  --foreground          stay in this terminal and log to it; Ctrl-C stops the cloud, another one cuts the power of
                        machines that are still shutting down
`;

const OPTIONS = {
    state: { type: "string" },
    port: { type: "string" },
    hypervisor: { type: "string", default: "auto" },
    cidr: { type: "string" },
    "job-seconds": { type: "string", default: "0" },
    timing: { type: "string", default: "0" },
    "expunge-seconds": { type: "string", default: "86400" },
    foreground: { type: "boolean", default: false },
} as const;

/** Where the cloud is looked for first: the port of CloudStack's own management server. */
const USUAL_PORT = 8080;

interface StartOptions {
    readonly folder: StateFolder;
    /** Where nobody has said which: the usual one, or any. */
    readonly port?: number;
    readonly cidr?: string;
    readonly jobSeconds: number;
    readonly timing: number;
    readonly expungeSeconds: number;
    readonly foreground: boolean;
    readonly hypervisor: HypervisorName;
}

function numberOf(name: string, text: string): number {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0)
        throw new UserError(`${name} must be a number from 0, not "${text}".`, 2);
    return value;
}

/** `--port`, else $CLOUDSTACK_LOCAL_PORT. */
function portOf(option: string | undefined, env: NodeJS.ProcessEnv = process.env): number | undefined {
    const text = option ?? (env.CLOUDSTACK_LOCAL_PORT || undefined);
    if (text === undefined) return undefined;
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > 65_535) {
        const name = option === undefined ? "CLOUDSTACK_LOCAL_PORT" : "--port";
        throw new UserError(`${name} must be a number from 0 to 65535, not "${text}".`, 2);
    }
    return port;
}

function readOptions(args: string[]): StartOptions {
    const { values } = parseArgs({ args, options: OPTIONS });
    return {
        folder: stateFolder(values.state),
        port: portOf(values.port),
        cidr: values.cidr,
        jobSeconds: numberOf("--job-seconds", values["job-seconds"]),
        timing: values.timing === "real" ? 1 : numberOf("--timing", values.timing),
        expungeSeconds: numberOf("--expunge-seconds", values["expunge-seconds"]),
        foreground: values.foreground,
        hypervisor: hypervisorName(values.hypervisor),
    };
}

/** At the port that was asked for; else at the usual one, or where that is taken at any. */
async function startAtPort(
    { port, folder, hypervisor: name, ...options }: StartOptions,
    log: (line: string) => void,
): Promise<RunningCloud> {
    const { make } = await choose(name, folder, options.cidr, log);
    const startAt = (port: number) =>
        startCloud({ ...options, hypervisor: make(log), stateDir: folder.folder, port, log });
    if (port !== undefined) return startAt(port);
    try {
        return await startAt(USUAL_PORT);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
        return startAt(0);
    }
}

/** @throws UserError for what a user can do something about */
async function startHere(options: StartOptions, log: (line: string) => void): Promise<RunningCloud> {
    const { folder, port } = options;
    try {
        const cloud = await startAtPort(options, log);
        folder.serve(
            { url: cloud.url, token: cloud.token },
            {
                endpoint: cloud.endpoint,
                hypervisor: cloud.hypervisor,
                cidr: cloud.cidr,
                projectId: cloud.projectId,
                accounts: cloud.accounts,
            },
        );
        return cloud;
    } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === "EADDRINUSE")
            throw new UserError(
                `Port ${port} is taken by another program: choose another one with --port (0 takes any free one).`,
            );
        if (code === "EACCES")
            throw new UserError(`Port ${port} is not allowed to you: choose one above 1023 with --port.`);
        if (error instanceof StateError || error instanceof RangeError) throw new UserError(error.message);
        throw error;
    }
}

async function inForeground(options: StartOptions): Promise<void> {
    const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
    const cloud = await startHere(options, log);
    log(`listening at ${cloud.endpoint}, state in ${options.folder.folder}`);
    await toldToStop(cloud);
    options.folder.stopServing();
    try {
        await cloud.close();
        log("stopped");
    } finally {
        // Last of all: whoever waits for the end of this cloud waits for its file to go.
        options.folder.forgetServer();
    }
}

/** Comes back with the first signal. Another one, or SIGQUIT, cuts the machines' power instead of waiting for them. */
function toldToStop(cloud: RunningCloud): Promise<void> {
    let isStopping = false;
    return new Promise((resolve) => {
        const told = (signal: NodeJS.Signals) => {
            if (isStopping || signal === "SIGQUIT") cloud.cutPower();
            isStopping = true;
            resolve();
        };
        for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) process.on(signal, told);
    });
}

/** Size from which a log is put aside at the next start, in bytes. */
const LOG_LIMIT = 10_000_000;

function keepLogShort(file: string): void {
    if (fs.existsSync(file) && fs.statSync(file).size > LOG_LIMIT) fs.renameSync(file, `${file}.1`);
}

/** How long a new process may take until it answers, in milliseconds. */
const PATIENCE = 20_000;

async function inBackground(options: StartOptions, args: string[]): Promise<void> {
    const { folder } = options;
    keepLogShort(folder.logFile);
    const log = fs.openSync(folder.logFile, "a", 0o600);
    const before = fs.fstatSync(log).size;
    const child = spawn(process.execPath, [require.resolve("../main"), "start", ...args, "--foreground"], {
        detached: true,
        stdio: ["ignore", log, log],
    });
    fs.closeSync(log);
    let ended = false;
    child.once("exit", () => (ended = true));
    child.once("error", () => (ended = true));
    const deadline = Date.now() + PATIENCE;
    while (!ended && Date.now() < deadline) {
        const found = await running(folder);
        if (found !== undefined && found.server.pid === child.pid) {
            child.unref();
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (!ended) child.kill();
    const said = fs.readFileSync(folder.logFile).subarray(before).toString().trim();
    throw new UserError(
        ended
            ? said || "The cloud ended at once, without a word."
            : `The cloud did not answer within ${PATIENCE / 1000} s; its log is ${folder.logFile}.`,
    );
}

function introduce({ folder, port }: StartOptions, { note }: Choice, url: string): void {
    const isElsewhere = port === undefined && new URL(url).port !== String(USUAL_PORT);
    // So that the commands can be copied as they stand.
    const state = stateFolder(undefined).folder === folder.folder ? "" : ` --state ${shellWord(folder.folder)}`;
    console.log(
        [
            `cloudstack-local answers at ${url}/client/api`,
            ...(isElsewhere
                ? [`(Another program has port ${USUAL_PORT}; --port or CLOUDSTACK_LOCAL_PORT names one.)`]
                : []),
            note,
            `State: ${folder.folder}`,
            `For your shell: eval "$(cloudstack-local env${state})"    Stop it: cloudstack-local stop${state}`,
        ].join("\n"),
    );
}

export async function start(args: string[]): Promise<void> {
    const options = readOptions(args);
    const { folder } = options;
    folder.make();
    await stopped(folder);
    const already = await running(folder);
    if (already !== undefined) {
        console.log(
            `cloudstack-local is already running at ${already.server.url}/client/api (process ` +
                `${already.server.pid}); options of this start are not used.`,
        );
        return;
    }
    if (options.foreground) return inForeground(options);
    // Before the cloud is there, and by name: it does not look a second time.
    const choice = await choose(options.hypervisor, folder, options.cidr, (line) => console.log(`  ${line}`));
    await inBackground(options, [...args, "--hypervisor", choice.name]);
    introduce(options, choice, folder.server()!.url);
}
