"use strict";

const { spawn } = require("node:child_process");

/** How many lines of a failed command's output its error message contains. */
const tailLines = 20;

/**
 * Runs a command without showing its output, which `onLine` receives line by line.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string, onLine?: (line: string) => void }} [options]
 * @returns {Promise<string>} its standard output
 * @throws Error with the end of its output if it fails or cannot be started
 */
function output(command, args, { cwd, env, input, onLine } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
        child.stdin.on("error", () => {}); // EPIPE if the command does not read its input
        child.stdin.end(input ?? "");
        let stdout = "";
        /** @type {string[]} */
        const tail = [];
        const listen = (/** @type {import("node:stream").Readable} */ stream, /** @type {boolean} */ keep) => {
            let rest = "";
            stream.setEncoding("utf8").on("data", (text) => {
                stdout += keep ? text : "";
                const lines = (rest + text).split("\n");
                rest = /** @type {string} */ (lines.pop());
                tail.push(...lines.filter(Boolean));
                tail.splice(0, tail.length - tailLines);
                lines.forEach((line) => onLine?.(line));
            });
            stream.on("end", () => rest && tail.push(rest));
        };
        listen(child.stdout, true);
        listen(child.stderr, false);
        child.on("error", (error) => reject(new Error(`${command} cannot be started: ${error.message}`)));
        child.on("close", (code, signal) => {
            if (code === 0) {
                resolve(stdout);
            } else {
                reject(new Error([`${command} ${args[0] ?? ""} ended with ${signal ?? code}`, ...tail].join("\n")));
            }
        });
    });
}

module.exports = { output };
