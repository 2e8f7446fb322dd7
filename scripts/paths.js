"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** The checkout: the folder that holds Pulumi.yaml and package.json. */
const root = path.resolve(__dirname, "..");

/**
 * The folder of everything that is downloaded, built or stored for this checkout: the engine, the state of stacks, the
 * demo's cloud. Default `.tools` in the checkout; `PULUMI_CLOUDSTACK_TOOLS` sets another, so that several checkouts can
 * share one engine.
 */
const tools = path.resolve(process.env.PULUMI_CLOUDSTACK_TOOLS || path.join(root, ".tools"));

/** The folder of `pulumi` and its Node language host, which the engine looks for beside itself. */
const engineBin = path.join(tools, "engine", "bin");

/** Commands of the installed npm packages; the package `node` provides the Node version that the SDK requires. */
const nodeBin = path.join(root, "node_modules", ".bin");

/** The state of stacks in the local backend. */
const stateFolder = path.join(tools, "state");

/** State of the embedded cloud that the demo starts. */
const cloudFolder = path.join(tools, "cloud");

/** Where the demo writes kubeconfig and certificates. */
const demoFolder = path.join(tools, "demo");

/** The command line of the embedded cloud, as built. */
const cloudCommand = path.join(root, "dist", "simulator", "main.js");

/**
 * Creates a folder that only its owner may enter, for state and keys.
 *
 * @param {string} folder
 * @returns {string} the folder
 */
function privateFolder(folder) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
}

/**
 * Writes a file atomically: a reader sees the old text or the new one.
 *
 * @param {string} file
 * @param {string} text
 * @param {number} mode permission bits, for example 0o600
 */
function writeWhole(file, text, mode) {
    const temporary = `${file}.${process.pid}.tmp`;
    fs.writeFileSync(temporary, text, { mode });
    fs.chmodSync(temporary, mode);
    fs.renameSync(temporary, file);
}

/**
 * The full path of a command on a search path, or undefined.
 *
 * @param {string} command
 * @param {string} [searchPath] default: this process's PATH
 * @returns {string | undefined}
 */
function which(command, searchPath = process.env.PATH ?? "") {
    for (const folder of searchPath.split(path.delimiter)) {
        const candidate = path.join(folder || ".", command);
        try {
            fs.accessSync(candidate, fs.constants.X_OK);
            if (fs.statSync(candidate).isFile()) {
                return candidate;
            }
        } catch {
            // not in this folder
        }
    }
    return undefined;
}

module.exports = {
    root,
    tools,
    engineBin,
    nodeBin,
    stateFolder,
    cloudFolder,
    demoFolder,
    cloudCommand,
    privateFolder,
    writeWhole,
    which,
};
