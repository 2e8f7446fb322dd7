"use strict";

const fs = require("node:fs");
const { spawnSync } = require("node:child_process");
const { cloudCommand, cloudFolder, nodeBin, which } = require("./paths");
const { run } = require("./run");

/** The environment of `cloudstack-local` commands: the demo's cloud keeps its state in the tool folder. */
function cloudStateEnvironment() {
    return { ...process.env, CLOUDSTACK_LOCAL_STATE: process.env.CLOUDSTACK_LOCAL_STATE || cloudFolder };
}

/**
 * Runs the embedded cloud's command line and gives back what it prints.
 *
 * @param {string[]} args
 * @returns {{ code: number, stdout: string, stderr: string }} code 127 when the package is not built
 */
function cloud(...args) {
    if (!fs.existsSync(cloudCommand)) {
        return { code: 127, stdout: "", stderr: `${cloudCommand} is missing; run "npm run build" first` };
    }
    // The checkout's own Node: the one that runs this may be older than the cloud needs.
    const node = which("node", nodeBin) ?? process.execPath;
    const { status, stdout, stderr } = spawnSync(node, [cloudCommand, ...args], {
        encoding: "utf8",
        env: cloudStateEnvironment(),
        stdio: ["ignore", "pipe", "pipe"],
    });
    return { code: status ?? 1, stdout, stderr };
}

/**
 * As `cloud`, with this process's terminal, for commands that take long and say what they do.
 *
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
function showCloud(...args) {
    return run(which("node", nodeBin) ?? process.execPath, [cloudCommand, ...args], cloudStateEnvironment());
}

/**
 * Reads lines of the form `export NAME=value`, as `cloudstack-local env` prints them for a shell.
 *
 * @param {string} text
 * @returns {Record<string, string>}
 */
function parseExports(text) {
    return Object.fromEntries(
        [...text.matchAll(/^export ([A-Za-z_]\w*)=(.*)$/gm)].map(([, name, value]) => [name, unquote(value)]),
    );
}

/** @param {string} word one word of a shell: plain, or quoted in parts */
function unquote(word) {
    return word.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, single, double, escaped) =>
        single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped,
    );
}

/**
 * What points this package at the embedded cloud of the tool folder.
 *
 * @returns {Record<string, string> | undefined} undefined while that cloud does not run
 */
function cloudEnvironment() {
    if (cloud("status").code !== 0) {
        return undefined;
    }
    const { code, stdout } = cloud("env");
    return code === 0 ? parseExports(stdout) : undefined;
}

module.exports = { cloud, cloudEnvironment, cloudStateEnvironment, parseExports, showCloud };
