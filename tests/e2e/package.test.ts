import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type RunningCloud, startCloud } from "../../simulator";
import { testEnvironment } from "./support/engine";

/** The package as its users get it: packed, installed in an empty folder, and used there by programs. */

const checkout = join(__dirname, "..", "..");
const sdk: string = require("@pulumi/pulumi/package.json").version;
const parent = mkdtempSync(join(tmpdir(), "pulumi-cloudstack-package-"));
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
    cloud = await startCloud();
    // Without scripts: packing would compile anew what other tests are using.
    const [packed] = JSON.parse(await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", parent], checkout));
    tarball = join(parent, packed.filename);
    files = packed.files.map(({ path }: { path: string }) => path);
    console.log(`the package: ${Math.round(packed.size / 1024)} KiB packed, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked, ${files.length} files`);
});

afterAll(async () => {
    await cloud.close();
    rmSync(parent, { recursive: true, force: true });
});

/** Runs a command while this process, which is the cloud, goes on; its output, or an error with all of it. */
function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
    return new Promise((resolve, reject) => {
        execFile(command, args, { cwd, env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
            if (error === null) resolve(stdout);
            else reject(new Error(`${command} ${args[0]} failed\n${stdout}\n${stderr}`));
        });
    });
}

function emptyFolder(name: string): string {
    const folder = join(parent, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true }));
    return folder;
}

/** Brings a program up and down below a folder with the installed package; the address that it exports. */
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
    const env = testEnvironment(backend, { CLOUDSTACK_ENDPOINT: cloud.endpoint, CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey });
    const pulumi = (...args: string[]) => run("pulumi", [...args, "--stack", "dev", "--non-interactive"], project, env);
    await pulumi("stack", "init");
    await pulumi("up", "--yes", "--skip-preview");
    const { address } = JSON.parse(await pulumi("stack", "output", "--json"));
    await pulumi("preview", "--expect-no-changes");
    await pulumi("destroy", "--yes", "--skip-preview");
    return address;
}

describe("installed by npm", () => {
    let folder: string;

    beforeAll(async () => {
        folder = emptyFolder("npm");
        await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball, `@pulumi/pulumi@${sdk}`], folder);
    });

    test.each(Object.keys(languages) as (keyof typeof languages)[])("a program in %s goes up, stays as it is, and goes down", async (language) => {
        expect(await upAndDown(folder, language)).toMatch(/^10\.1\.1\.\d+$/);
    });

    test("both module systems get the same names", async () => {
        const names = async (code: string, type: string) => JSON.parse(await run(process.execPath, [`--input-type=${type}`, "-e", code], folder));
        const required = await names('console.log(JSON.stringify(Object.keys(require("pulumi-cloudstack")).sort()))', "commonjs");
        const imported = await names('import * as c from "pulumi-cloudstack"; console.log(JSON.stringify(Object.keys(c).filter((k) => k !== "default" && k !== "module.exports").sort()))', "module");
        expect(required).toContain("VirtualMachine");
        expect(imported.filter((name: string) => name !== "__esModule")).toEqual(required);
    });

    test("types are found from both module systems", async () => {
        const source = 'import { VirtualMachine, type VirtualMachineArgs } from "pulumi-cloudstack";\nexport const make = (args: VirtualMachineArgs) => new VirtualMachine("x", args);\n';
        for (const file of ["types.mts", "types.cts"]) {
            writeFileSync(join(folder, file), source);
            await run(process.execPath, [require.resolve("typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--module", "node16", "--target", "es2022", file], folder);
        }
    });

    test("the embedded cloud answers for itself", async () => {
        expect(await run(join(folder, "node_modules", ".bin", "cloudstack-local"), ["--help"], folder)).toContain("start");
    });
});

test("a program goes up and down in pnpm's layout", async () => {
    const folder = emptyFolder("pnpm");
    const tool = join(parent, "tool");
    mkdirSync(tool);
    await run("npm", ["install", "--prefix", tool, "--prefer-offline", "--no-audit", "--no-fund", "pnpm@10"], tool);
    const command = join(tool, "node_modules", ".bin", "pnpm");
    await run(command, ["add", "--prefer-offline", "--store-dir", join(parent, "store"), tarball, `@pulumi/pulumi@${sdk}`], folder);
    // The layout is pnpm's own: what is not declared cannot be seen from the program.
    expect(existsSync(join(folder, "node_modules", ".pnpm"))).toBe(true);
    expect(readdirSync(join(folder, "node_modules")).includes("axios")).toBe(false);
    expect(await upAndDown(folder, "ts")).toMatch(/^10\.1\.1\.\d+$/);
});

test("the package holds what runs and what describes it, and nothing else", () => {
    const folders = new Set(files.map((file) => dirname(file).split("/").slice(0, 2).join("/")));
    expect([...folders].sort()).toEqual([".", "dist", "dist/components", "dist/dynamic", "dist/provider", "dist/simulator"]);
    expect(files.filter((file) => !/^(dist\/.*\.(js|d\.ts|json)|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /test/i.test(file))).toEqual([]);
});
