"use strict";

const os = require("node:os");
const { spawn } = require("node:child_process");

/** npm passes a signal on, the terminal sends it to everyone: within this time it is one and the same. */
const sameSignalMilliseconds = 500;

/**
 * Runs a command with this process's terminal and passes signals on.
 *
 * A terminal sends Ctrl-C to all its processes, so the engine has got it already; it takes a second one as "now,
 * whatever it breaks". Without a terminal the command gets a process group of its own, so that exactly the signals
 * reach it that are passed on here.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<number>} the exit code, 128 and the signal's number when a signal ended it, 127 when it did not start
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
            console.error(`${command} does not start: ${error.message}`);
            resolve(127);
        });
        child.on("exit", (code, signal) => {
            signals.forEach((s) => process.off(s, pass));
            resolve(code ?? 128 + os.constants.signals[/** @type {NodeJS.Signals} */ (signal)]);
        });
    });
}

module.exports = { run };
