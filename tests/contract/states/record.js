"use strict";

/**
 * Adds the stack of a new version to the collection, at its release:
 *
 *     mkdir tests/contract/states/VERSION      with a program.ts that uses all that the version has
 *     npm run build && node tests/contract/states/record.js VERSION
 */

const fs = require("node:fs");

require("../../support/typescript");

const { file, record, stand } = require("./recorded");

async function main([version]) {
    if (version === undefined || !fs.existsSync(file(version, "program.ts")))
        throw new Error("Name a version whose folder has a program.ts.");
    if (fs.existsSync(file(version, "state.json.gz")))
        throw new Error(`${version} is recorded: it is never changed again.`);
    const made = await stand(version);
    await made.project.up();
    await made.project.expectNoChanges();
    await record(version, made);
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
