"use strict";

/** `npm run demo:down`: destroys the demo's stack, and stops its cloud. */

const fs = require("node:fs");
const { runCloud } = require("./cloud");
const { demoFolder } = require("./paths");
const { localStack } = require("./stack");
const { destroy } = require("./stackRuns");
const { removeStack, stackExists } = require("./stackState");

const help = `Usage: npm run demo:down

Destroys stack ${localStack} and stops the embedded cloud. It can be repeated, and run after an interrupted demo.`;

/** @returns {Promise<number>} exit code */
async function demoDown() {
    if (stackExists()) {
        // The cloud must be running for `pulumi destroy` to delete its machines.
        const start = await runCloud("start");
        if (start !== 0) {
            return start;
        }
        const code = await destroy();
        if (code !== 0) {
            console.error("\nThe destroy failed. Correct the errors above, and run this again.");
            return code;
        }
        removeStack();
    }
    fs.rmSync(demoFolder, { recursive: true, force: true });
    return runCloud("stop");
}

if (process.argv.includes("--help") || process.argv.includes("-h")) {
    console.log(help);
} else {
    demoDown().then(
        (code) => (process.exitCode = code),
        (error) => {
            console.error(error.message);
            process.exitCode = 1;
        },
    );
}
