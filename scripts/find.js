"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { engineBin, privateFolder, which, writeWhole } = require("./paths");

/** The oldest engine that is known to work with this package: import files with outputs came with 3.254. */
const oldestVersion = "3.259.0";

/**
 * An engine that is ready to run.
 *
 * @typedef {object} Engine
 * @property {string} folder holds `pulumi` and `pulumi-language-nodejs`; it belongs first on PATH
 * @property {string} version such as `3.259.0`
 * @property {"official" | "own"} languageHost whose Node language host is used
 */

/**
 * Asks a `pulumi` for its version.
 *
 * @param {string} command
 * @returns {string | undefined} such as `3.259.0`, or undefined when it does not run
 */
function versionOf(command) {
    try {
        const answer = execFileSync(command, ["version"], {
            encoding: "utf8",
            timeout: 30_000,
            stdio: ["ignore", "pipe", "ignore"],
            env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
        });
        return /^v(\d+\.\d+\.\d+\S*)/m.exec(answer)?.[1];
    } catch {
        return undefined;
    }
}

/**
 * Whether one version is at least another. A build between releases (`3.260.0-alpha…`) counts as its release.
 *
 * @param {string} version
 * @param {string} least
 */
function isAtLeast(version, least) {
    // Not Number: Go calls its candidates 1.27rc1.
    const numbers = (/** @type {string} */ v) => v.split(/[.+-]/, 3).map((part) => parseInt(part, 10));
    const [a, b] = [numbers(version), numbers(least)];
    const i = a.findIndex((n, k) => n !== b[k]);
    return i < 0 || a[i] > b[i];
}

/** A file of our language host as a word of a shell. */
function hostFile(/** @type {string} */ name) {
    return `'${path.join(__dirname, "languageHost", name).replaceAll("'", "'\\''")}'`;
}

/**
 * What Pulumi's own releases carry beside the engine: a language host, and what starts the SDK's process for dynamic
 * resources, found from the program's folder. They find `node` on PATH, where the wrapper puts the right one first.
 * (The shell stays above that process, as it does in Pulumi's releases: so the tests see what users have.)
 *
 * @type {Record<string, string>} the text of each executable
 */
const companions = {
    "pulumi-language-nodejs": `#!/bin/sh\nexec node ${hostFile("main.js")} "$@"\n`,
    "pulumi-resource-pulumi-nodejs": [
        "#!/bin/sh",
        `script=$(node -p "require.resolve('@pulumi/pulumi/cmd/dynamic-provider')") || exit`,
        'node "$script" "$@"',
        "",
    ].join("\n"),
};

/** Completes the engine of the tool folder. From any other place on PATH the engine would use these with a warning. */
function placeCompanions() {
    for (const [name, text] of Object.entries(companions)) {
        const file = path.join(engineBin, name);
        if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
            writeWhole(file, text, 0o755);
        }
    }
}

/** Whether the language host in a folder is a binary of Pulumi's and not ours. */
function hasOfficialHost(/** @type {string} */ folder) {
    const file = path.join(folder, "pulumi-language-nodejs");
    if (!fs.existsSync(file)) {
        return false;
    }
    const start = Buffer.alloc(2);
    const descriptor = fs.openSync(file, "r");
    fs.readSync(descriptor, start, 0, 2, 0);
    fs.closeSync(descriptor);
    return start.toString() !== "#!";
}

/**
 * Makes the tool folder's `pulumi` the same program as one found elsewhere without a language host, so that ours can
 * stand beside it.
 *
 * @param {string} source
 */
function adopt(source) {
    const target = path.join(privateFolder(engineBin), "pulumi");
    const temporary = `${target}.${process.pid}.tmp`;
    fs.copyFileSync(source, temporary, fs.constants.COPYFILE_FICLONE);
    fs.chmodSync(temporary, 0o755);
    const { atime, mtime } = fs.statSync(source);
    fs.utimesSync(temporary, atime, mtime);
    fs.renameSync(temporary, target);
}

/**
 * Finds an engine: on PATH with its own language host; in the tool folder; on PATH without a language host, where ours
 * stands in.
 *
 * @returns {{ engine?: Engine, rejected: string[] }} `rejected` says why a `pulumi` that is there cannot be used
 */
function findEngine() {
    /** @type {string[]} */
    const rejected = [];
    const own = path.join(engineBin, "pulumi");
    const onPath = which("pulumi", (process.env.PATH ?? "").split(path.delimiter).filter((f) => f !== engineBin).join(path.delimiter));

    const usable = (/** @type {string} */ command) => {
        const version = versionOf(command);
        if (version && isAtLeast(version, oldestVersion)) {
            return version;
        }
        rejected.push(version ? `${command} is ${version}, older than ${oldestVersion}` : `${command} does not run`);
        return undefined;
    };

    if (onPath && hasOfficialHost(path.dirname(fs.realpathSync(onPath)))) {
        const version = usable(onPath);
        if (version) {
            return { engine: { folder: path.dirname(onPath), version, languageHost: "official" }, rejected };
        }
    } else if (onPath && !isSameFile(onPath, own)) {
        if (usable(onPath)) {
            adopt(onPath);
        }
    }
    if (fs.existsSync(own)) {
        const version = usable(own);
        if (version) {
            const official = hasOfficialHost(engineBin);
            if (!official) {
                placeCompanions();
            }
            return { engine: { folder: engineBin, version, languageHost: official ? "official" : "own" }, rejected };
        }
    }
    return { rejected };
}

/**
 * Whether a copy is still that of its source, by size and time stamp.
 *
 * @param {string} source
 * @param {string} copy
 */
function isSameFile(source, copy) {
    if (!fs.existsSync(copy)) {
        return false;
    }
    const [a, b] = [fs.statSync(source), fs.statSync(copy)];
    return a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2000;
}

module.exports = { findEngine, isAtLeast };
