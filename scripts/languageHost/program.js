"use strict";

const { spawn } = require("node:child_process");
const { readOptions } = require("./options");

/** The SDK's runner exits with this code when it has told the user what went wrong (`cmd/run/index.js`). */
const alreadyReported = 32;

/** How long a program may take to end after it was asked to. */
const graceMilliseconds = 5000;

/**
 * What `@pulumi/pulumi/cmd/run` is started with for one `Run` request.
 *
 * @typedef {object} Start
 * @property {string[]} args everything behind `node`
 * @property {string} cwd the program's folder
 * @property {Record<string, string>} env additions to the environment
 */

/**
 * The outcome of a run as the engine wants it told: `bail` means that the user knows already.
 *
 * @typedef {{ error: string, bail: boolean }} Outcome
 */

/**
 * Turns a `Run` request into the command line and environment of the SDK's runner.
 *
 * @param {import("@pulumi/pulumi/proto/language_pb").RunRequest} request
 * @param {string | undefined} engineAddress
 * @param {(module: string, folder: string) => string} [resolve] finds a module from the program's folder
 * @returns {Start}
 * @throws Error when the program's folder has no @pulumi/pulumi, or an option of `runtime.options` is not understood
 */
function describe(request, engineAddress, resolve = resolveFrom) {
    const info = request.getInfo();
    const cwd = info?.getProgramDirectory() || request.getPwd();
    const entryPoint = info?.getEntryPoint() || request.getProgram();
    const options = readOptions(info?.getOptions()?.toJavaScript() ?? {});

    /** @type {[string, string | undefined][]} */
    const flags = [
        ["monitor", request.getMonitorAddress()],
        ["engine", engineAddress],
        ["organization", request.getOrganization()],
        ["project", request.getProject()],
        ["root-directory", info?.getRootDirectory()],
        ["stack", request.getStack()],
        ["pwd", cwd],
        ["parallel", String(request.getParallel())],
    ];
    return {
        cwd,
        args: [
            ...options.nodeArguments,
            resolve("@pulumi/pulumi/cmd/run", cwd),
            ...flags.flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
            ...(request.getDryrun() ? ["--dry-run"] : []),
            entryPoint,
            ...request.getArgsList(),
        ],
        env: {
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
            ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
        },
    };
}

/**
 * @param {string} module
 * @param {string} folder
 * @returns {string}
 */
function resolveFrom(module, folder) {
    try {
        return require.resolve(module, { paths: [folder] });
    } catch {
        throw new Error(`${folder} has no npm package @pulumi/pulumi; run "npm install" there first`);
    }
}

/**
 * What the end of the runner's process means.
 *
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 * @returns {Outcome}
 */
function outcome(code, signal) {
    if (code === 0) {
        return { error: "", bail: false };
    }
    if (code === alreadyReported) {
        return { error: "", bail: true };
    }
    const how = signal ? `was ended by ${signal}` : `exited with non-zero exit code: ${code}`;
    return { error: `Program ${how}`, bail: false };
}

/** The programs that run at the engine's request: one as a rule, and it must not outlive the engine. */
class Programs {
    /** @type {Set<import("node:child_process").ChildProcess>} */
    #running = new Set();
    /** @type {Set<Promise<Outcome>>} */
    #outcomes = new Set();

    /** @param {string | undefined} engineAddress `HOST:PORT` of the engine's own gRPC service */
    constructor(engineAddress) {
        this.engineAddress = engineAddress;
    }

    /**
     * Starts a program and waits for its end.
     *
     * @param {Start} start
     * @param {(cancel: () => void) => void} [onCancellable] is handed a function that ends this one program
     * @returns {Promise<Outcome>}
     */
    run({ args, cwd, env }, onCancellable) {
        const ended = new Promise((resolve) => {
            const child = spawn("node", args, {
                cwd,
                env: { ...process.env, ...env },
                // Not "inherit": Node may switch the descriptors that it inherits to non-blocking, and they are shared
                // with this process.
                stdio: ["ignore", "pipe", "pipe"],
            });
            this.#running.add(child);
            child.stdout.pipe(process.stdout, { end: false });
            child.stderr.pipe(process.stderr, { end: false });
            child.on("error", (error) => {
                this.#running.delete(child);
                resolve({ error: `Cannot start node: ${error.message}`, bail: false });
            });
            child.on("close", (code, signal) => {
                this.#running.delete(child);
                resolve(outcome(code, signal));
            });
            onCancellable?.(() => end(child));
        });
        this.#outcomes.add(ended);
        ended.finally(() => this.#outcomes.delete(ended));
        return ended;
    }

    /** Asks all programs to end, and ends those that do not. */
    cancel() {
        this.#running.forEach(end);
    }

    /** Resolves when no program runs any more. */
    async settled() {
        await Promise.allSettled(this.#outcomes);
    }
}

/** @param {import("node:child_process").ChildProcess} child */
function end(child) {
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), graceMilliseconds).unref();
}

module.exports = { Programs, describe, outcome, resolveFrom };
