"use strict";

/** `npm test`: everything that is checked, with what it needs; ends in a line that counts the tests. */

const path = require("node:path");
const { nodeBin, root } = require("./paths");
const { run } = require("./run");
const { setup } = require("./setup");

const help = `Usage: npm test [-- JEST ARGUMENTS]

Gets what the tests need (npm run setup), builds the package, runs the linter and all tests, and ends in a line that counts them.
Tests that cannot run on a machine are skipped by name. One folder alone: npm run test:unit,
test:contract, test:e2e. Of two kinds only the telling part is run here; all of them: npm run test:faults (kills, lost
answers and other faults at every call), npm run test:machines (what clusters on real machines survive).`;

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
async function test(args) {
    // Without a host tool its tests are skipped; without an engine there is no end-to-end test, and that is a failure.
    const tools = await setup(["--host-tools"]);
    if (tools !== 0) {
        console.log("Tests that need a missing tool are going to be skipped by name.");
    }
    if ((await setup(["--engine"])) !== 0) {
        return 1;
    }
    const env = { ...process.env, PATH: [nodeBin, process.env.PATH].join(path.delimiter) };
    for (const [title, script] of [["Build", "build"], ["Linter and types", "lint"]]) {
        console.log(`\n== ${title}`);
        const code = await run("npm", ["run", "--silent", script], env, { cwd: root });
        if (code !== 0) {
            return code;
        }
    }
    console.log("\n== Tests");
    return run("jest", ["--ignoreProjects=machines-long", ...args], env, { cwd: root });
}

if (process.argv.includes("--help")) {
    console.log(help);
} else {
    test(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
