"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { output } = require("./command");
const { findEngine, isAtLeast } = require("./find");
const { withLock } = require("./lock");
const { privateFolder, tools, which } = require("./paths");
const { Progress } = require("./progress");

/** The engine that is installed where there is none: the one this package is tested with. */
const engineVersion = "3.259.0";

/** Pulumi's installer, as documented at https://www.pulumi.com/docs/iac/download-install/. */
const installer = "https://get.pulumi.com";

/** How long to wait for the installer's host before looking elsewhere. */
const connectSeconds = 8;

/** The Go module that brings the engine (see go.mod there). */
const goModule = path.join(__dirname, "pulumi");

/** Go 1.21 and later fetch the toolchain that a module asks for. */
const oldestGo = "1.21.0";

/**
 * Installs the engine in the tool folder, unless another process has done so meanwhile.
 *
 * @returns {Promise<import("./find").Engine>}
 * @throws Error saying what is missing, and what to do
 */
function installEngine() {
    const lock = path.join(tools, "engine.lock");
    const wait = (/** @type {number} */ holder) => console.log(`Process ${holder} installs the engine; waiting for it …`);
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
                put(folder);
                const { engine: installed } = findEngine();
                if (installed) {
                    return installed;
                }
                failures.push("what was installed does not run");
            } catch (error) {
                failures.push(error instanceof Error ? error.message : String(error));
            } finally {
                fs.rmSync(folder, { recursive: true, force: true });
            }
        }
        throw new Error(advice(failures));
    });
}

/**
 * Gets the release by Pulumi's own installer.
 *
 * @param {string} folder where to put it; `bin` is made below it
 */
async function download(folder) {
    const progress = new Progress(`Getting the Pulumi engine ${engineVersion} with Pulumi's installer (${installer})`);
    try {
        if (!which("curl")) {
            throw new Error("Pulumi's installer needs curl, which is not there");
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
 * Builds the engine from its Go module. The Node language host is in no module that could be built so; ours stands in.
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
            throw new Error(`there is no Go (${oldestGo} or later) on PATH to build it with`);
        }
        const version = (await output(go, ["env", "GOVERSION"])).trim().replace(/^go/, "");
        if (!isAtLeast(version, oldestGo)) {
            throw new Error(`${go} is Go ${version}; building takes ${oldestGo} or later`);
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
            onLine: (line) => /^[\w.]+(\/|$)/.test(line) && progress.show(`${++compiled} of ${packages} packages compiled`),
        });
        progress.done("built");
    } catch (error) {
        progress.failed(error instanceof Error ? error.message : String(error));
        throw error;
    }
}

/**
 * Puts a finished installation in its place.
 *
 * @param {string} folder
 */
function put(folder) {
    const target = path.join(tools, "engine");
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(folder, target);
}

/**
 * What to tell somebody whose machine cannot get the engine.
 *
 * @param {string[]} failures
 */
function advice(failures) {
    return [
        "The Pulumi engine could not be installed:",
        ...failures.map((failure) => `  - ${failure.replaceAll("\n", "\n    ")}`),
        "Do one of these, then run this command again:",
        `  - install Pulumi ${engineVersion} or later yourself (https://www.pulumi.com/docs/iac/download-install/)`,
        `  - install Go ${oldestGo} or later (https://go.dev/doc/install), with access to a Go module proxy`,
    ].join("\n");
}

module.exports = { advice, engineVersion, installEngine };
