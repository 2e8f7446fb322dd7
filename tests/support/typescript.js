"use strict";

/** Lets a script of the tests that runs without jest load the repository's TypeScript: `require("../support/typescript")`. */

const { readFileSync } = require("node:fs");
const ts = require("typescript");

const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };

/** @param {any} module @param {string} file */
const load = (module, file) => {
    const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions, fileName: file });
    module._compile(outputText, file);
};

// The order of the extensions decides what `./definitions` means where there is a .ts and a .json, as in jest: .ts.
const { ".js": _js, ...others } = require.extensions;
for (const name of Object.keys(others)) delete require.extensions[name];
Object.assign(require.extensions, { ".ts": load }, others);
