"use strict";

/** `npm run demo:down`: destroys what the demo made, and stops its cloud. */

const fs = require("node:fs");
const { showCloud } = require("./cloud");
const { demoFolder } = require("./paths");
const { localStack } = require("./stack");
const { destroy } = require("./stackRuns");
const { removeStack, stackExists } = require("./stackState");

const help = `Usage: npm run demo:down

Destroys stack ${localStack} and stops the embedded cloud. Harmless to repeat, and after an interrupted demo.`;

/** @returns {Promise<number>} exit code */
async function demoDown() {
    if (stackExists()) {
        // The stack's machines are in that cloud: it has to run to give them back.
        const start = await showCloud("start");
        if (start !== 0) {
            return start;
        }
        const code = await destroy();
        if (code !== 0) {
            console.error("\nNot everything is gone yet. Run this again once the reason above is mended.");
            return code;
        }
        removeStack();
    }
    fs.rmSync(demoFolder, { recursive: true, force: true });
    return showCloud("stop");
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
