import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { built } from "../support/built";

const folder = join(__dirname, "api");

beforeAll(built, 120_000);

test("the public API is the documented one", () => {
    // In a separate process: the compiler is large, and jest would load it again.
    const code = "const { command, render } = require('./report'); console.log(JSON.stringify([command, render()]))";
    const [command, now] = JSON.parse(execFileSync(process.execPath, ["-e", code], { cwd: folder, encoding: "utf8" }));
    const written = readFileSync(join(folder, "report.md"), "utf8");
    if (now === written) return;
    const [was, is] = [written, now].map((text: string) => text.split("\n"));
    const gone = was.filter((line) => !is.includes(line)).map((line) => `- ${line}`);
    const added = is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`);
    throw new Error(`the API has changed:\n${[...gone, ...added].join("\n")}\nIf that is meant, run: ${command}`);
}, 60_000);
