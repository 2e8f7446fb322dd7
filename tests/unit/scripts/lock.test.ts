import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../support/tools";
import { load, script } from "./support";

const { withLock } = load("lock");

const holding = (file: string, body: string) =>
    `require("./lock").withLock(${JSON.stringify(file)}, (pid) => console.log("waits for " + pid), async () => { ${body} })`;

const sleep = (milliseconds: number) => `await new Promise((done) => setTimeout(done, ${milliseconds}));`;

test("several processes hold the lock one after the other", () =>
    withFolder(async (folder) => {
        const [file, diary] = ["lock", "diary"].map((name) => path.join(folder, "new", name));
        const note = (word: string) =>
            `require("fs").appendFileSync(${JSON.stringify(diary)}, "${word} " + process.pid + "\\n");`;
        const all = [1, 2, 3].map(() => script(holding(file, `${note("in")} ${sleep(150)} ${note("out")}`)));
        await Promise.all(all.map(({ ended }) => ended));
        const lines = fs.readFileSync(diary, "utf8").trim().split("\n");
        expect(lines).toHaveLength(6);
        for (let i = 0; i < 6; i += 2) expect(lines[i + 1]).toBe(lines[i].replace("in", "out"));
        expect(fs.readdirSync(path.dirname(file))).toEqual(["diary"]);
    }));

test("a process that waits prints once which one it waits for", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "lock");
        const first = script(holding(file, `console.log("inside"); ${sleep(1200)}`));
        await first.says("inside");
        const waits: number[] = [];
        expect(
            await withLock(
                file,
                (pid: number) => waits.push(pid),
                async () => "result",
            ),
        ).toBe("result");
        expect(waits).toEqual([first.child.pid]);
        await first.ended;
    }));

test("the lock of a killed process is released", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "lock");
        const first = script(holding(file, `console.log("inside"); ${sleep(60_000)}`));
        await first.says("inside");
        first.child.kill("SIGKILL");
        await first.ended;
        expect(fs.existsSync(file)).toBe(true);
        const all = [1, 2, 3].map(() => script(holding(file, `console.log("mine"); ${sleep(50)}`)));
        for (const { ended } of all) expect(await ended).toContain("mine");
        expect(fs.readdirSync(folder)).toEqual([]);
    }));

test("a lock without a process, as a crash of the computer can leave it, is released", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "lock");
        fs.writeFileSync(file, "");
        expect(
            await withLock(
                file,
                () => fail("it waited"),
                async () => 1,
            ),
        ).toBe(1);
    }));

test("an error releases the lock", () =>
    withFolder(async (folder) => {
        const file = path.join(folder, "lock");
        const broken = async () => Promise.reject(new Error("no"));
        await expect(withLock(file, () => {}, broken)).rejects.toThrow("no");
        expect(fs.readdirSync(folder)).toEqual([]);
    }));
