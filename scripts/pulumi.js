"use strict";

/** `npm run pulumi -- ARGS`: runs the engine in this checkout. */

const { spawnSync } = require("node:child_process");
const { cloudEnvironment } = require("./cloud");
const { engineEnvironment } = require("./environment");
const { findEngine } = require("./find");
const { root } = require("./paths");
const { run } = require("./run");
const { bareName, localPassphrase, localStack, readCommandLine } = require("./stack");

/** @type {NodeJS.ProcessEnv} */
const localSecrets = { PULUMI_CONFIG_PASSPHRASE: localPassphrase, PULUMI_CONFIG_PASSPHRASE_FILE: undefined };

/**
 * The stack that a command works on. If none is selected in the backend of this checkout, `local` is created and
 * selected.
 *
 * @param {{ needsStack: boolean, stack?: string }} commandLine
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} undefined if the command needs no stack, or if the engine will prompt for one
 */
function stackOf({ needsStack, stack }, environment) {
    if (stack) {
        return bareName(stack);
    }
    if (!needsStack) {
        return undefined;
    }
    const engine = (/** @type {string[]} */ ...words) => {
        const env = { ...environment, ...localSecrets };
        return spawnSync("pulumi", [...words, "--non-interactive"], { cwd: root, env, encoding: "utf8" });
    };
    const selected = engine("stack", "--show-name");
    if (selected.status === 0) {
        return bareName(selected.stdout.trim());
    }
    if (process.env.PULUMI_BACKEND_URL) {
        return undefined;
    }
    const made = engine("stack", "select", "--create", localStack);
    if (made.status !== 0) {
        process.stderr.write(made.stderr);
        return undefined;
    }
    return localStack;
}

/**
 * Runs the engine in this checkout.
 *
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
async function pulumi(args) {
    const { engine, rejected } = findEngine();
    if (!engine) {
        const reasons = rejected.map((reason) => `  ${reason}\n`).join("");
        console.error(
            `No usable Pulumi engine was found. Install it with:\n\n  npm run setup -- --engine\n\n${reasons}`,
        );
        return 127;
    }
    const environment = engineEnvironment(engine);
    const commandLine = readCommandLine(args);
    if (stackOf(commandLine, environment) === localStack) {
        Object.assign(environment, localSecrets);
        const cloud = cloudEnvironment();
        if (cloud) {
            Object.assign(environment, cloud);
        } else if (commandLine.needsStack) {
            console.error(`Stack ${localStack} needs the embedded cloud, which is not running. Start it: npm run demo`);
        }
    }
    return run("pulumi", args, environment, { cwd: root });
}

module.exports = { pulumi };

if (require.main === module) {
    pulumi(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
