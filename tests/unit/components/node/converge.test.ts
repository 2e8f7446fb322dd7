import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { type CloudConfig, renderCloudConfig } from "../../../../components/cloudInit";
import { convergeScript, renderConverge } from "../../../../components/node";
import { expectCleanUnits } from "../../../support/documents";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";

/** The Python that cloud-init itself runs with, which has its modules. */
const python = "/usr/bin/python3";
/** cloud-init is started several times by each test: some seconds on a busy computer. */
jest.setTimeout(60_000);

const cloudInitTest = (() => {
    const has =
        fs.existsSync(python) && runTool(python, ["-c", "import yaml, cloudinit.config.cc_write_files"]).status === 0;
    return has
        ? test
        : (name: string, body: jest.ProvidesCallback) => test.skip(`${name} (skipped: no cloud-init)`, body);
})();

/** Stands in for the command: cloud-init's own module, without the rest of a machine's boot; with the words of its version. */
const fakeCloudInit = `#!${python}
import sys, yaml, logging
from cloudinit.config import cc_write_files
from cloudinit import util
from cloudinit.version import version_string
is_new = tuple(map(int, version_string().split(".")[:2])) > (24, 1)
at = sys.argv.index("--file")
if "--frequency" not in sys.argv or (at == 2) != is_new:
    sys.exit(2)
cc_write_files.write_files("write_files", yaml.safe_load(open(sys.argv[at + 1]))["write_files"], "root:root")
`;

interface Machine {
    /** Where its files are; paths in documents are below it. */
    readonly folder: string;
    /** What its router answers: a document, raw bytes, or nothing. */
    answer: Buffer | undefined;
    run(): Promise<{ status: number | null; output: string }>;
    file(name: string): string;
    log(): string[];
}

