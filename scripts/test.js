"use strict";

/** `npm test`: installs what the tests need, builds, lints and tests; the last line counts the tests. */

const path = require("node:path");
const { nodeBin, root } = require("./paths");
const { run } = require("./run");
const { setup } = require("./setup");

const help = `Usage: npm test [-- JEST ARGUMENTS]

Installs what the tests need (npm run setup), builds the package, and runs the linter and all tests; the last line
counts the tests. Tests that cannot run on a machine are skipped by name. One folder alone: npm run test:unit,
test:contract, test:e2e. Two suites run only in part; run them whole with npm run test:faults (kills, lost
answers and other faults at every call) and npm run test:machines (failures of clusters on real machines).`;

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
async function test(args) {
    // A missing host tool only skips its tests, but without an engine no end-to-end test could run, which is a failure.
    const tools = await setup(["--host-tools"]);
    if (tools !== 0) {
        console.log("Tests that need a missing tool will be skipped by name.");
    }
    if ((await setup(["--engine"])) !== 0) {
        return 1;
    }
    const env = { ...process.env, PATH: [nodeBin, process.env.PATH].join(path.delimiter) };
    for (const [title, script] of [
        ["Build", "build"],
        ["Linter and types", "lint"],
    ]) {
        console.log(`\n== ${title}`);
        const code = await run("npm", ["run", "--silent", script], env, { cwd: root });
        if (code !== 0) {
            return code;
        }
    }
    console.log("\n== Tests");
    return run("jest", ["--ignoreProjects", "machines-long", "conformance", "--", ...args], env, { cwd: root });
}

if (process.argv.includes("--help")) {
    console.log(help);
} else {
    test(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
