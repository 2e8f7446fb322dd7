import * as fs from "node:fs";
import * as path from "node:path";
import { withFolder } from "../../support/tools";
import { load } from "./support";

const { readOptions, splitArguments } = load("languageHost/options");
const { runnerCommand: startOf, outcome, resolveFrom } = load("languageHost/program");
const { dependencies, packageManager, requiredPlugins } = load("languageHost/packages");

describe("runtime.options", () => {
    test("have the defaults in Pulumi's documentation", () => {
        expect(readOptions({})).toEqual({
            typescript: true,
            tsconfig: undefined,
            nodeArguments: [],
            packageManager: "auto",
        });
    });

    test("are read", () => {
        const given = { typescript: false, tsconfig: "t.json", nodeargs: "--a --b=c", packagemanager: "pnpm" };
        expect(readOptions(given)).toEqual({
            typescript: false,
            tsconfig: "t.json",
            nodeArguments: ["--a", "--b=c"],
            packageManager: "pnpm",
        });
    });

    test.each([
        [{ typescript: "no" }, 'runtime.options.typescript in Pulumi.yaml must be a boolean, not "no"'],
        [{ nodeargs: ["--a"] }, 'runtime.options.nodeargs in Pulumi.yaml must be a string, not ["--a"]'],
        [{ nodeargs: "--a 'b" }, "runtime.options.nodeargs in Pulumi.yaml has a ' that is not closed: --a 'b"],
    ])("%j is refused, and the error says what is valid", (options, message) => {
        expect(() => readOptions(options)).toThrow(message);
    });

    test.each([
        ["", []],
        ["  a\tb\nc ", ["a", "b", "c"]],
        [`'a b' "c d"`, ["a b", "c d"]],
        [`--x='a b'c`, ["--x=a bc"]],
        [`a\\ b \\" '\\'`, ["a b", '"', "\\"]],
        [`"a \\" b" ''`, ['a " b', ""]],
    ])("the arguments %j are split as a shell splits them", (text, words) => {
        expect(splitArguments(text)).toEqual(words);
    });
});

describe("a run", () => {
    const { RunRequest, ProgramInfo } = require("@pulumi/pulumi/proto/language_pb");
    const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

    function request(options: object = {}) {
        const info = new ProgramInfo();
        info.setRootDirectory("/root");
        info.setProgramDirectory("/root/program");
        info.setEntryPoint("index.ts");
        info.setOptions(Struct.fromJavaScript(options));
        const made = new RunRequest();
        made.setInfo(info);
        made.setMonitorAddress("127.0.0.1:1");
        made.setOrganization("org");
        made.setProject("project");
        made.setStack("dev");
        made.setParallel(8);
        made.getConfigMap().set("cloudstack:zone", "a");
        made.setConfigsecretkeysList(["cloudstack:apiKey"]);
        return made;
    }

    const resolve = (module: string, folder: string) => `${folder}/node_modules/${module}/index.js`;

    test("starts the SDK's runner in the program's folder", () => {
        const options = { typescript: false, nodeargs: "--no-warnings" };
        expect(startOf(request(options), "127.0.0.1:2", resolve)).toEqual({
            cwd: "/root/program",
            args: [
                ...["--no-warnings", "/root/program/node_modules/@pulumi/pulumi/cmd/run/index.js"],
                ...["--monitor", "127.0.0.1:1", "--engine", "127.0.0.1:2", "--organization", "org"],
                ...["--project", "project", "--root-directory", "/root", "--stack", "dev"],
                ...["--pwd", "/root/program", "--parallel", "8", "index.ts"],
            ],
            env: { PULUMI_CONFIG: '{"cloudstack:zone":"a"}', PULUMI_CONFIG_SECRET_KEYS: '["cloudstack:apiKey"]' },
        });
    });

    test("passes the preview, ts-node with its configuration and the program's arguments to the runner", () => {
        const asked = request({ tsconfig: "t.json" });
        asked.setDryrun(true);
        asked.setArgsList(["a", "b"]);
        const { args, env } = startOf(asked, undefined, resolve);
        expect(args.slice(-4)).toEqual(["--dry-run", "index.ts", "a", "b"]);
        expect(args).not.toContain("--engine");
        expect(env).toMatchObject({ PULUMI_NODEJS_TYPESCRIPT: "true", PULUMI_NODEJS_TSCONFIG_PATH: "t.json" });
    });

    test("needs the SDK in the program's folder", () =>
        withFolder((folder) => {
            expect(() => resolveFrom("@pulumi/pulumi/cmd/run", folder)).toThrow(
                `${folder} has no npm package @pulumi/pulumi; run "npm install" there first`,
            );
        }));

    test.each([
        [0, null, { error: "", bail: false }],
        [32, null, { error: "", bail: true }],
        [1, null, { error: "Program exited with non-zero exit code: 1", bail: false }],
        [null, "SIGKILL", { error: "Program was ended by SIGKILL", bail: false }],
    ])("that ends with %s %s is reported so", (code, signal, expected) => {
        expect(outcome(code, signal)).toEqual(expected);
    });
});

