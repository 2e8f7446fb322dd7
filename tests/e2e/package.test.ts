import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type RunningCloud, startCloud } from "../../simulator";
import { built } from "../support/built";
import { testEnvironment } from "./support/engine";

/** The package as users get it: packed, installed in an empty folder, and imported by programs there. */

const checkout = join(__dirname, "..", "..");
const sdk: string = require("@pulumi/pulumi/package.json").version;
/**
 * PATH without the Node.js that npm puts first when it runs the tests, so that the Node.js of a user's shell is found.
 */
const shellPath = (process.env.PATH ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .join(":");
const shellNode = execFileSync("node", ["--version"], { env: { PATH: shellPath }, encoding: "utf8" });
/** The package `node` is installed as well if that Node.js is older than 22.13, as the README says. */
const node = isOld(shellNode) ? ["node@22"] : [];
const quietly = ["--prefer-offline", "--no-audit", "--no-fund"];
const compiler = require.resolve("typescript/bin/tsc");
const parent = mkdtempSync(join(tmpdir(), "pulumi-cloudstack-package-"));
// Evaluated before the tests are defined, so that its test can be skipped by name.
const pnpm = installPnpm();
let cloud: RunningCloud;
let tarball: string;
let files: string[];

const program = (load: string) => `${load}
const group = new cloudstack.SecurityGroup("web", { ingress: [{ ports: "443", cidrs: ["0.0.0.0/0"] }] });
const machine = new cloudstack.VirtualMachine("server", {
    serviceOffering: "Small Instance",
    template: "Debian 12",
    zone: "sandbox",
    securityGroups: [group.id],
});
`;
const languages = {
    ts: `${program('import * as cloudstack from "pulumi-cloudstack";')}export const address = machine.ipAddress;\n`,
    js: `${program('const cloudstack = require("pulumi-cloudstack");')}exports.address = machine.ipAddress;\n`,
    mjs: `${program('import * as cloudstack from "pulumi-cloudstack";')}export const address = machine.ipAddress;\n`,
};

beforeAll(async () => {
    await built();
    cloud = await startCloud();
    // Without scripts, since `prepack` would recompile what other tests are using.
    const [packed] = JSON.parse(
        await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", parent], checkout),
    );
    tarball = join(parent, packed.filename);
    files = packed.files.map(({ path }: { path: string }) => path);
    console.log(
        `the package: ${Math.round(packed.size / 1024)} KiB packed, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked, ${files.length} files`,
    );
});

afterAll(async () => {
    await cloud.close();
    rmSync(parent, { recursive: true, force: true });
});

/**
 * Runs a command without blocking this process, which runs the cloud. @returns its output @throws Error with all of it
 */
function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
    return new Promise((resolve, reject) => {
        execFile(command, args, { cwd, env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
            if (error === null) resolve(stdout);
            else reject(new Error(`${command} ${args[0]} failed\n${stdout}\n${stderr}`));
        });
    });
}

function isOld(version: string): boolean {
    const [major, minor] = version.slice(1).split(".").map(Number);
    return major < 22 || (major === 22 && minor < 13);
}

function emptyFolder(name: string): string {
    const folder = join(parent, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true }));
    return folder;
}

/** An environment in which the programs installed in the folder come first, and nothing of the checkout. */
function inFolder(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const others = env.PATH!.split(":").filter((path) => path !== join(checkout, "node_modules", ".bin"));
    return { ...env, PATH: [join(folder, "node_modules", ".bin"), ...others].join(":") };
}

/** The Node.js that runs in a folder: the one that is installed there, or the computer's own. */
function nodeIn(folder: string): string {
    const own = join(folder, "node_modules", ".bin", "node");
    return existsSync(own) ? own : "node";
}

