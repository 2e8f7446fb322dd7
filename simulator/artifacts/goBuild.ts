/** Builds a release's file with a Go toolchain, if the release itself cannot be downloaded. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import type { Release } from "./releases";

/** Go 1.21 and later download the toolchain that a module requires. */
export const OLDEST_GO = "1.21";

/** Go on PATH, or in the folders of Go's own installer and of distributions. */
const GO_PATHS = ["go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"];

/** How many lines of a failed program's output its error message contains. */
const TAIL_LINES = 5;

interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Called with each line of standard error. */
    readonly onLine?: (line: string) => void;
}

/** @throws Error with the end of the program's standard error */
function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { cwd, env = process.env, onLine } = options;
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        const tail: string[] = [];
        child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
        readline.createInterface({ input: child.stderr }).on("line", (line) => {
            tail.push(line);
            tail.splice(0, tail.length - TAIL_LINES);
            onLine?.(line);
        });
        child.once("error", reject);
        child.once("close", (code, signal) => {
            if (code === 0) return resolve(output);
            const end = `${path.basename(command)} ${args[0]} ended with ${signal ?? code}`;
            reject(new Error([end, ...tail].join("\n")));
        });
    });
}

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

/** Keeps the user's settings of proxies, checksums and caches, but no settings that would change the result. */
function buildEnvironment({ architecture }: Release, isPinned: boolean): NodeJS.ProcessEnv {
    return {
        ...process.env,
        GOFLAGS: `-mod=${isPinned ? "readonly" : "mod"} -trimpath -buildvcs=false`,
        GOWORK: "off",
        GO111MODULE: "on",
        CGO_ENABLED: "0",
        GOOS: "linux",
        GOARCH: architecture,
        GOAMD64: "v1",
        GOARM64: "v8.0",
    };
}

/** The root folder of this package, for this module as a source and compiled in `dist`. */
function packageFolder(folder = __dirname): string {
    return fs.existsSync(path.join(folder, "package.json")) ? folder : packageFolder(path.dirname(folder));
}

/** The folder with go.mod and go.sum of a release; it exists for the versions that this package knows. */
export function pinnedModules({ program, version }: Pick<Release, "program" | "version">): string {
    return path.join(packageFolder(), "simulator", "artifacts", "modules", `${program}-${version}`);
}

/**
 * Creates the module that the programs are built in: from the package's own go.mod and go.sum, otherwise from the
 * release's modules, whose checksums Go then gets from the checksum database. Returns whether it is the package's own.
 */
function prepareModule(release: Release, folder: string): boolean {
    const pinned = pinnedModules(release);
    if (fs.existsSync(pinned)) {
        for (const name of ["go.mod", "go.sum"]) fs.copyFileSync(path.join(pinned, name), path.join(folder, name));
        return true;
    }
    const requirements = release.go.modules.map((name) => `require ${name} v${release.version}\n`).join("");
    fs.writeFileSync(path.join(folder, "go.mod"), `module mirror\n\ngo ${OLDEST_GO}\n\n${requirements}`);
    return false;
}

/**
 * Builds the programs of a release from its Go modules, whose checksums Go verifies, and packs them as the release
 * does. The build is reproducible with the same toolchain.
 *
 * @param folder an empty working folder
 * @param file path of the result
 * @param onProgress called often with the current step
 * @throws Error with the end of Go's output
 */
export async function buildRelease(
    release: Release,
    folder: string,
    file: string,
    onProgress: (text: string) => void,
): Promise<void> {
    const go = await findGo();
    const env = buildEnvironment(release, prepareModule(release, folder));
    const variables = Object.entries(release.go.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
    const linker = ["-s", "-w", ...variables].join(" ");
    const counts = { downloaded: 0, compiled: 0 };
    const onLine = (line: string) => {
        if (line.startsWith("go: downloading ")) counts.downloaded++;
        else if (/^[\w.-]+(\/|$)/.test(line)) counts.compiled++;
        const { downloaded, compiled } = counts;
        onProgress(compiled > 0 ? `${compiled} packages compiled` : `${downloaded} modules downloaded`);
    };
    const out = path.join(folder, "out");
    for (const [where, source] of Object.entries(release.go.programs)) {
        const program = path.join(out, where);
        fs.mkdirSync(path.dirname(program), { recursive: true });
        const args = ["build", "-v", `-ldflags=${linker}`, "-o", program, source];
        await run(go, args, { cwd: folder, env, onLine });
    }
    onProgress("packing");
    await pack(release, out, file);
}

/** Packs with fixed times, owners, modes and order, so that the archive is reproducible. */
async function pack({ fileName, go }: Release, folder: string, file: string): Promise<void> {
    if (!/\.(tar\.gz|tgz)$/.test(fileName)) {
        const [program] = Object.keys(go.programs);
        return fs.renameSync(path.join(folder, program), file);
    }
    const fixed = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
    const format = ["--format=ustar", "--use-compress-program=gzip -n"];
    await run("tar", ["-cf", file, ...format, ...fixed, "-C", folder, ...fs.readdirSync(folder).sort()]);
}
