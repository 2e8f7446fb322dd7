"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { engineEnvironment } = require("./environment");
const { findEngine } = require("./find");
const { root, stateFolder } = require("./paths");
const { localPassphrase, localStack } = require("./stack");

/**
 * Runs a command of the engine on stack `local` and returns its output.
 *
 * @param {string[]} args
 * @returns {{ status: number | null, stdout: string, stderr: string }}
 */
function runEngine(...args) {
    const found = findEngine().engine;
    if (!found) {
        return { status: 127, stdout: "", stderr: "no Pulumi engine was found" };
    }
    const env = {
        ...engineEnvironment(found),
        PULUMI_CONFIG_PASSPHRASE: localPassphrase,
        PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    };
    return spawnSync("pulumi", [...args, "--stack", localStack, "--non-interactive"], {
        cwd: root,
        env,
        encoding: "utf8",
        maxBuffer: 256 * 2 ** 20,
    });
}

/**
 * Whether stack `local` exists in the backend of this checkout.
 *
 * @returns {boolean}
 * @throws Error with the engine's message if that cannot be determined
 */
function stackExists() {
    if (!process.env.PULUMI_BACKEND_URL && !fs.existsSync(stateFolder)) {
        return false;
    }
    const { status, stderr } = runEngine("stack", "export");
    if (status !== 0 && !/no stack named/.test(stderr)) {
        throw new Error(`pulumi stack export: ${stderr.trim()}`);
    }
    return status === 0;
}

/**
 * Creates and selects stack `local` unless it exists.
 *
 * @throws Error with the engine's message
 */
function makeStack() {
    if (!stackExists()) {
        const { status, stderr } = runEngine("stack", "init");
        if (status !== 0) {
            throw new Error(`pulumi stack init: ${stderr.trim()}`);
        }
    }
}

/** Removes the empty stack `local` but not its configuration, which is part of the checkout. */
function removeStack() {
    const { status, stderr } = runEngine("stack", "rm", "--yes", "--preserve-config");
    if (status !== 0) {
        throw new Error(`pulumi stack rm: ${stderr.trim()}`);
    }
}

/**
 * The JSON output of a `pulumi stack` subcommand for stack `local`.
 *
 * @param {string[]} args such as `output --json`
 * @returns {any}
 * @throws Error with the engine's message
 */
function readStack(...args) {
    const { status, stdout, stderr } = runEngine("stack", ...args);
    if (status !== 0) {
        throw new Error(`pulumi stack ${args.join(" ")}: ${stderr.trim()}`);
    }
    return JSON.parse(stdout);
}

/** Whether an interrupted run has left pending operations in the state of stack `local`. */
function hasPendingOperations() {
    return Boolean(readStack("export").deployment?.pending_operations?.length);
}

/**
 * Removes the lock that a killed engine has left on stack `local`. The lock of a running engine is kept, and the engine
 * reports it. (A lock is a JSON file with the pid of its holder.)
 */
function unlock() {
    const folder = path.join(stateFolder, ".pulumi", "locks");
    const locks = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
    const left = locks.filter((file) => file.endsWith(".json") && file.split(path.sep).includes(localStack));
    if (left.length > 0 && left.every((file) => isDead(path.join(folder, file)))) {
        console.log("An earlier run was interrupted: pulumi cancel");
        runEngine("cancel", "--yes");
    }
}

/** @param {string} lock */
function isDead(lock) {
    try {
        process.kill(JSON.parse(fs.readFileSync(lock, "utf8")).pid, 0);
        return false;
    } catch (error) {
        return /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH";
    }
}

module.exports = { hasPendingOperations, makeStack, readStack, removeStack, stackExists, unlock };