/** Runs `pulumi up` and `pulumi destroy` below a folder with the installed package. @returns the exported address */
async function upAndDown(folder: string, language: keyof typeof languages): Promise<string> {
    const project = join(folder, language);
    mkdirSync(project);
    writeFileSync(
        join(project, "Pulumi.yaml"),
        `name: packaged\nmain: index.${language}\nruntime: {name: nodejs, options: {typescript: false, nodeargs: --disable-warning=ExperimentalWarning}}\n`,
    );
    writeFileSync(join(project, `index.${language}`), languages[language]);
    const backend = join(project, "state");
    mkdirSync(backend);
    const { apiKey, secretKey } = cloud.accounts.user;
    const keys = { CLOUDSTACK_ENDPOINT: cloud.endpoint, CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey };
    const env = inFolder(folder, testEnvironment(backend, keys));
    const pulumi = (...args: string[]) => run("pulumi", [...args, "--stack", "dev", "--non-interactive"], project, env);
    await pulumi("stack", "init");
    await pulumi("up", "--yes", "--skip-preview");
    const { address } = JSON.parse(await pulumi("stack", "output", "--json"));
    await pulumi("preview", "--expect-no-changes");
    await pulumi("destroy", "--yes", "--skip-preview");
    return address;
}

describe("the package installed by npm", () => {
    let folder: string;

    beforeAll(async () => {
        folder = emptyFolder("npm");
        await run("npm", ["install", ...quietly, tarball, `@pulumi/pulumi@${sdk}`, ...node], folder);
    });

    test.each(Object.keys(languages) as (keyof typeof languages)[])(
        "a program in %s can be created, previewed without changes and destroyed",
        async (language) => {
            expect(await upAndDown(folder, language)).toMatch(/^10\.1\.1\.\d+$/);
        },
    );

    test.each(["pulumi-cloudstack", "pulumi-cloudstack/dynamic/v1"])(
        "both module systems get the same names from %s",
        async (name) => {
            const names = async (code: string, type: string): Promise<string[]> =>
                JSON.parse(
                    await run(
                        nodeIn(folder),
                        [`--input-type=${type}`, "-e", `${code}; console.log(JSON.stringify(Object.keys(it)))`],
                        folder,
                    ),
                );
            const required = await names(`const it = require("${name}")`, "commonjs");
            const imported = await names(`import * as it from "${name}"`, "module");
            expect(required.map((key) => key.toLowerCase())).toContain("virtualmachine");
            // Node.js adds this to a CommonJS module that is imported.
            const added = ["__esModule", "default", "module.exports"];
            expect(imported.filter((key) => !added.includes(key)).sort()).toEqual(required.sort());
        },
    );

    test.each([
        ["ES and CommonJS modules find", "node16", ["types.mts", "types.cts"]],
        ["a project with the older resolution finds", "commonjs", ["types.ts"]],
        ["a bundler finds", "preserve", ["types.ts"]],
    ])("%s the types, and needs no other types", async (_who, module, sources) => {
        const source = `import * as pulumi from "@pulumi/pulumi";
import { VirtualMachine, type VirtualMachineArgs } from "pulumi-cloudstack";
export const make = (args: VirtualMachineArgs): pulumi.Output<string> => new VirtualMachine("x", args).ipAddress;
// @ts-expect-error: arguments have types
export const wrong: VirtualMachineArgs = { serviceOffering: 1, template: "Debian 12" };
`;
        for (const file of sources) writeFileSync(join(folder, file), source);
        const types = ["--types", "node", "--typeRoots", join(checkout, "node_modules", "@types")];
        await run(
            nodeIn(folder),
            [compiler, "--noEmit", "--strict", ...types, "--module", module, "--target", "es2022", ...sources],
            folder,
        );
    });

    test("the embedded cloud starts, answers and stops", async () => {
        const command = join(folder, "node_modules", ".bin", "cloudstack-local");
        const env = testEnvironment(folder, { CLOUDSTACK_LOCAL_STATE: join(folder, "cloud") });
        const local = (...args: string[]) => run(command, args, folder, inFolder(folder, env));
        await local("start", "--port", "0", "--hypervisor", "none");
        try {
            expect(JSON.parse(await local("status", "--json")).hypervisor).toBe("none");
        } finally {
            await local("stop");
        }
    });
});

/** A peer dependency is the host's: there must be one SDK, installed by the host. */
describe("the package in a program with its own version of the SDK", () => {
    const [, oldest] = /^\^(\d+\.\d+\.\d+)$/.exec(require("../../package.json").peerDependencies["@pulumi/pulumi"])!;

    test.each([
        ["the oldest that the package allows", oldest],
        ["the newest that the registry has", "3"],
    ])("a program with %s can be created and destroyed, and there is one SDK only", async (which, version) => {
        const folder = emptyFolder(which.split(" ")[1]);
        await run("npm", ["install", ...quietly, tarball, `@pulumi/pulumi@${version}`, ...node], folder);
        const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
        expect(Object.keys(packages).filter((path) => path.endsWith("node_modules/@pulumi/pulumi"))).toEqual([
            "node_modules/@pulumi/pulumi",
        ]);
        if (version !== "3") expect(packages["node_modules/@pulumi/pulumi"].version).toBe(version);
        expect(await upAndDown(folder, "js")).toMatch(/^10\.1\.1\.\d+$/);
    });
});

