"use strict";

const fs = require("node:fs");
const path = require("node:path");

/**
 * A resource plugin that an installed npm package requires in the `pulumi` section of its package.json.
 *
 * @typedef {object} RequiredPlugin
 * @property {string} name
 * @property {string} version with a leading `v`, or empty for the newest
 * @property {string} server download URL, or empty for the default
 * @property {{ name: string, version: string, value: string }} [parameterization]
 */

/** The package manager by its lock file. */
const lockFiles = { "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun" };

/**
 * @param {string} folder
 * @returns {any} undefined if the folder has no readable package.json
 */
function readPackage(folder) {
    try {
        return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    } catch {
        return undefined;
    }
}

/**
 * Folders of the packages directly below a `node_modules` folder, scoped ones included.
 *
 * @param {string} modules
 * @returns {string[]}
 */
function packagesBelow(modules) {
    /** @type {(folder: string) => string[]} */
    const names = (folder) => {
        try {
            return fs.readdirSync(folder).filter((name) => !name.startsWith("."));
        } catch {
            return [];
        }
    };
    return names(modules)
        .flatMap((name) => (name.startsWith("@") ? names(path.join(modules, name)).map((n) => `${name}/${n}`) : [name]))
        .map((name) => path.join(modules, name));
}

/**
 * The plugins that the packages in a program's `node_modules` require, including nested packages. The engine installs
 * them before the program starts.
 *
 * @param {string} programFolder
 * @returns {RequiredPlugin[]} each plugin and version once
 */
function requiredPlugins(programFolder) {
    /** @type {Map<string, RequiredPlugin>} */
    const found = new Map();
    const seen = new Set();
    const visit = (/** @type {string} */ modules) => {
        for (const folder of packagesBelow(modules)) {
            const description = readPackage(folder);
            const real = description && fs.realpathSync(folder);
            if (!real || seen.has(real)) {
                continue;
            }
            seen.add(real);
            const required = requiredBy(description);
            if (required) {
                found.set(`${required.name} ${required.version}`, required);
            }
            visit(path.join(real, "node_modules"));
        }
    };
    visit(path.join(programFolder, "node_modules"));
    return [...found.values()];
}

/**
 * @param {any} description a package.json
 * @returns {RequiredPlugin | undefined}
 */
function requiredBy(description) {
    const { pulumi } = description;
    if (pulumi?.resource !== true) {
        return undefined;
    }
    const version = pulumi.version || description.version || "";
    return {
        name: pulumi.name || description.name.replace(/^@pulumi\//, ""),
        version: version && !version.startsWith("v") ? `v${version}` : version,
        server: pulumi.server ?? "",
        parameterization: pulumi.parameterization,
    };
}

/**
 * The installed packages that a program depends on: directly, or with `transitive` all of them.
 *
 * @param {string} programFolder
 * @param {boolean} transitive
 * @returns {{ name: string, version: string }[]} sorted by name
 */
function dependencies(programFolder, transitive) {
    /** @type {Map<string, { name: string, version: string }>} */
    const found = new Map();
    const visit = (/** @type {string} */ folder, /** @type {string[]} */ names) => {
        for (const name of names) {
            const installed = installedFolder(name, folder);
            const description = installed && readPackage(installed);
            if (!description || found.has(installed)) {
                continue;
            }
            found.set(installed, { name, version: description.version });
            if (transitive) {
                visit(installed, Object.keys(description.dependencies ?? {}));
            }
        }
    };
    const own = nearestPackage(programFolder);
    visit(
        own?.folder ?? programFolder,
        Object.keys({ ...own?.description.dependencies, ...own?.description.devDependencies }),
    );
    return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * @param {string} folder
 * @returns {{ folder: string, description: any } | undefined} the package that a folder belongs to
 */
function nearestPackage(folder) {
    const description = readPackage(folder);
    if (description) {
        return { folder, description };
    }
    const above = path.dirname(folder);
    return above === folder ? undefined : nearestPackage(above);
}

/**
 * The folder of a package as Node resolves it from another folder.
 *
 * @param {string} name
 * @param {string} folder
 * @returns {string | undefined}
 */
function installedFolder(name, folder) {
    const candidate = path.join(folder, "node_modules", name);
    if (fs.existsSync(candidate)) {
        return fs.realpathSync(candidate);
    }
    const above = path.dirname(folder);
    return above === folder ? undefined : installedFolder(name, above);
}

/**
 * The command of a folder's package manager.
 *
 * @param {string} folder
 * @param {string} requested the option `packagemanager`: a name, or `auto` to detect it by the lock file
 * @returns {string}
 */
function packageManager(folder, requested) {
    if (requested !== "auto") {
        return requested;
    }
    const root = nearestPackage(folder)?.folder ?? folder;
    const lock = Object.keys(lockFiles).find((file) => fs.existsSync(path.join(root, file)));
    return lock ? lockFiles[/** @type {keyof typeof lockFiles} */ (lock)] : "npm";
}

module.exports = { dependencies, packageManager, requiredPlugins };
