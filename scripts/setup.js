"use strict";

/** `npm run setup`: installs what this checkout needs and the machine lacks. */

const { parseArgs } = require("node:util");
const { findEngine } = require("./find");
const { hostTools, installHostTools, machineTools } = require("./hostTools");
const { engineVersion, installEngine } = require("./installEngine");

const help = `Usage: npm run setup [-- PART...]

Installs what is missing, and lists it. Without a part: everything.

  --engine         the Pulumi engine (${engineVersion}) with a Node language host: the one on PATH if there is one,
                   else installed in .tools (Pulumi's installer, or built with Go)
  --machine-tools  programs that the embedded cloud needs to boot machines: ${packages(machineTools)}
  --host-tools     these, and programs that the tests run: ${packages(hostTools.filter((tool) => !machineTools.includes(tool)))}
  --help           print this text

PULUMI_CLOUDSTACK_TOOLS sets another folder than .tools, so that checkouts can share one engine.`;

/** @param {{ package: string }[]} tools */
function packages(tools) {
    return tools.map((tool) => tool.package).join(", ");
}

/** Finds or installs the engine, and prints its version and folder. */
async function setupEngine() {
    const { folder, version, languageHost } = findEngine().engine ?? (await installEngine());
    const host = languageHost === "official" ? "its Node language host" : "this package's Node language host";
    console.log(`Pulumi engine ${version} with ${host}: ${folder}`);
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
async function setup(args) {
    /** @type {{ engine?: boolean, "machine-tools"?: boolean, "host-tools"?: boolean, help?: boolean }} */
    let parts;
    try {
        const flag = { type: /** @type {const} */ ("boolean") };
        const options = { engine: flag, "machine-tools": flag, "host-tools": flag, help: { ...flag, short: "h" } };
        parts = parseArgs({ args, options }).values;
    } catch (error) {
        console.error(`${/** @type {Error} */ (error).message}\n\n${help}`);
        return 2;
    }
    if (parts.help) {
        console.log(help);
        return 0;
    }
    const everything = !parts.engine && !parts["host-tools"] && !parts["machine-tools"];
    let complete = true;
    if (everything || parts["host-tools"]) {
        complete = await installHostTools();
    } else if (parts["machine-tools"]) {
        complete = await installHostTools(machineTools);
    }
    if (everything || parts.engine) {
        try {
            await setupEngine();
        } catch (error) {
            console.error(/** @type {Error} */ (error).message);
            return 1;
        }
    }
    return complete ? 0 : 1;
}

module.exports = { setup, setupEngine };

if (require.main === module) {
    setup(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