const whyNoPnpm = pnpm === undefined ? " (skipped: pnpm cannot be installed from npm's registry)" : "";

(pnpm === undefined ? test.skip : test)(
    `a program can be created and destroyed in pnpm's layout${whyNoPnpm}`,
    async () => {
        const folder = emptyFolder("pnpm");
        await run(
            pnpm!,
            [
                "add",
                "--prefer-offline",
                "--store-dir",
                join(parent, "store"),
                tarball,
                `@pulumi/pulumi@${sdk}`,
                ...node,
            ],
            folder,
        );
        // In pnpm's layout, a program cannot import a package that it does not declare.
        expect(existsSync(join(folder, "node_modules", ".pnpm"))).toBe(true);
        expect(readdirSync(join(folder, "node_modules")).includes("axios")).toBe(false);
        expect(await upAndDown(folder, "ts")).toMatch(/^10\.1\.1\.\d+$/);
    },
);

/** Installs `pnpm` in a separate folder; `undefined` if that is not possible. */
function installPnpm(): string | undefined {
    const tool = join(parent, "tool");
    mkdirSync(tool);
    try {
        execFileSync("npm", ["install", "--prefix", tool, ...quietly, "pnpm@10"], { cwd: tool, stdio: "pipe" });
        return join(tool, "node_modules", ".bin", "pnpm");
    } catch {
        return undefined;
    }
}

test("the package contains compiled code and its documentation, and nothing else", () => {
    const folders = new Set(files.map((file) => dirname(file).split("/").slice(0, 2).join("/")));
    expect([...folders].sort()).toEqual([
        ".",
        "dist",
        "dist/components",
        "dist/provider",
        "dist/simulator",
        "docs",
        "simulator/artifacts",
    ]);
    expect(
        files.filter(
            (file) =>
                !/^(dist\/.*\.(js|d\.ts|json)|simulator\/artifacts\/modules\/.*\/(go\.(mod|sum)|main\.go)|docs\/[\w-]+\.md|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(
                    file,
                ),
        ),
    ).toEqual([]);
    expect(files.filter((file) => /test/i.test(file))).toEqual([]);
    const { license, main, types, bin } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    expect(license).toBe("Apache-2.0");
    expect(files).toEqual(expect.arrayContaining(["LICENSE", main, types, ...Object.values(bin)]));
});

test("every file of the package is imported, directly or indirectly, by an entry point", () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
        if (reached.has(file)) return;
        reached.add(file);
        const text = readFileSync(join(checkout, file), "utf8");
        for (const [, name] of text.matchAll(/(?:from|import|require(?:\.resolve)?)\s*\(?\s*"(\.[^"]*)"/g)) {
            const target = join(dirname(file), name);
            const kind = file.endsWith(".d.ts") ? ".d.ts" : ".js";
            const found = [target, `${target}${kind}`, join(target, `index${kind}`)].find((path) =>
                files.includes(path),
            );
            if (found === undefined) throw new Error(`${file} imports ${name}, which the package does not hold`);
            visit(found);
        }
    };
    ["dist/index", "dist/provider/v1"].forEach((entry) => [".js", ".d.ts"].forEach((kind) => visit(`${entry}${kind}`)));
    visit("dist/simulator/main.js");
    // A module that has only types compiles to an empty file, and a .d.ts that is not imported describes a .js that is.
    const isEmpty = (file: string) =>
        readFileSync(join(checkout, file), "utf8")
            .replace(/\/\*[^]*?\*\//g, "")
            .replace(/"use strict";|Object\.defineProperty\(exports, "__esModule".*/g, "")
            .trim() === "";
    const hasUse = (file: string) =>
        file.endsWith(".d.ts") ? files.includes(file.replace(/\.d\.ts$/, ".js")) : isEmpty(file);
    const unused = files.filter((file) => file.startsWith("dist/") && !reached.has(file));
    expect(unused.filter((file) => !hasUse(file))).toEqual([]);
});