describe("a program's packages", () => {
    /** Writes a package.json in a folder below this one. */
    function add(root: string, folder: string, description: object): void {
        fs.mkdirSync(path.join(root, folder), { recursive: true });
        fs.writeFileSync(path.join(root, folder, "package.json"), JSON.stringify(description));
    }

    test("that ask for a plugin are found, also nested ones, each version once", () =>
        withFolder((folder) => {
            add(folder, "node_modules/plain", { name: "plain", version: "1.0.0" });
            const aws = { name: "@pulumi/aws", version: "6.0.0", pulumi: { resource: true } };
            add(folder, "node_modules/@pulumi/aws", aws);
            add(folder, "node_modules/plain/node_modules/@pulumi/aws", aws);
            const other = { resource: true, name: "other", version: "v2.1.0", server: "https://example.org" };
            add(folder, "node_modules/plain/node_modules/it", { name: "it", version: "9.9.9", pulumi: other });
            add(folder, "node_modules/not", { name: "not", version: "1.0.0", pulumi: { resource: false } });
            expect(requiredPlugins(folder)).toEqual([
                { name: "aws", version: "v6.0.0", server: "", parameterization: undefined },
                { name: "other", version: "v2.1.0", server: "https://example.org", parameterization: undefined },
            ]);
        }));

    test("are listed as installed, direct ones or all", () =>
        withFolder((folder) => {
            add(folder, ".", { dependencies: { b: "^1" }, devDependencies: { a: "*", absent: "*" } });
            add(folder, "node_modules/a", { version: "0.1.0" });
            add(folder, "node_modules/b", { version: "1.2.3", dependencies: { c: "2" } });
            add(folder, "node_modules/c", { version: "2.0.0", dependencies: { b: "1" } });
            fs.mkdirSync(path.join(folder, "program"));
            const [a, b, c] = ["a 0.1.0", "b 1.2.3", "c 2.0.0"].map((text) => {
                const [name, version] = text.split(" ");
                return { name, version };
            });
            expect(dependencies(path.join(folder, "program"), false)).toEqual([a, b]);
            expect(dependencies(path.join(folder, "program"), true)).toEqual([a, b, c]);
        }));

    test.each([
        ["pnpm-lock.yaml", "pnpm"],
        ["yarn.lock", "yarn"],
        ["bun.lock", "bun"],
        ["package-lock.json", "npm"],
    ])("with a %s are managed by %s, unless the options say otherwise", (lock, manager) =>
        withFolder((folder) => {
            add(folder, ".", {});
            fs.writeFileSync(path.join(folder, lock), "");
            expect(packageManager(folder, "auto")).toBe(manager);
            expect(packageManager(folder, "other")).toBe("other");
        }),
    );
});
