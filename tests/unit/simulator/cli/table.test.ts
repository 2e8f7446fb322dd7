/** Output of the command line, and reading the end of a file. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { counted, duration, size, table } from "../../../../simulator/cli/table";
import { endOf, follow, lastLines } from "../../../../simulator/tail";

test("tables have columns below their titles, and no spaces at the ends of lines", () => {
    expect(
        table(
            ["NAME", "X"],
            [
                ["a", "1"],
                ["longer", ""],
            ],
        ),
    ).toBe("NAME    X\na       1\nlonger");
    expect(table(["NAME"], [])).toBe("NAME");
});

test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [10 * 2 ** 20, "10 MiB"],
    [2 ** 30 - 1, "1024 MiB"],
    [2 ** 41, "2.0 TiB"],
    [2 ** 52, "4096 TiB"],
])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
});

test.each([
    [0.04, "0.0s"],
    [59.94, "59.9s"],
    [60, "1m 0s"],
    [3599, "59m 59s"],
    [3725, "1h 2m"],
    [90_000, "1d 1h"],
])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
});

test("numbers of things have the singular or plural", () => {
    expect([0, 1, 2].map((count) => counted(count, "machine"))).toEqual(["0 machines", "1 machine", "2 machines"]);
});

describe("the end of a file", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "file-end-"));
    const file = path.join(folder, "log");
    // Longer than one read.
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ü`);

    beforeEach(() => fs.writeFileSync(file, `${lines.join("\n")}\n`));
    afterAll(() => fs.rmSync(folder, { recursive: true }));

    test.each([0, 1, 2, 5_000, 19_999, 20_000, 30_000])("has %d last lines", (count) => {
        const { text, size: read } = lastLines(file, count);
        expect(text).toBe(count === 0 ? "" : `${lines.slice(-count).join("\n")}\n`);
        expect(read).toBe(fs.statSync(file).size);
    });

    test("may be an incomplete line, and is empty if there is no file", () => {
        fs.writeFileSync(file, "a\nb");
        expect(lastLines(file, 1).text).toBe("b\n");
        expect(endOf(file, 100)).toBe("a\nb");
        fs.writeFileSync(file, "");
        expect(lastLines(file, 5)).toEqual({ text: "", size: 0 });
        expect(lastLines(path.join(folder, "none"), 5)).toEqual({ text: "", size: 0 });
        expect(endOf(path.join(folder, "none"), 5)).toBe("");
    });

    test("has whole lines within a number of bytes", () => {
        const end = endOf(file, 1_000);
        expect(Buffer.byteLength(end)).toBeLessThanOrEqual(1_000);
        expect(Buffer.byteLength(end)).toBeGreaterThan(950);
        expect(`${lines.join("\n")}\n`.endsWith(end)).toBe(true);
        expect(end).toMatch(/^line \d+ ü\n/);
    });

    test("is followed, and that of a new file in its place", async () => {
        let text = "";
        const all = "one\nnew\n";
        const end = Date.now() + 10_000;
        const goesOn = () => text !== all && Date.now() < end;
        const following = follow(file, fs.statSync(file).size, (part) => (text += part), goesOn);
        fs.appendFileSync(file, "one\n");
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(text).toBe("one\n");
        fs.renameSync(file, `${file}.1`);
        fs.writeFileSync(file, "new\n");
        await following;
        expect(text).toBe(all);
    });
});
