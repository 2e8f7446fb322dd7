import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { load } from "./support";

const { parseExports } = load("cloud");

/** The value that a real shell gives a word. */
function shell(word: string): string {
    const { status, stdout, stderr } = spawnSync("sh", ["-c", `export V=${word}\nprintf '%s' "$V"`], {
        encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
}

test.each([
    "plain",
    "http://127.0.0.1:8080/client/api",
    "a=b=c",
    "'single quoted $HOME \\ \"'",
    '"double quoted \\$HOME \\" \\\\ \\` it\'s"',
    '"a backslash \\n stays"',
    "escaped\\ blank\\'s",
    "'it'\\''s'",
    "in'three 'par\"ts \"",
    "''",
    "",
])("the word %s is read as a shell reads it", (word) => {
    expect(parseExports(`export V=${word}\n`)).toEqual({ V: shell(word) });
});

test("every string that is quoted for a shell is read back unchanged", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab =$`\"'\\#;&|<>(){}*?~!ü") });
    const ways = [
        (value: string) => `'${value.replaceAll("'", "'\\''")}'`,
        (value: string) => `"${value.replace(/["\\$`]/g, "\\$&")}"`,
        (value: string) => value.replace(/[^a-z]/g, "\\$&"),
    ];
    fc.assert(
        fc.property(text, fc.constantFrom(...ways), (value, quote) => {
            expect(shell(quote(value))).toBe(value);
            expect(parseExports(`export V=${quote(value)}`)).toEqual({ V: value });
        }),
        { numRuns: 60 },
    );
});

test("other lines are ignored", () => {
    const text = "# export A=1\nexport B=2\nC=3\nexport D\n  export E=5\nexport F_1=6";
    expect(parseExports(text)).toEqual({ B: "2", F_1: "6" });
});
