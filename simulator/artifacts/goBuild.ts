/** Builds programs with a Go toolchain, from Go modules, whose checksums Go verifies. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { GoBuild } from "./builds";
import { type Gate, run } from "./process";
import type { Architecture } from "./releases";

/** Go 1.21 and later download the toolchain that a module requires. */
export const OLDEST_GO = "1.21";

/** What `isCgo` needs, as Debian's packages. */
export const CGO_PACKAGES = "gcc libc6-dev libseccomp-dev pkg-config";

/** Go on PATH, or in the folders of Go's own installer and of distributions. */
const GO_PATHS = ["go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"];

/**
 * The path of the Go toolchain.
 *
 * @throws Error if there is none, or if it is too old
 */
export async function findGo(places: readonly string[] = GO_PATHS): Promise<string> {
    for (const go of places) {
        const answer = await run(go, ["env", "GOVERSION"]).catch((error: NodeJS.ErrnoException) => {
            if (error.code === "ENOENT") return undefined;
            throw error;
        });
        if (answer === undefined) continue;
        const version = answer.trim().replace(/^go/, "");
        if (!isNewEnough(version))
            throw new Error(`${go} is ${version || "older"}, but ${OLDEST_GO} or later is required`);
        return go;
    }
    throw new Error("not found on PATH");
}

