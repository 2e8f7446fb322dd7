import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");

beforeAll(() => {
    // The table of rules is read from the compiled package.
    if (!existsSync(join(root, "dist", "index.js"))) execFileSync("npm", ["run", "build"], { cwd: root });
}, 120_000);

test("the reference says what the docstrings say (npm run docs writes it anew)", () => {
    const written: Record<string, string> = JSON.parse(
        execFileSync(process.execPath, ["-e", 'console.log(JSON.stringify(require("./scripts/docs").render()))'], { cwd: root, encoding: "utf8" }),
    );
    expect(Object.keys(written).sort()).toEqual(["components.md", "leaving-out.md", "resources.md"]);
    for (const [file, text] of Object.entries(written)) expect(readFileSync(join(root, "docs", file), "utf8")).toBe(text);
}, 60_000);

test("the reference says of everything what it is", () => {
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

test("every file that the README and the docs link to is there", () => {
    for (const file of ["README.md", "docs/architecture.md", "docs/resources.md", "docs/components.md"]) {
        const links = [...readFileSync(join(root, file), "utf8").matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link);
        for (const link of links.filter((link) => !/^[a-z]+:/.test(link))) expect([link, existsSync(join(root, file, "..", link))]).toEqual([link, true]);
    }
});
