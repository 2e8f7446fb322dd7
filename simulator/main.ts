#!/usr/bin/env node
/** The command `cloudstack-local`. */

/** The first version of Node that has `node:sqlite` without a flag. */
const NEEDED = [22, 13];

function isTooOld(version: string): boolean {
    const [major, minor] = version.split(".").map(Number);
    return major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1]);
}

if (isTooOld(process.versions.node)) {
    console.error(`cloudstack-local needs Node ${NEEDED.join(".")} or later; this is ${process.version}.`);
    process.exitCode = 1;
} else {
    // node:sqlite is experimental in these versions of Node, which would print a warning at every start.
    process.removeAllListeners("warning");
    process.on("warning", (warning) => {
        if (!/SQLite/.test(warning.message)) console.warn(warning);
    });
    // Loaded only after the check: on an older Node the import itself fails.
    const { run } = require("./cli/run") as typeof import("./cli/run");
    void run(process.argv.slice(2));
}