async function withMachine(body: (machine: Machine) => Promise<void>): Promise<void> {
    await withFolder(async (folder) => {
        const server = http.createServer((_request, response) => {
            if (machine.answer === undefined) response.writeHead(404).end();
            else response.end(machine.answer);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        for (const [name, content] of Object.entries({
            "cs-converge": convergeScript,
            "bin/cloud-init": fakeCloudInit,
        })) {
            fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
            fs.writeFileSync(path.join(folder, name), content, { mode: 0o755 });
        }
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/latest/user-data`;
        const machine: Machine = {
            folder,
            answer: undefined,
            file: (name) => path.join(folder, name),
            log: () =>
                fs.existsSync(path.join(folder, "log"))
                    ? fs.readFileSync(path.join(folder, "log"), "utf8").trim().split("\n")
                    : [],
            run: () =>
                new Promise((resolve) => {
                    const child = spawn(python, [path.join(folder, "cs-converge")], {
                        cwd: folder,
                        env: {
                            ...process.env,
                            PATH: `${path.join(folder, "bin")}:${process.env.PATH}`,
                            CS_CONVERGE_URL: url,
                            CS_CONVERGE_RULES: path.join(folder, "rules"),
                            CS_CONVERGE_STATE: path.join(folder, "state.json"),
                            CS_CONVERGE_TAKEN_UP: path.join(folder, "taken-up"),
                        },
                    });
                    let output = "";
                    child.stderr.on("data", (data) => (output += data));
                    child.on("close", (status) => resolve({ status, output }));
                }),
        };
        try {
            await body(machine);
        } finally {
            server.closeAllConnections();
            server.close();
        }
    });
}

/** User data with these files, and the rules "path command" that belong to them. */
function userData(
    machine: Machine,
    rules: string[],
    writeFiles: NonNullable<CloudConfig["writeFiles"]>,
    gzip = true,
): Buffer {
    const lines = [machine.file("rules"), ...rules.map((rule) => machine.file(rule))].join("\n");
    const files = writeFiles.map((file) => ({ ...file, path: machine.file(file.path) }));
    const text = renderCloudConfig({ writeFiles: [...files, { path: machine.file("rules"), content: `${lines}\n` }] });
    return gzip ? zlib.gzipSync(text) : Buffer.from(text);
}

cloudInitTest("files of the rules are written when they change, and what follows runs once", () =>
    withMachine(async (machine) => {
        const rules = ["a echo reload >>log", "b echo reload >>log", "c"];
        const files = (content: string) => [
            { path: "a", content: `${content}\n`, permissions: "0640" },
            { path: "b", content: Buffer.from(`${content} b`).toString("base64"), encoding: "b64" },
            { path: "c", content: "c", defer: true },
            { path: "not-followed", content },
        ];
        machine.answer = userData(machine, rules, files("one"));
        fs.writeFileSync(machine.file("rules"), "");
        expect(await machine.run()).toMatchObject({ status: 0 });
        expect(fs.readFileSync(machine.file("a"), "utf8")).toBe("one\n");
        expect(fs.statSync(machine.file("a")).mode & 0o777).toBe(0o640);
        expect(fs.readFileSync(machine.file("b"), "utf8")).toBe("one b");
        expect(fs.readFileSync(machine.file("c"), "utf8")).toBe("c");
        expect(fs.existsSync(machine.file("not-followed"))).toBe(false);
        expect(machine.log()).toEqual(["reload"]);

        expect(await machine.run()).toEqual({ status: 0, output: "" });
        expect(machine.log()).toEqual(["reload"]);

        machine.answer = userData(machine, rules, files("two"), false);
        expect(await machine.run()).toMatchObject({ status: 0 });
        expect(fs.readFileSync(machine.file("a"), "utf8")).toBe("two\n");
        expect(machine.log()).toEqual(["reload", "reload"]);
    }),
);

cloudInitTest("a command that fails is tried again, also when nothing changes any more", () =>
    withMachine(async (machine) => {
        machine.answer = userData(machine, ["a echo try >>log; test -e go"], [{ path: "a", content: "x" }]);
        fs.writeFileSync(machine.file("rules"), "");
        const failed = await machine.run();
        expect(failed).toMatchObject({
            status: 1,
            output: expect.stringContaining("failed and will be tried again next time"),
        });
        expect(await machine.run()).toMatchObject({ status: 1 });
        fs.writeFileSync(machine.file("go"), "");
        expect(await machine.run()).toMatchObject({ status: 0 });
        expect(await machine.run()).toEqual({ status: 0, output: "" });
        expect(machine.log()).toEqual(["try", "try", "try"]);
    }),
);

cloudInitTest("without user data, or with one that is no cloud-config, nothing happens", () =>
    withMachine(async (machine) => {
        fs.writeFileSync(machine.file("rules"), `${machine.file("a")}\n`);
        expect(await machine.run()).toMatchObject({
            status: 75,
            output: expect.stringContaining("cannot read the user data"),
        });
        machine.answer = Buffer.from("#!/bin/sh\necho hello\n");
        expect(await machine.run()).toMatchObject({
            status: 0,
            output: expect.stringContaining("is not a cloud-config document"),
        });
        machine.answer = Buffer.from("#cloud-config\nhostname: x\n");
        expect(await machine.run()).toEqual({ status: 0, output: "" });
        expect(fs.existsSync(machine.file("a"))).toBe(false);
    }),
);

test("the rules file itself is updated too", () => {
    const files = renderConverge([{ path: "/a" }, { path: "/b", command: "reload b" }], 60);
    expect(files.find(({ path: name }) => name === "/etc/cs/converge")?.content).toBe(
        "/etc/cs/converge\n/a\n/b reload b\n",
    );
    expect(() => renderConverge([{ path: "/a", command: "x\ny" }])).toThrow("a rule must be one line");
});

testWithTools(["systemd-analyze"])("the units pass systemd-analyze", () =>
    expectCleanUnits({ writeFiles: renderConverge([]) }),
);

testWithTools(["python3"])("the script is Python", () => {
    expectSuccess(
        runTool("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: convergeScript }),
    );
});
