"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { output } = require("./command");
const { findEngine, isAtLeast } = require("./find");
const { withLock } = require("./lock");
const { privateFolder, tools, which } = require("./paths");
const { Progress } = require("./progress");

/** The version of the engine that is installed if there is none: the one this package is tested with. */
const engineVersion = "3.259.0";

/** Pulumi's installer, as documented at https://www.pulumi.com/docs/iac/download-install/. */
const installer = "https://get.pulumi.com";

/** How long to wait for a connection to the installer's host before building the engine instead. */
const connectSeconds = 8;

/** The folder of the Go module that the engine is built from. */
const goModule = path.join(__dirname, "pulumi");

/** Go 1.21 and later download the toolchain that a module requires. */
const oldestGo = "1.21.0";

/**
 * Installs the engine in the tool folder, unless another process has done so in the meantime.
 *
 * @returns {Promise<import("./find").Engine>}
 * @throws Error that says what is missing, and what to do
 */
function installEngine() {
    const lock = path.join(tools, "engine.lock");
    const wait = (/** @type {number} */ holder) =>
        console.log(`Waiting for process ${holder}, which is installing the engine …`);
    return withLock(lock, wait, async () => {
        const { engine, rejected } = findEngine();
        if (engine) {
            return engine;
        }
        rejected.forEach((reason) => console.log(`Not usable: ${reason}`));
        /** @type {string[]} */
        const failures = [];
        for (const way of [download, build]) {
            const folder = path.join(privateFolder(tools), `engine.${process.pid}.tmp`);
            try {
                await way(folder);
                moveIntoPlace(folder);
                const { engine: installed } = findEngine();
                if (installed) {
                    return installed;
                }
                failures.push("the installed engine cannot be run");
            } catch (error) {
                failures.push(error instanceof Error ? error.message : String(error));
            } finally {
                fs.rmSync(folder, { recursive: true, force: true });
            }
        }
        throw new Error(installAdvice(failures));
    });
}

/**
 * Downloads the release with Pulumi's own installer.
 *
 * @param {string} folder the installation folder; `bin` is created in it
 */
async function download(folder) {
    const progress = new Progress(
        `Downloading the Pulumi engine ${engineVersion} with Pulumi's installer (${installer})`,
    );
    try {
        if (!which("curl")) {
            throw new Error("Pulumi's installer needs curl, which is not installed");
        }
        const limits = ["--connect-timeout", String(connectSeconds), "--max-time", "60"];
        const script = await output("curl", ["-fsSL", ...limits, installer]).catch(() => {
            throw new Error(`${installer} cannot be reached`);
        });
        await output("sh", ["-s", "--", "--version", engineVersion, "--install-root", folder, "--no-edit-path"], {
            input: script,
            onLine: (line) => progress.show(line.replace(/\u001b\[[0-9;]*m/g, "").trim()),
        });
        progress.done("installed");
    } catch (error) {
        progress.failed(error instanceof Error ? error.message : String(error));
        throw error;
    }
}

/**
 * Builds the engine from its Go module. Pulumi's Node language host cannot be built this way, so this package's is
 * used.
 *
 * @param {string} folder
 */
async function build(folder) {
    const progress = new Progress(
        `Building the Pulumi engine ${engineVersion} from its Go module: once, four to eight minutes on two cores, ` +
            "3 GB in Go's caches",
    );
    try {
        const go = which("go") ?? which("go", "/usr/local/go/bin:/usr/lib/go/bin");
        if (!go) {
            throw new Error(`Go ${oldestGo} or later, which could build it, was not found on PATH`);
        }
        const version = (await output(go, ["env", "GOVERSION"])).trim().replace(/^go/, "");
        if (!isAtLeast(version, oldestGo)) {
            throw new Error(`${go} is Go ${version}; building needs ${oldestGo} or later`);
        }
        const env = { ...process.env, GOWORK: "off", GO111MODULE: "on", CGO_ENABLED: "0" };
        const options = { cwd: goModule, env };
        const command = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";

        let modules = 0;
        const listed = await output(go, ["list", "-mod=readonly", "-deps", command], {
            ...options,
            onLine: (line) => line.startsWith("go: downloading") && progress.show(`${++modules} modules downloaded`),
        });
        const packages = listed.trim().split("\n").length;
        let compiled = 0;
        const stamp = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`;
        const flags = ["-v", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", `-s -w -X ${stamp}`];
        await output(go, ["build", ...flags, "-o", path.join(folder, "bin", "pulumi"), command], {
            ...options,
            onLine: (line) =>
                /^[\w.]+(\/|$)/.test(line) && progress.show(`${++compiled} of ${packages} packages compiled`),
        });
        progress.done("built");
    } catch (error) {
        progress.failed(error instanceof Error ? error.message : String(error));
        throw error;
    }
}

/**
 * Moves a finished installation to its final folder.
 *
 * @param {string} folder
 */
function moveIntoPlace(folder) {
    const target = path.join(tools, "engine");
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(folder, target);
}

/**
 * The error message if the engine can neither be downloaded nor built.
 *
 * @param {string[]} failures
 */
function installAdvice(failures) {
    return [
        "The Pulumi engine could not be installed:",
        ...failures.map((failure) => `  - ${failure.replaceAll("\n", "\n    ")}`),
        "Do one of these, then run this command again:",
        `  - install Pulumi ${engineVersion} or later yourself (https://www.pulumi.com/docs/iac/download-install/)`,
        `  - install Go ${oldestGo} or later (https://go.dev/doc/install), with access to a Go module proxy`,
    ].join("\n");
}

module.exports = { installAdvice, engineVersion, installEngine };
