"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** How often a waiting process tries again. */
const pollMilliseconds = 500;

/**
 * Runs an action that only one process at a time may run. A lock whose holder has died is taken over.
 *
 * @template T
 * @param {string} file the lock, which contains the pid of its holder
 * @param {(holder: number) => void} onWait called once when another process has the lock
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function withLock(file, onWait, action) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    let hasReported = false;
    while (!acquire(file)) {
        const holder = holderOf(file);
        if (holder === undefined) {
            continue; // released since `acquire` failed
        }
        if (!isAlive(holder)) {
            removeStaleLock(file);
            continue;
        }
        if (!hasReported) {
            hasReported = true;
            onWait(holder);
        }
        await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
    }
    try {
        return await action();
    } finally {
        fs.rmSync(file, { force: true });
    }
}

/**
 * link() to a complete file is atomic, so that nobody reads a lock without its holder's pid.
 *
 * @param {string} file
 * @returns {boolean} false if another process has it
 */
function acquire(file) {
    const candidate = `${file}.${process.pid}`;
    fs.writeFileSync(candidate, String(process.pid));
    try {
        fs.linkSync(candidate, file);
        return true;
    } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") {
            return false;
        }
        throw error;
    } finally {
        fs.rmSync(candidate);
    }
}

/**
 * Removes the lock of a dead process. It is renamed first, so that only one of several processes succeeds.
 *
 * @param {string} file
 */
function removeStaleLock(file) {
    const stale = `${file}.dead.${process.pid}`;
    try {
        fs.renameSync(file, stale);
        const holder = holderOf(stale);
        if (holder !== undefined && isAlive(holder)) {
            fs.renameSync(stale, file); // a live process has acquired it since it was read
        } else {
            fs.rmSync(stale, { force: true });
        }
    } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") {
            throw error;
        }
    }
}

/**
 * @param {string} file
 * @returns {number | undefined}
 */
function holderOf(file) {
    try {
        return Number(fs.readFileSync(file, "utf8"));
    } catch {
        return undefined;
    }
}

/** @param {number} pid the content of a lock; 0 or NaN if a crash of the machine has truncated the file */
function isAlive(pid) {
    if (!(pid > 0)) {
        return false;
    }
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
    }
}

module.exports = { withLock };
