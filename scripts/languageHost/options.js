"use strict";

/**
 * `runtime.options` of Pulumi.yaml, as Pulumi documents them for Node
 * (https://www.pulumi.com/docs/reference/pulumi-yaml/).
 *
 * @typedef {object} Options
 * @property {boolean} typescript load the program with ts-node; default true
 * @property {string} [tsconfig] path of a tsconfig.json other than the program folder's own
 * @property {string[]} nodeArguments arguments of `node` itself
 * @property {string} packageManager `auto`, `npm`, `pnpm`, `yarn` or `bun`; default `auto`
 */

/**
 * Reads and checks the options.
 *
 * @param {Record<string, unknown>} options
 * @returns {Options}
 * @throws Error naming the option and what it must be
 */
function readOptions(options) {
    return {
        typescript: typed(options, "typescript", "boolean") ?? true,
        tsconfig: typed(options, "tsconfig", "string"),
        nodeArguments: splitArguments(typed(options, "nodeargs", "string") ?? ""),
        packageManager: typed(options, "packagemanager", "string") ?? "auto",
    };
}

/**
 * @template {"boolean" | "string"} T
 * @param {Record<string, unknown>} options
 * @param {string} name
 * @param {T} type
 * @returns {(T extends "boolean" ? boolean : string) | undefined}
 */
function typed(options, name, type) {
    const value = options[name];
    if (value !== undefined && value !== null && typeof value !== type) {
        throw new Error(`runtime.options.${name} in Pulumi.yaml must be a ${type}, not ${JSON.stringify(value)}`);
    }
    return /** @type {any} */ (value ?? undefined);
}

/**
 * Splits a command line at whitespace outside of single and double quotes; a backslash escapes the next character.
 *
 * @param {string} text
 * @returns {string[]}
 * @throws Error if a quote is not closed
 */
function splitArguments(text) {
    const words = [];
    let word = "";
    let started = false;
    let quote = "";
    for (let i = 0; i < text.length; i++) {
        const c = text[i];
        if (c === "\\" && quote !== "'" && i + 1 < text.length) {
            word += text[++i];
            started = true;
        } else if (quote) {
            if (c === quote) {
                quote = "";
            } else {
                word += c;
            }
        } else if (c === '"' || c === "'") {
            quote = c;
            started = true;
        } else if (/\s/.test(c)) {
            if (started) {
                words.push(word);
            }
            word = "";
            started = false;
        } else {
            word += c;
            started = true;
        }
    }
    if (quote) {
        throw new Error(`runtime.options.nodeargs in Pulumi.yaml has a ${quote} that is not closed: ${text}`);
    }
    return started ? [...words, word] : words;
}

module.exports = { readOptions, splitArguments };
