"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { nodeBin, privateFolder, stateFolder, tools } = require("./paths");

/**
 * The environment in which the engine runs:
 *
 * - PATH begins with the right Node and the engine's folder, which also holds its language host and the script that
 *   runs dynamic resources;
 * - state is kept in a folder of this checkout and secrets are encrypted with a passphrase of this checkout, unless the
 *   user's environment sets them.
 *
 * @param {{ folder: string }} engine from `findEngine`
 * @param {NodeJS.ProcessEnv} [base] default: this process's environment
 * @returns {NodeJS.ProcessEnv}
 */
function engineEnvironment(engine, base = process.env) {
    const environment = { ...base };
    // npm sets these for the scripts that it runs. Some (a prefix, a user agent) would change the behaviour of a
    // package manager that the engine starts.
    for (const name of Object.keys(environment)) {
        if (/^npm_(config|lifecycle|package)_/.test(name)) {
            delete environment[name];
        }
    }
    environment.PATH = [nodeBin, engine.folder, base.PATH].filter(Boolean).join(path.delimiter);
    environment.PULUMI_SKIP_UPDATE_CHECK ??= "true";
    environment.PULUMI_BACKEND_URL ||= localBackend();
    // Only undefined is unset: an empty passphrase is valid.
    if (environment.PULUMI_CONFIG_PASSPHRASE === undefined && !environment.PULUMI_CONFIG_PASSPHRASE_FILE) {
        environment.PULUMI_CONFIG_PASSPHRASE = passphrase();
    }
    return environment;
}

/**
 * The engine writes state files atomically, but not their metadata files (`.attrs`): if it is killed while it writes
 * one, it cannot read the state any more ("failed to load checkpoint: EOF"). So no metadata is written, which nothing
 * needs (https://pkg.go.dev/gocloud.dev/blob/fileblob, "metadata").
 *
 * @returns {string} the URL of the backend in the tool folder
 */
function localBackend() {
    return `${pathToFileURL(privateFolder(stateFolder)).href}?metadata=skip`;
}

/**
 * The passphrase of this checkout's stacks, generated at its first use.
 *
 * @returns {string}
 */
function passphrase() {
    const file = path.join(privateFolder(tools), "passphrase");
    const temporary = `${file}.${process.pid}.tmp`;
    if (!fs.existsSync(file)) {
        // link() fails if the file exists, so that two processes that start at once use the same passphrase.
        fs.writeFileSync(temporary, crypto.randomBytes(32).toString("base64url"), { mode: 0o600 });
        try {
            fs.linkSync(temporary, file);
        } catch (error) {
            if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") {
                throw error;
            }
        } finally {
            fs.rmSync(temporary);
        }
    }
    return fs.readFileSync(file, "utf8");
}

module.exports = { engineEnvironment, localBackend, passphrase };
