import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";

const root = join(__dirname, "..", "..");

beforeAll(() => {
    // The table of rules is read from the compiled package.
    if (!existsSync(join(root, "dist", "index.js"))) execFileSync("npm", ["run", "build"], { cwd: root });
}, 120_000);

test("the reference agrees with the docstrings (npm run docs writes it)", () => {
    const written: Record<string, string> = JSON.parse(
        execFileSync(process.execPath, ["-e", 'console.log(JSON.stringify(require("./scripts/docs").render()))'], {
            cwd: root,
            encoding: "utf8",
        }),
    );
    expect(Object.keys(written).sort()).toEqual(["components.md", "leaving-out.md", "resources.md"]);
    for (const [file, text] of Object.entries(written))
        expect(readFileSync(join(root, "docs", file), "utf8")).toBe(text);
}, 60_000);

test("the reference describes everything", () => {
    for (const file of ["components.md", "leaving-out.md", "resources.md"])
        expect(readFileSync(join(root, "docs", file), "utf8").match(/^\|.*\| +\|/gm) ?? []).toEqual([]);
});

test("the example of the web server is the README's program", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const program = /^```ts\n(.*?)^```$/ms.exec(readme)![1];
    expect(readFileSync(join(root, "examples", "webserver", "index.ts"), "utf8")).toBe(
        `// The README's program: a web server with its group, a generated key and a data disk.\n${program}`,
    );
});

const handWritten = ["README.md", "CONTRIBUTING.md", "examples/etcd/README.md", "examples/webserver/README.md"];
const pages = readdirSync(join(root, "docs")).map((file) => `docs/${file}`);
const linksOf = (file: string) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\]\(([^)]+)\)/g)]
        .map(([, link]) => link)
        .filter((link) => !/^[a-z]+:/.test(link));

test("every file that the README and the docs link to exists", () => {
    for (const file of [...handWritten, ...pages])
        for (const link of linksOf(file).map((link) => link.split("#")[0]))
            expect([file, link, existsSync(join(root, file, "..", link))]).toEqual([file, link, true]);
});

/** The anchors of a page's headings, as GitHub generates them. */
function anchors(file: string): string[] {
    const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
    return headings.map((heading) =>
        heading
            .toLowerCase()
            .replace(/[^\w\- ]/g, "")
            .replaceAll(" ", "-"),
    );
}

test("every heading that the README and the docs link to exists", () => {
    const targets = [...handWritten, ...pages].flatMap((file) =>
        linksOf(file)
            .filter((link) => link.includes("#"))
            .map((link) => [file, ...link.split("#")]),
    );
    expect(targets.length).toBeGreaterThan(5);
    for (const [file, to, anchor] of targets)
        expect([file, anchor, anchors(to ? join(root, file, "..", to) : join(root, file)).includes(anchor)]).toEqual([
            file,
            anchor,
            true,
        ]);
});

test("every page of the docs has a line in their index", () => {
    const lines =
        readFileSync(join(root, "docs", "README.md"), "utf8").match(/^\| \[[\w-]+\.md\]\([\w-]+\.md\) \|/gm) ?? [];
    expect(lines.map((line) => `docs/${/\((.*)\)/.exec(line)![1]}`).sort()).toEqual(
        pages.filter((page) => page !== "docs/README.md").sort(),
    );
});

test("every example of an argument has the argument's type", () => {
    const examples = ["resources.md", "components.md"].flatMap((file) =>
        readFileSync(join(root, "docs", file), "utf8")
            .split(/^## /m)
            .flatMap((section) =>
                [...section.matchAll(/^\| `(\w+)` \|.* Example: `((?:\\\||[^|])*)` \|/gm)].map(([, name, code]) => ({
                    of: section.split("\n")[0],
                    name,
                    code: code.replaceAll("\\|", "|"),
                })),
            ),
    );
    expect(examples.length).toBeGreaterThan(60);
    const interfaceOf = (title: string) =>
        /Args$|^(SecurityGroup|Firewall|EgressFirewall)Rule$/.test(title)
            ? title
            : `${title[0].toUpperCase()}${title.slice(1)}Args`;
    // Names that examples refer to are declared and not checked further.
    const others =
        "declare const web: any, database: any, spread: any, key: any, server: any, network: any, address: any, clients: any, document: any, zlib: any, fs: any;";
    const lines = examples.map(
        ({ of, name, code }, index) => `export const _${index}: cs.${interfaceOf(of)}["${name}"] = ${code};`,
    );
    const path = join(root, "examples.check.ts");
    const options: ts.CompilerOptions = {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.Node16,
        moduleResolution: ts.ModuleResolutionKind.Node16,
        types: ["node"],
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    host.getSourceFile = (file, target) =>
        file === path
            ? ts.createSourceFile(file, ['import type * as cs from "./dist";', others, ...lines].join("\n"), target)
            : getSourceFile(file, target);
    const program = ts.createProgram([path], options, host);
    const problems = program
        .getSemanticDiagnostics(program.getSourceFile(path))
        .concat(program.getSyntacticDiagnostics(program.getSourceFile(path)));
    expect(
        problems.map(({ messageText, start, file }) => [
            ts.flattenDiagnosticMessageText(messageText, " "),
            file!.text.slice(start!).split("\n")[0],
        ]),
    ).toEqual([]);
}, 60_000);
