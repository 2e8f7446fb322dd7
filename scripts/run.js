"use strict";

const os = require("node:os");
const { spawn } = require("node:child_process");

/**
 * Ctrl-C arrives twice, from the terminal and from npm, which forwards it: within this time it counts as one signal.
 */
const sameSignalMilliseconds = 500;

/**
 * Runs a command with this process's terminal and forwards signals.
 *
 * A terminal sends Ctrl-C to all its processes, so that the engine has received it already; a second one would make the
 * engine exit immediately. Without a terminal the command gets its own process group, so that it receives only the
 * signals that are forwarded here.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<number>} the exit code, 128 and the signal's number when a signal ended it, 127 when it did not
 * start
 */
function run(command, args, env, { cwd } = {}) {
    const terminal = Boolean(process.stdin.isTTY);
    const child = spawn(command, args, { cwd, env, stdio: "inherit", detached: !terminal });
    let last = { signal: "", at: 0 };

    /** @type {NodeJS.SignalsListener} */
    const pass = (signal) => {
        const repeated = signal === last.signal && Date.now() - last.at < sameSignalMilliseconds;
        last = { signal, at: Date.now() };
        if (!repeated && !(terminal && signal === "SIGINT")) {
            child.kill(signal);
        }
    };
    /** @type {NodeJS.Signals[]} */
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    signals.forEach((signal) => process.on(signal, pass));

    return new Promise((resolve) => {
        child.on("error", (error) => {
            console.error(`${command} cannot be started: ${error.message}`);
            resolve(127);
        });
        child.on("exit", (code, signal) => {
            signals.forEach((s) => process.off(s, pass));
            resolve(code ?? 128 + os.constants.signals[/** @type {NodeJS.Signals} */ (signal)]);
        });
    });
}

module.exports = { run };