/** Development versions (`devel …`) are assumed to be new enough. */
function isNewEnough(version: string): boolean {
    const [major, minor] = OLDEST_GO.split(".").map(Number);
    const [, foundMajor, foundMinor] = /^(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
    if (foundMajor === undefined) return version !== "";
    return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

/** The root folder of this package, for this module as a source and compiled in `dist`. */
function packageFolder(folder = __dirname): string {
    return fs.existsSync(path.join(folder, "package.json")) ? folder : packageFolder(path.dirname(folder));
}

function modulesFolder(): string {
    return path.join(packageFolder(), "simulator", "artifacts", "modules");
}

/** The folder with go.mod and go.sum of a build; it exists for the versions that this package knows. */
export function pinnedModules({ folder }: Pick<GoBuild, "folder">): string {
    return path.join(modulesFolder(), folder);
}

export interface BuildOptions {
    readonly architecture: Architecture;
    /** Limits how many builds download modules at a time, and how many compile. */
    readonly gates: { readonly download: Gate; readonly compile: Gate };
    readonly signal?: AbortSignal;
    /** Called often with the current step; undefined while it waits. */
    readonly onProgress: (text: string | undefined) => void;
}

/**
 * Builds programs with one call of Go, and returns their paths by name. The result is reproducible with the same
 * toolchain.
 *
 * @param programs names of the build's packages
 * @param folder an empty working folder
 * @throws Error with the end of Go's output
 */
export async function buildPrograms(
    build: GoBuild,
    programs: readonly string[],
    folder: string,
    { architecture, gates, signal, onProgress }: BuildOptions,
): Promise<Record<string, string>> {
    const go = await findGo();
    const isPinned = fs.existsSync(pinnedModules(build));
    const env = { ...environment(build, architecture, isPinned), GOTMPDIR: path.join(folder, "tmp") };
    fs.mkdirSync(env.GOTMPDIR);
    const tests = Object.entries(build.tests ?? {}).filter(([name]) => programs.includes(name));
    const ordinary = programs.filter((name) => name in build.packages);
    const files = Object.entries(build.files ?? {}).filter(([name]) => programs.includes(name));
    const packages = ordinary.map((name) => build.packages[name]);
    let downloaded = 0;
    let compiled = 0;
    let total = 0;
    const onLine = (line: string) => {
        if (line.startsWith("go: downloading ")) onProgress(`${++downloaded} modules downloaded`);
        else if (/^[\w.-]+(\/|$)/.test(line)) onProgress(`${++compiled} of ${total} packages compiled`);
    };
    const call = (...args: string[]) => run(go, args, { cwd: folder, env, signal, onLine });
    await gates.download.pass(async () => {
        onProgress("resolving modules");
        await prepareModule(build, folder, call, isPinned);
        const withTests = tests.length > 0 ? ["-test"] : [];
        const all = [...packages, ...tests.map(([, source]) => source)];
        total = (await call("list", "-deps", ...withTests, ...tags(build), ...all)).trim().split("\n").length;
    });
    onProgress(undefined);
    const out = path.join(folder, "out");
    await gates.compile.pass(async () => {
        onProgress("compiling");
        const linker = `-ldflags=${linkerFlags(build)}`;
        if (packages.length > 0) await call("build", "-v", ...tags(build), linker, "-o", `${out}/`, ...packages);
        fs.mkdirSync(out, { recursive: true });
        for (const [name, source] of tests) {
            onProgress(`compiling ${name}`);
            await call("test", "-c", ...tags(build), linker, "-o", path.join(out, name), source);
        }
    });
    if (files.length > 0) {
        const module = await moduleFolder(build.modules[0], call);
        for (const [name, source] of files) {
            fs.copyFileSync(path.join(module, source), path.join(out, name));
            fs.chmodSync(path.join(out, name), 0o644);
        }
    }
    return Object.fromEntries([
        ...ordinary.map((name) => [name, path.join(out, nameByGo(build.packages[name]))]),
        ...[...tests, ...files].map(([name]) => [name, path.join(out, name)]),
    ]);
}

/** Keeps the user's settings of proxies, checksums and caches, but no settings that would change the result. */
function environment({ isCgo }: GoBuild, architecture: Architecture, isPinned: boolean): NodeJS.ProcessEnv {
    return {
        ...process.env,
        GOFLAGS: `-mod=${isPinned ? "readonly" : "mod"} -trimpath -buildvcs=false`,
        GOWORK: "off",
        GO111MODULE: "on",
        CGO_ENABLED: isCgo ? "1" : "0",
        GOOS: "linux",
        GOARCH: architecture,
        GOAMD64: "v1",
        GOARM64: "v8.0",
    };
}

function tags({ tags: names = [] }: GoBuild): string[] {
    return names.length > 0 ? [`-tags=${names.join(",")}`] : [];
}

function linkerFlags({ variables = {}, isCgo }: GoBuild): string {
    const values = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
    return ["-s", "-w", ...values, ...(isCgo ? ["-linkmode=external", "-extldflags=-static"] : [])].join(" ");
}

/** Go names a program after the last part of its package's path that is not a major version. */
function nameByGo(packagePath: string): string {
    return packagePath
        .split("/")
        .filter((part, index) => index === 0 || !/^v\d+$/.test(part))
        .at(-1)!;
}

type Call = (...args: string[]) => Promise<string>;

/**
 * Creates the module that the programs are built in: from this package's own go.mod and go.sum, otherwise from the
 * modules of the version, whose checksums Go then gets from the checksum database.
 */
async function prepareModule(build: GoBuild, folder: string, call: Call, isPinned: boolean): Promise<void> {
    const { name, version, modules, packages, derived } = build;
    const goMod = path.join(folder, "go.mod");
    if (isPinned)
        for (const file of ["go.mod", "go.sum"])
            fs.copyFileSync(path.join(pinnedModules(build), file), path.join(folder, file));
    else if (name === "kubernetes") fs.writeFileSync(goMod, await kubernetesModule(version, call));
    else {
        const requirements = modules.map((module) => `require ${module} v${version}\n`).join("");
        fs.writeFileSync(goMod, `module mirror\n\ngo ${OLDEST_GO}\n\n${requirements}`);
    }
    for (const [program, source] of Object.entries(packages)) {
        if (!source.startsWith("./")) continue;
        const main = path.join(folder, program, "main.go");
        fs.mkdirSync(path.dirname(main));
        if (program === derived?.program) await deriveMain(derived, main, call);
        else fs.copyFileSync(path.join(modulesFolder(), program, "main.go"), main);
    }
}

/** Where Go keeps a module. */
async function moduleFolder(module: string, call: Call): Promise<string> {
    return (JSON.parse(await call("mod", "download", "-json", module)) as { Dir: string }).Dir;
}

async function deriveMain({ module, withoutImports }: Required<GoBuild>["derived"], file: string, call: Call) {
    const folder = await moduleFolder(module, call);
    const lines = fs.readFileSync(path.join(folder, "main.go"), "utf8").split("\n");
    fs.writeFileSync(file, lines.filter((line) => !withoutImports.test(line)).join("\n"));
}

/** Kubernetes' go.mod replaces its staging modules with folders of its repository; as modules they have versions 0.y.z. */
async function kubernetesModule(version: string, call: Call): Promise<string> {
    const module = `k8s.io/kubernetes@v${version}`;
    const { GoMod } = JSON.parse(await call("mod", "download", "-json", module)) as { GoMod: string };
    const text = fs.readFileSync(GoMod, "utf8");
    const staging = [...text.matchAll(/^\s*(k8s\.io\/[\w-]+) => \.\/staging\//gm)].map(([, name]) => name);
    const stagingVersion = version.replace(/^\d+/, "v0");
    return [
        "module mirror",
        /^go .*$/m.exec(text)![0],
        `require k8s.io/kubernetes v${version}`,
        `replace (\n${staging.map((name) => `\t${name} => ${name} ${stagingVersion}\n`).join("")})\n`,
    ].join("\n\n");
}
