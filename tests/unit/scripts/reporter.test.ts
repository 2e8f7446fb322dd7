import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../support/tools";

const reporter = path.resolve(__dirname, "../../reporter.cjs");

/** Runs jest on these files with the reporter that `npm test` uses. */
function jestOver(files: Record<string, string>): Promise<{ status: number | null; lines: string[]; output: string }> {
    return withFolder((folder) => {
        for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
        const config = { rootDir: folder, reporters: ["default", reporter], transform: {}, cacheDirectory: folder };
        const args = [require.resolve("jest/bin/jest"), "--config", JSON.stringify(config), "--passWithNoTests"];
        const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
        return { status, lines: stdout.trimEnd().split("\n"), output: stdout + stderr };
    });
}

const passing = 'test("works", () => expect(1).toBe(1));';

test("passed, failed and skipped tests are counted in the last line, and skipped ones listed", async () => {
    const { status, lines } = await jestOver({
        "a.test.js": `${passing} test("is broken", () => expect(1).toBe(2));`,
        "b.test.js": `${passing} describe("a tool", () => test.skip("checks (skipped: no tool)", () => {})); test.todo("later");`,
        "c.test.js": "throw new Error('does not load');",
    });
    expect(status).toBe(1);
    expect(lines.at(-1)).toBe("2 passed, 2 failed, 2 skipped");
    expect(lines).toContain("skipped: a tool checks (skipped: no tool)");
    expect(lines).toContain("skipped: later");
}, 30_000);

test("a run in which all tests pass succeeds", async () => {
    const { status, lines } = await jestOver({ "a.test.js": passing });
    expect([status, lines.at(-1)]).toEqual([0, "1 passed, 0 failed, 0 skipped"]);
}, 30_000);

test.each([
    ["skips all", { "a.test.js": 'test.skip("x", () => {});' }, "0 passed, 0 failed, 1 skipped"],
    ["finds none", {}, "0 passed, 0 failed, 0 skipped"],
])(
    "a run that %s fails, since it proved nothing",
    async (_what, files, line) => {
        const { status, lines, output } = await jestOver(files as Record<string, string>);
        expect(status).toBe(1);
        expect(output).toContain("no test ran");
        expect(lines.at(-1)).toBe(line);
    },
    30_000,
);
