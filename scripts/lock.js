"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** How often a waiting process looks again. */
const pollMilliseconds = 500;

/**
 * Does something that only one process at a time may do. A lock whose holder has died is taken over.
 *
 * @template T
 * @param {string} file the lock: it holds the number of the process that has it
 * @param {(holder: number) => void} onWait called once when another process has the lock
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function withLock(file, onWait, action) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    let told = false;
    while (!take(file)) {
        const holder = holderOf(file);
        if (holder === undefined) {
            continue; // given back between the two looks
        }
        if (!isAlive(holder)) {
            discard(file);
            continue;
        }
        if (!told) {
            told = true;
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
 * A link to a finished file is made whole or not at all: nobody reads a lock without its holder.
 *
 * @param {string} file
 * @returns {boolean} false when somebody has it
 */
function take(file) {
    const mine = `${file}.${process.pid}`;
    fs.writeFileSync(mine, String(process.pid));
    try {
        fs.linkSync(mine, file);
        return true;
    } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") {
            return false;
        }
        throw error;
    } finally {
        fs.rmSync(mine);
    }
}

/**
 * Removes the lock of a dead process. It is moved away first: of several processes that find it dead, one succeeds.
 *
 * @param {string} file
 */
function discard(file) {
    const grave = `${file}.dead.${process.pid}`;
    try {
        fs.renameSync(file, grave);
        const holder = holderOf(grave);
        if (holder !== undefined && isAlive(holder)) {
            fs.renameSync(grave, file); // a living process had taken it meanwhile
        } else {
            fs.rmSync(grave, { force: true });
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

/** @param {number} pid what a lock says; a file that a crash of the machine has emptied names no process */
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
