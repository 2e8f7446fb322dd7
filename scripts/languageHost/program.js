"use strict";

const { spawn } = require("node:child_process");
const { readOptions } = require("./options");

/** The exit code of the SDK's runner if it has already reported the error to the user (`cmd/run/index.js`). */
const EXIT_REPORTED = 32;

/** How long a program may take to end after SIGINT. */
const graceMilliseconds = 5000;

/**
 * The command line of `@pulumi/pulumi/cmd/run` for one `Run` request.
 *
 * @typedef {object} Start
 * @property {string[]} args the arguments of `node`
 * @property {string} cwd the program's folder
 * @property {Record<string, string>} env additions to the environment
 */

/**
 * The outcome of a run for the engine: `bail` means that the error was already reported to the user.
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
 * @throws Error if the program's folder has no @pulumi/pulumi, or an option of `runtime.options` is not valid
 */
function runnerCommand(request, engineAddress, resolve = resolveFrom) {
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
 * The outcome of the runner's process.
 *
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 * @returns {Outcome}
 */
function outcome(code, signal) {
    if (code === 0) {
        return { error: "", bail: false };
    }
    if (code === EXIT_REPORTED) {
        return { error: "", bail: true };
    }
    const how = signal ? `was ended by ${signal}` : `exited with non-zero exit code: ${code}`;
    return { error: `Program ${how}`, bail: false };
}

/** The programs that the engine has started: usually one. They must not outlive the engine. */
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
     * @param {(cancel: () => void) => void} [onCancellable] receives a function that ends this program
     * @returns {Promise<Outcome>}
     */
    run({ args, cwd, env }, onCancellable) {
        const ended = new Promise((resolve) => {
            const child = spawn("node", args, {
                cwd,
                env: { ...process.env, ...env },
                // Not "inherit": Node may set inherited descriptors to non-blocking, which this process shares.
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

    /** Sends SIGINT to all programs, and kills those that do not end. */
    cancel() {
        this.#running.forEach(end);
    }

    /** Resolves when all programs have ended. */
    async ended() {
        await Promise.allSettled(this.#outcomes);
    }
}

/** @param {import("node:child_process").ChildProcess} child */
function end(child) {
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), graceMilliseconds).unref();
}

module.exports = { Programs, runnerCommand, outcome, resolveFrom };
