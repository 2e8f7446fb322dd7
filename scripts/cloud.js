"use strict";

const fs = require("node:fs");
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const { cloudCommand, cloudFolder, demoFolder, nodeBin, privateFolder, which } = require("./paths");
const { run } = require("./run");

/** The environment of `cloudstack-local` commands, with the demo's state folder unless the user has set another. */
function cloudStateEnvironment() {
    return { ...process.env, CLOUDSTACK_LOCAL_STATE: process.env.CLOUDSTACK_LOCAL_STATE || cloudFolder };
}

/**
 * Runs `cloudstack-local` and returns its output.
 *
 * @param {string[]} args
 * @returns {{ code: number, stdout: string, stderr: string }} code 127 when the package is not built
 */
function cloud(...args) {
    if (!fs.existsSync(cloudCommand)) {
        return { code: 127, stdout: "", stderr: `${cloudCommand} is missing; run "npm run build" first` };
    }
    // The checkout's own Node, since the current one may be older than the cloud requires.
    const node = which("node", nodeBin) ?? process.execPath;
    const { status, stdout, stderr } = spawnSync(node, [cloudCommand, ...args], {
        encoding: "utf8",
        env: cloudStateEnvironment(),
        stdio: ["ignore", "pipe", "pipe"],
    });
    return { code: status ?? 1, stdout, stderr };
}

/**
 * As `cloud`, but with this process's terminal, for long-running commands that print progress.
 *
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
function runCloud(...args) {
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

/** @param {string} word one shell word, any part of which may be quoted */
function unquote(word) {
    return word.replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
        (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped,
    );
}

/** Exists while the demo's stack has no Kubernetes cluster. */
const withoutKubernetes = path.join(demoFolder, "without-kubernetes");

/**
 * Remembers whether the demo's stack has a Kubernetes cluster, for this run and all commands of the engine after it.
 *
 * @param {boolean} wanted
 */
function rememberKubernetes(wanted) {
    fs.rmSync(withoutKubernetes, { force: true });
    if (!wanted) {
        privateFolder(demoFolder);
        fs.writeFileSync(withoutKubernetes, "");
    }
}

/**
 * The environment variables that select the demo's cloud as this package's CloudStack.
 *
 * @returns {Record<string, string> | undefined} undefined if that cloud is not running
 */
function cloudEnvironment() {
    if (cloud("status").code !== 0) {
        return undefined;
    }
    const { code, stdout } = cloud("env");
    if (code !== 0) {
        return undefined;
    }
    const environment = parseExports(stdout);
    return fs.existsSync(withoutKubernetes) ? { ...environment, CLOUDSTACK_LOCAL_KUBERNETES: "false" } : environment;
}

module.exports = { cloud, cloudEnvironment, cloudStateEnvironment, parseExports, rememberKubernetes, runCloud };
