"use strict";

/** The public API as a text: what the declarations of the compiled package promise, one block per export. */

const path = require("node:path");
const ts = require("typescript");

const root = path.join(__dirname, "..", "..", "..");
const dist = path.join(root, "dist");
const command = "npm run build && node tests/contract/api/update.js";

/** What programs import (`exports` of package.json), and its compiled declarations. */
const entries = { "pulumi-cloudstack": "index.d.ts", "pulumi-cloudstack/dynamic/v1": path.join("provider", "v1.d.ts") };

/**
 * Exports and their declarations without comments and private members, in the order of their names, then those types of the package that
 * they mention and that are not exported. Written for people who read its diff.
 *
 * @returns {string}
 */
function render() {
    const files = Object.values(entries).map((file) => path.join(dist, file));
    const program = ts.createProgram(files, {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.Node16,
        moduleResolution: ts.ModuleResolutionKind.Node16,
        skipLibCheck: true,
        noEmit: true,
    });
    const checker = program.getTypeChecker();
    const parts = [
        "# The public API",
        `What the compiled declarations export. A change to the API changes this file, too: \`${command}\` writes it anew.`,
    ];
    for (const [name, file] of Object.entries(entries)) {
        const source = program.getSourceFile(path.join(dist, file));
        const module = source && checker.getSymbolAtLocation(source);
        if (!module) throw new Error(`${name} exports nothing`);
        const exported = checker
            .getExportsOfModule(module)
            .map((symbol) => ({ name: symbol.name, symbol: resolve(checker, symbol) }));
        parts.push(`## ${name}`, ...blocks(exported));
        const mentioned = mentions(
            checker,
            exported.map(({ symbol }) => symbol),
        );
        if (mentioned.length > 0)
            parts.push(
                `## Mentioned by ${name}, not exported`,
                ...blocks(mentioned.map((symbol) => ({ name: symbol.name, symbol }))),
            );
    }
    return `${parts.join("\n\n")}\n`;
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} symbol
 */
function resolve(checker, symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** @param {{ name: string, symbol: ts.Symbol }[]} exported */
function blocks(exported) {
    return [...exported]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ symbol }) => `\`\`\`ts\n${text(symbol)}\n\`\`\``);
}

/** @param {ts.Symbol} symbol */
function text(symbol) {
    const printer = ts.createPrinter({ removeComments: true });
    return declarationsOf(symbol)
        .map((node) => printer.printNode(ts.EmitHint.Unspecified, visible(node), node.getSourceFile()))
        .join("\n");
}

/** @param {ts.Symbol} symbol */
function declarationsOf(symbol) {
    // A constant's declaration stands in a statement, which has its `const`.
    return (symbol.declarations ?? []).map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node));
}

/**
 * A declaration without what programs cannot use.
 *
 * @param {ts.Node} node
 * @returns {ts.Node}
 */
function visible(node) {
    if (!ts.isClassDeclaration(node)) return node;
    const members = node.members.filter((member) => !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private));
    return ts.factory.updateClassDeclaration(
        node,
        node.modifiers,
        node.name,
        node.typeParameters,
        node.heritageClauses,
        members,
    );
}

/**
 * Types of the package that some symbols mention, directly or through others, beyond themselves.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol[]} symbols
 */
function mentions(checker, symbols) {
    const known = new Set(symbols);
    const found = [];
    for (const symbol of known) {
        for (const node of declarationsOf(symbol)) {
            for (const mentioned of namedIn(checker, visible(node))) {
                const ours = mentioned.declarations?.some(
                    (one) => one.getSourceFile().fileName.startsWith(`${dist}${path.sep}`) && isTop(one),
                );
                if (!ours || known.has(mentioned)) continue;
                known.add(mentioned);
                found.push(mentioned);
            }
        }
    }
    return found;
}

/** @param {ts.Node} node whether it stands on the top of its file, and is no file itself */
function isTop(node) {
    return (
        ts.isClassDeclaration(node) ||
        ts.isInterfaceDeclaration(node) ||
        ts.isTypeAliasDeclaration(node) ||
        ts.isFunctionDeclaration(node)
    );
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Node} node
 * @returns {ts.Symbol[]}
 */
function namedIn(checker, node) {
    if (ts.isIdentifier(node)) {
        const symbol = checker.getSymbolAtLocation(node);
        return symbol ? [resolve(checker, symbol)] : [];
    }
    /** @type {ts.Symbol[]} */
    const symbols = [];
    ts.forEachChild(node, (child) => void symbols.push(...namedIn(checker, child)));
    return symbols;
}

module.exports = { command, render };
