"use strict";

const fs = require("node:fs");
const { output } = require("./command");
const { which } = require("./paths");
const { Progress } = require("./progress");

/**
 * A program of the system that some part of this project runs.
 *
 * @typedef {object} HostTool
 * @property {string} command what is looked for on PATH
 * @property {string} package the Debian package that brings it
 * @property {string} why
 * @property {string[]} [services] what the package would start, although only its program is wanted
 */

/**
 * All programs of the system that the tests and the demo need. Nothing breaks without them: tests that need one are
 * skipped by name.
 *
 * @type {HostTool[]}
 */
const hostTools = [
    { command: "cloud-init", package: "cloud-init", why: "checks the cloud-init documents against its schema" },
    { command: "shellcheck", package: "shellcheck", why: "checks the scripts that machines run" },
    { command: "systemd-analyze", package: "systemd", why: "checks the units that machines run" },
    { command: "nft", package: "nftables", why: "checks the packet filters of machines" },
    { command: "openssl", package: "openssl", why: "checks certificates and their purposes" },
    {
        command: "haproxy",
        package: "haproxy",
        why: "checks the configuration of the API server's balancer",
        services: ["haproxy.service"],
    },
];

/** Where administration commands lie that are not on every user's PATH. */
const searchPath = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(":");

/** A file that keeps cloud-init from configuring this machine at its next start (cloud-init, "How to disable"). */
const cloudInitDisabled = "/etc/cloud/cloud-init.disabled";

/**
 * The tools of a list that this machine lacks.
 *
 * @param {HostTool[]} [tools]
 * @param {(command: string) => unknown} [find]
 */
function missingTools(tools = hostTools, find = (command) => which(command, searchPath)) {
    return tools.filter(({ command }) => !find(command));
}

/**
 * Installs what is missing with the system's package manager where that can be done, and else says how.
 *
 * @returns {Promise<boolean>} whether everything is there now
 */
async function installHostTools() {
    const missing = missingTools();
    if (!missing.length) {
        console.log(`Host tools: all there (${hostTools.map(({ command }) => command).join(", ")})`);
        return true;
    }
    console.log("Host tools that are missing:");
    missing.forEach(({ command, why }) => console.log(`  ${command.padEnd(16)} ${why}`));
    const packages = [...new Set(missing.map((tool) => tool.package))];
    const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...packages];
    if (!which("apt-get")) {
        console.log(`Install them with your package manager (names of the Debian packages: ${packages.join(", ")}).`);
        return false;
    }
    if (process.getuid?.() !== 0) {
        console.log(`Install them, then run this again:\n\n  sudo ${install.join(" ")}\n`);
        return false;
    }

    const progress = new Progress(`Installing ${packages.join(", ")} with apt-get`);
    const options = {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        onLine: (/** @type {string} */ line) => progress.show(line.trim()),
    };
    // Another apt may be at work: on a fresh machine its daily update often is.
    const patience = ["-o", "DPkg::Lock::Timeout=300"];
    try {
        leaveMachineAlone(packages);
        await output("apt-get", [...patience, "update"], options);
        await output(install[0], [...patience, ...install.slice(1)], options);
        await stopServices(missing);
        const left = missingTools();
        if (left.length) {
            throw new Error(`still missing: ${left.map(({ command }) => command).join(", ")}`);
        }
        progress.done("installed");
        return true;
    } catch (error) {
        progress.failed(error instanceof Error ? error.message : String(error));
        return false;
    }
}

/**
 * Only cloud-init's checker is wanted. Once installed, its services would set up this machine as a new one at its next
 * start, so they are switched off before.
 *
 * @param {string[]} packages
 */
function leaveMachineAlone(packages) {
    if (packages.includes("cloud-init")) {
        fs.mkdirSync("/etc/cloud", { recursive: true });
        fs.writeFileSync(cloudInitDisabled, "Installed for its schema checker only.\n");
        console.log(`${cloudInitDisabled} keeps cloud-init from acting on this machine.`);
    }
}

/**
 * @param {HostTool[]} installed
 */
async function stopServices(installed) {
    const services = installed.flatMap((tool) => tool.services ?? []);
    if (services.length && fs.existsSync("/run/systemd/system")) {
        await output("systemctl", ["disable", "--now", ...services]);
    }
}

module.exports = { hostTools, installHostTools, missingTools };
