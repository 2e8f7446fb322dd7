"use strict";

const fs = require("node:fs");
const { output } = require("./command");
const { which } = require("./paths");
const { Progress } = require("./progress");

/**
 * A program of the operating system that this project runs.
 *
 * @typedef {object} HostTool
 * @property {string} command a program on PATH, or a file
 * @property {string} package the Debian package that contains it
 * @property {string} why
 * @property {string[]} [services] services that the package starts, and that are not needed
 */

/**
 * The programs that the embedded cloud needs to boot machines.
 *
 * @type {HostTool[]}
 */
const machineTools = [
    { command: "systemd-nspawn", package: "systemd-container", why: "runs machines of the embedded cloud" },
    { command: "mmdebstrap", package: "mmdebstrap", why: "makes their root file systems" },
    {
        command: "/usr/share/keyrings/debian-archive-keyring.gpg",
        package: "debian-archive-keyring",
        why: "verifies the packages in them",
    },
    { command: "dnsmasq", package: "dnsmasq-base", why: "gives machines addresses and names" },
    { command: "ip", package: "iproute2", why: "makes their network" },
    { command: "nft", package: "nftables", why: "enforces their security groups" },
    { command: "losetup", package: "mount", why: "makes their disks" },
    { command: "unshare", package: "util-linux", why: "isolates them in namespaces" },
];

/**
 * All programs of the operating system that the tests need. Tests that need a missing one are skipped by name.
 *
 * @type {HostTool[]}
 */
const hostTools = [
    ...machineTools,
    { command: "cloud-init", package: "cloud-init", why: "checks the cloud-init documents against its schema" },
    { command: "shellcheck", package: "shellcheck", why: "checks the scripts that machines run" },
    { command: "systemd-analyze", package: "systemd", why: "checks the units that machines run" },
    { command: "openssl", package: "openssl", why: "checks certificates and their purposes" },
    {
        command: "haproxy",
        package: "haproxy",
        why: "checks the configuration of the API server's balancer",
        services: ["haproxy.service"],
    },
    { command: "gcc", package: "gcc", why: "builds runc, if its release cannot be downloaded" },
    { command: "/usr/include/stdio.h", package: "libc6-dev", why: "the same" },
    { command: "/usr/include/seccomp.h", package: "libseccomp-dev", why: "the same" },
    { command: "pkg-config", package: "pkg-config", why: "the same" },
];

/** PATH with the folders of administration programs, which not every user's PATH has. */
const searchPath = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(":");

/** A file that keeps cloud-init from configuring this machine at its next boot (cloud-init, "How to disable"). */
const cloudInitDisabled = "/etc/cloud/cloud-init.disabled";

/**
 * The tools of a list that this machine lacks.
 *
 * @param {HostTool[]} [tools]
 * @param {(command: string) => unknown} [find]
 */
function missingTools(tools = hostTools, find = isInstalled) {
    return tools.filter(({ command }) => !find(command));
}

/** @param {string} command a program, or a file */
function isInstalled(command) {
    return command.startsWith("/") ? fs.existsSync(command) : which(command, searchPath) !== undefined;
}

/**
 * Installs missing programs with apt-get if that is possible, otherwise prints how to install them.
 *
 * @param {HostTool[]} [tools]
 * @returns {Promise<boolean>} whether all programs are installed now
 */
async function installHostTools(tools = hostTools) {
    if (process.platform !== "linux") {
        console.log("Host tools: only available on Linux; what needs them is skipped");
        return false;
    }
    const missing = missingTools(tools);
    if (!missing.length) {
        console.log(`Host tools: all installed (${tools.map((tool) => tool.package).join(", ")})`);
        return true;
    }
    console.log("Missing host tools:");
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
    // Another apt process may be running: on a fresh machine its daily update often is.
    const lockTimeout = ["-o", "DPkg::Lock::Timeout=300"];
    try {
        disableCloudInit(packages);
        await output("apt-get", [...lockTimeout, "update"], options);
        await output(install[0], [...lockTimeout, ...install.slice(1)], options);
        await stopServices(missing);
        const left = missingTools(tools);
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
 * Only cloud-init's schema checker is needed. Its services would configure this machine as a new one at its next boot,
 * so they are disabled before the installation.
 *
 * @param {string[]} packages
 */
function disableCloudInit(packages) {
    if (packages.includes("cloud-init")) {
        fs.mkdirSync("/etc/cloud", { recursive: true });
        fs.writeFileSync(cloudInitDisabled, "Installed for its schema checker only.\n");
        console.log(`${cloudInitDisabled} keeps cloud-init from configuring this machine.`);
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

module.exports = { hostTools, installHostTools, machineTools, missingTools };
