"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** The checkout: the folder that holds Pulumi.yaml and package.json. */
const root = path.resolve(__dirname, "..");

/**
 * Where everything lives that is fetched, built or kept for this checkout: the engine, the state of stacks, the
 * embedded cloud of the demo. Default `.tools` in the checkout; `PULUMI_CLOUDSTACK_TOOLS` moves it, so that several
 * checkouts can share one built engine.
 */
const tools = path.resolve(process.env.PULUMI_CLOUDSTACK_TOOLS || path.join(root, ".tools"));

/** `pulumi` and the Node language host that belongs to it, side by side: the engine looks for its host there. */
const engineBin = path.join(tools, "engine", "bin");

/** Commands of the installed npm packages; the package `node` brings the Node version that the SDK asks for. */
const nodeBin = path.join(root, "node_modules", ".bin");

/** State of the stacks that are kept on this machine. */
const stateFolder = path.join(tools, "state");

/** State of the embedded cloud that the demo starts. */
const cloudFolder = path.join(tools, "cloud");

/** Where the demo writes kubeconfig and certificates. */
const demoFolder = path.join(tools, "demo");

/** The command line of the embedded cloud, as built. */
const cloudCommand = path.join(root, "dist", "simulator", "main.js");

/**
 * Makes a folder that only its owner may enter: state and keys are below it.
 *
 * @param {string} folder
 * @returns {string} the folder
 */
function privateFolder(folder) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
}

/**
 * Writes a file so that a reader, or a second writer, sees the old text or the new one and nothing between.
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
            // not here; the next folder may have it
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
