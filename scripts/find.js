"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { engineBin, privateFolder, which, writeWhole } = require("./paths");

/** The oldest engine that this package is tested with; import files with outputs need at least 3.254. */
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
 * Returns the version of a `pulumi` executable.
 *
 * @param {string} command
 * @returns {string | undefined} such as `3.259.0`, or undefined if it cannot be run
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

/** The path of a file of this package's language host as a shell word. */
function hostFile(/** @type {string} */ name) {
    return `'${path.join(__dirname, "languageHost", name).replaceAll("'", "'\\''")}'`;
}

/**
 * The executables that Pulumi's releases contain beside the engine: a language host, and the script that starts the
 * SDK's provider of dynamic resources from the program's folder. They find `node` on PATH, which begins with the right
 * version. (The shell remains the parent of that process, as in Pulumi's releases, so that tests see the same process
 * tree.)
 *
 * @type {Record<string, string>} the text of each executable
 */
const companionScripts = {
    "pulumi-language-nodejs": `#!/bin/sh\nexec node ${hostFile("main.js")} "$@"\n`,
    "pulumi-resource-pulumi-nodejs": [
        "#!/bin/sh",
        `script=$(node -p "require.resolve('@pulumi/pulumi/cmd/dynamic-provider')") || exit`,
        'node "$script" "$@"',
        "",
    ].join("\n"),
};

/** Writes the companion scripts beside the engine, which would warn about plugins in any other folder on PATH. */
function writeCompanions() {
    for (const [name, text] of Object.entries(companionScripts)) {
        const file = path.join(engineBin, name);
        if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
            writeWhole(file, text, 0o755);
        }
    }
}

/** Whether the language host in a folder is Pulumi's binary and not this package's script. */
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
 * Copies a `pulumi` that has no language host to the tool folder, so that this package's host can be put beside it.
 *
 * @param {string} source
 */
function copyEngine(source) {
    const target = path.join(privateFolder(engineBin), "pulumi");
    const temporary = `${target}.${process.pid}.tmp`;
    fs.copyFileSync(source, temporary, fs.constants.COPYFILE_FICLONE);
    fs.chmodSync(temporary, 0o755);
    const { atime, mtime } = fs.statSync(source);
    fs.utimesSync(temporary, atime, mtime);
    fs.renameSync(temporary, target);
}

/**
 * Finds an engine: on PATH with its own language host; in the tool folder; on PATH without a language host, with this
 * package's.
 *
 * @returns {{ engine?: Engine, rejected: string[] }} `rejected` says why each `pulumi` that was found cannot be used
 */
function findEngine() {
    /** @type {string[]} */
    const rejected = [];
    const own = path.join(engineBin, "pulumi");
    const onPath = which(
        "pulumi",
        (process.env.PATH ?? "")
            .split(path.delimiter)
            .filter((f) => f !== engineBin)
            .join(path.delimiter),
    );

    const usable = (/** @type {string} */ command) => {
        const version = versionOf(command);
        if (version && isAtLeast(version, oldestVersion)) {
            return version;
        }
        rejected.push(version ? `${command} is ${version}, older than ${oldestVersion}` : `${command} cannot be run`);
        return undefined;
    };

    if (onPath && hasOfficialHost(path.dirname(fs.realpathSync(onPath)))) {
        const version = usable(onPath);
        if (version) {
            return { engine: { folder: path.dirname(onPath), version, languageHost: "official" }, rejected };
        }
    } else if (onPath && !isUpToDateCopy(onPath, own)) {
        if (usable(onPath)) {
            copyEngine(onPath);
        }
    }
    if (fs.existsSync(own)) {
        const version = usable(own);
        if (version) {
            const official = hasOfficialHost(engineBin);
            if (!official) {
                writeCompanions();
            }
            return { engine: { folder: engineBin, version, languageHost: official ? "official" : "own" }, rejected };
        }
    }
    return { rejected };
}

/**
 * Whether a copy is up to date with its source, by size and modification time.
 *
 * @param {string} source
 * @param {string} copy
 */
function isUpToDateCopy(source, copy) {
    if (!fs.existsSync(copy)) {
        return false;
    }
    const [a, b] = [fs.statSync(source), fs.statSync(copy)];
    return a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2000;
}

module.exports = { findEngine, isAtLeast };
