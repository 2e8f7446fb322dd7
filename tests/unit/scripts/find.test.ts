import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../support/tools";
import { load } from "./support";

describe("versions", () => {
    const { isAtLeast } = load("find");

    test.each([
        ["3.259.0", "3.259.0", true],
        ["3.260.0", "3.259.0", true],
        ["4.0.0", "3.259.0", true],
        ["3.259.1", "3.259.0", true],
        ["3.1000.0", "3.259.0", true],
        ["3.258.9", "3.259.0", false],
        ["3.99.9", "3.259.0", false],
        ["2.300.0", "3.259.0", false],
        ["3.260.0-alpha.xabc123", "3.259.0", true],
        ["3.259.0+dirty", "3.259.0", true],
        ["1.25.11", "1.21.0", true],
        ["1.21", "1.21.0", true],
        ["1.27rc1", "1.21.0", true],
        ["1.20.14", "1.21.0", false],
        ["devel", "1.21.0", false],
    ])("%s is at least %s: %s", (version, least, expected) => {
        expect(isAtLeast(version, least)).toBe(expected);
    });
});

describe("finding an engine", () => {
    /** A folder with a `pulumi` that prints this version, and with more files. */
    function place(folder: string, version: string, beside: Record<string, string> = {}): string {
        fs.mkdirSync(folder, { recursive: true });
        const pulumi = version === "" ? "#!/bin/sh\nexit 1\n" : `#!/bin/sh\necho v${version}\n`;
        for (const [name, text] of Object.entries({ pulumi, ...beside })) {
            fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
        }
        return folder;
    }

    /** The result of the search with this PATH, in an empty tool folder. */
    async function find(folder: string, ...searchPath: string[]) {
        const tools = path.join(folder, "tools");
        const before = process.env.PATH;
        const { findEngine } = load("find", { PULUMI_CLOUDSTACK_TOOLS: tools });
        process.env.PATH = [...searchPath, "/usr/bin", "/bin"].join(":");
        try {
            return { engine: undefined, ...findEngine(), bin: path.join(tools, "engine", "bin") };
        } finally {
            process.env.PATH = before;
        }
    }

    test("a release on PATH with its language host is used where it is", () =>
        withFolder(async (folder) => {
            const release = place(path.join(folder, "release"), "3.270.1", { "pulumi-language-nodejs": "\x7fELF" });
            const { engine, rejected, bin } = await find(folder, release);
            expect(engine).toEqual({ folder: release, version: "3.270.1", languageHost: "official" });
            expect(rejected).toEqual([]);
            expect(fs.existsSync(bin)).toBe(false);
        }));

    test("a release without a language host is copied, with this package's language host", () =>
        withFolder(async (folder) => {
            const bare = place(path.join(folder, "bare"), "3.259.0");
            const { engine, bin } = await find(folder, bare);
            expect(engine).toEqual({ folder: bin, version: "3.259.0", languageHost: "own" });
            expect(fs.readdirSync(bin).sort()).toEqual([
                "pulumi",
                "pulumi-language-nodejs",
                "pulumi-resource-pulumi-nodejs",
            ]);
            for (const name of fs.readdirSync(bin)) expect(fs.statSync(path.join(bin, name)).mode & 0o777).toBe(0o755);
            fs.rmSync(bare, { recursive: true });
            expect((await find(folder)).engine).toEqual(engine);
        }));

    test("a newer release on PATH replaces the copy", () =>
        withFolder(async (folder) => {
            const bare = place(path.join(folder, "bare"), "3.259.0");
            await find(folder, bare);
            place(bare, "3.260.10");
            expect((await find(folder, bare)).engine).toMatchObject({ version: "3.260.10", languageHost: "own" });
        }));

    test("an old or broken one is refused with the reason", () =>
        withFolder(async (folder) => {
            const old = place(path.join(folder, "old"), "3.100.0", { "pulumi-language-nodejs": "\x7fELF" });
            expect(await find(folder, old)).toMatchObject({
                engine: undefined,
                rejected: [`${old}/pulumi is 3.100.0, older than 3.259.0`],
            });
            const broken = place(path.join(folder, "broken"), "");
            expect(await find(folder, broken)).toMatchObject({
                engine: undefined,
                rejected: [`${broken}/pulumi cannot be run`],
            });
        }));

    test("there may be no engine", () =>
        withFolder(async (folder) => {
            expect(await find(folder)).toMatchObject({ engine: undefined, rejected: [] });
        }));
});

test("the advice on a missing engine fits the reasons", () => {
    const { installAdvice } = load("installEngine");
    const text = installAdvice(["https://get.pulumi.com cannot be reached", "go list ended with 1\nno such module"]);
    expect(text.split("\n")).toEqual([
        "The Pulumi engine could not be installed:",
        "  - https://get.pulumi.com cannot be reached",
        "  - go list ended with 1",
        "    no such module",
        "Do one of these, then run this command again:",
        expect.stringMatching(/install Pulumi 3\.\d+\.\d+ or later yourself \(https:/),
        expect.stringMatching(/install Go 1\.21\.0 or later \(https:.*Go module proxy/),
    ]);
});

test("host tools that cannot be found are reported as missing", () => {
    const { hostTools, missingTools } = load("hostTools");
    expect(missingTools(hostTools, () => "/usr/bin/it")).toEqual([]);
    const names = (tools: { command: string }[]) => tools.map(({ command }) => command);
    expect(names(missingTools(hostTools, () => undefined))).toEqual(names(hostTools));
    expect(names(missingTools(hostTools, (command: string) => command !== "nft" && "/usr/sbin/it"))).toEqual(["nft"]);
    for (const tool of hostTools) {
        expect(tool).toEqual(
            expect.objectContaining({ package: expect.any(String), why: expect.stringMatching(/^\w/) }),
        );
    }
});
