/** `cloudstack-local start`: runs the cloud in the foreground, or as a background process. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { startCloud, StateError, type RunningCloud } from "../index";
import { shellWord } from "../hypervisors/nspawn/host";
import { runningCloud } from "./control";
import { chooseHypervisor, hypervisorName, type HypervisorChoice, type HypervisorName } from "./hypervisor";
import { stateFolder, UserError, type StateFolder } from "./stateFolder";
import { untilStopped } from "./stop";

export const START_HELP = `cloudstack-local start [options]

Starts the embedded cloud on 127.0.0.1 and returns when it answers.

  --state DIR           the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)
  --port N              the port; 0 chooses a free one (default: $CLOUDSTACK_LOCAL_PORT, else 8080, or a free one if
                        another program uses that)
  --hypervisor NAME     nspawn: machines boot as systemd-nspawn containers (Linux, root); none: they do not boot, only
                        their states are kept; auto (default): nspawn if this computer supports it, else none
  --cidr CIDR           addresses of the shared network of a new cloud (default 10.1.1.0/24)
  --job-seconds N       how long every job takes at least; fractions are allowed (default 0)
  --timing T            real: answers and jobs take as long as those of a real server, and wait for its locks; a number
                        scales that time (0.1: ten times faster); 0 (default): as fast as possible
  --expunge-seconds N   how long a destroyed machine waits until it is expunged (default 86400)
  --foreground          run in this terminal and log to it; Ctrl-C stops the cloud, a second Ctrl-C cuts the power of
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

/** The API port of CloudStack's own management server. */
const DEFAULT_PORT = 8080;

interface StartOptions {
    readonly folder: StateFolder;
    /** Undefined: the default port, or a free one if that is taken. */
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

/** Starts at the requested port, otherwise at the default one, or at a free one if that is taken. */
async function startAtPort(
    { port, folder, hypervisor: name, ...options }: StartOptions,
    log: (line: string) => void,
): Promise<RunningCloud> {
    const { make } = await chooseHypervisor(name, folder, options.cidr, log);
    const startAt = (port: number) =>
        startCloud({ ...options, hypervisor: make(log), stateDir: folder.folder, port, log });
    if (port !== undefined) return startAt(port);
    try {
        return await startAt(DEFAULT_PORT);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
        return startAt(0);
    }
}

/** @throws UserError for errors that the user can correct */
async function startHere(options: StartOptions, log: (line: string) => void): Promise<RunningCloud> {
    const { folder, port } = options;
    try {
        const cloud = await startAtPort(options, log);
        folder.writeServer(
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
                `Port ${port} is in use by another program: choose another one with --port (0 chooses a free one).`,
            );
        if (code === "EACCES")
            throw new UserError(`You are not permitted to use port ${port}: choose one above 1023 with --port.`);
        if (error instanceof StateError || error instanceof RangeError) throw new UserError(error.message);
        throw error;
    }
}

async function runInForeground(options: StartOptions): Promise<void> {
    const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
    const cloud = await startHere(options, log);
    log(`listening at ${cloud.endpoint}, state in ${options.folder.folder}`);
    await untilFirstSignal(cloud);
    options.folder.markStopping();
    try {
        await cloud.close();
        log("stopped");
    } finally {
        // Must be last: `stop` takes the removal of this file for the end of the cloud.
        options.folder.removeServerFile();
    }
}

/** Resolves at the first signal. A second one, or SIGQUIT, cuts the machines' power instead of waiting for them. */
function untilFirstSignal(cloud: RunningCloud): Promise<void> {
    let isStopping = false;
    return new Promise((resolve) => {
        const onSignal = (signal: NodeJS.Signals) => {
            if (isStopping || signal === "SIGQUIT") cloud.cutPower();
            isStopping = true;
            resolve();
        };
        for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) process.on(signal, onSignal);
    });
}

/** Size above which a log is rotated at the next start, in bytes. */
const LOG_LIMIT = 10_000_000;

function rotateLog(file: string): void {
    if (fs.existsSync(file) && fs.statSync(file).size > LOG_LIMIT) fs.renameSync(file, `${file}.1`);
}

/** How long a new process may take to answer, in milliseconds. */
const START_TIMEOUT = 20_000;

async function startInBackground(options: StartOptions, args: string[]): Promise<void> {
    const { folder } = options;
    rotateLog(folder.logFile);
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
    const deadline = Date.now() + START_TIMEOUT;
    while (!ended && Date.now() < deadline) {
        const found = await runningCloud(folder);
        if (found !== undefined && found.server.pid === child.pid) {
            child.unref();
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (!ended) child.kill();
    const output = fs.readFileSync(folder.logFile).subarray(before).toString().trim();
    throw new UserError(
        ended
            ? output || "The cloud exited immediately without any output."
            : `The cloud did not answer within ${START_TIMEOUT / 1000} s; its log is ${folder.logFile}.`,
    );
}

function printSummary({ folder, port }: StartOptions, { note }: HypervisorChoice, url: string): void {
    const isElsewhere = port === undefined && new URL(url).port !== String(DEFAULT_PORT);
    // The printed commands must work when they are copied unchanged.
    const state = stateFolder(undefined).folder === folder.folder ? "" : ` --state ${shellWord(folder.folder)}`;
    console.log(
        [
            `cloudstack-local answers at ${url}/client/api`,
            ...(isElsewhere
                ? [`(Another program uses port ${DEFAULT_PORT}; set another with --port or CLOUDSTACK_LOCAL_PORT.)`]
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
    await untilStopped(folder);
    const already = await runningCloud(folder);
    if (already !== undefined) {
        console.log(
            `cloudstack-local is already running at ${already.server.url}/client/api (process ` +
                `${already.server.pid}); the options of this command are ignored.`,
        );
        return;
    }
    if (options.foreground) return runInForeground(options);
    // Chosen here, where the user sees the messages, and passed on by name, so that the new process does not choose
    // again.
    const choice = await chooseHypervisor(options.hypervisor, folder, options.cidr, (line) => console.log(`  ${line}`));
    await startInBackground(options, [...args, "--hypervisor", choice.name]);
    printSummary(options, choice, folder.server()!.url);
}
