#!/usr/bin/env node
/** The command `cloudstack-local`. */

/** The first Node with `node:sqlite` without a flag. */
const NEEDED = [22, 13];

function isTooOld(version: string): boolean {
    const [major, minor] = version.split(".").map(Number);
    return major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1]);
}

if (isTooOld(process.versions.node)) {
    console.error(`cloudstack-local needs Node ${NEEDED.join(".")} or later; this is ${process.version}.`);
    process.exitCode = 1;
} else {
    // SQLite's place in Node is marked as experimental; users need not read that with every start.
    process.removeAllListeners("warning");
    process.on("warning", (warning) => {
        if (!/SQLite/.test(warning.message)) console.warn(warning);
    });
    // Loaded only now: an older Node would fail at the import.
    const { run } = require("./cli/run") as typeof import("./cli/run");
    void run(process.argv.slice(2));
}
