/**
 * The mirror: a folder with release files for machines that reach no other place, and a manifest of their SHA-256 sums.
 * The cloud serves it to its machines at http://GATEWAY/artifacts/.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { buildRelease, hasGo } from "./goBuild";
import type { Release } from "./releases";

export const SOURCES = ["auto", "release", "go"] as const;
/** Where files come from: the official release, a Go toolchain, or the first of them that works. */
export type Source = (typeof SOURCES)[number];

export function mirrorFolder(cacheDir: string): string {
    return path.join(cacheDir, "artifacts");
}

/** SHA-256 sums by file name. */
export function manifestFile(cacheDir: string): string {
    return path.join(mirrorFolder(cacheDir), "manifest.json");
}

/** What became of a release. */
export interface Outcome {
    readonly fileName: string;
    readonly sha256: string;
    readonly from: "mirror" | "release" | "go";
    readonly seconds: number;
}

async function sumOf(file: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(fs.createReadStream(file), hash);
    return hash.digest("hex");
}

/** How long the official place may take until it begins to answer, in milliseconds. */
const PATIENCE = 15_000;

/** @throws Error where it cannot be reached, or what comes is not what the package knows */
async function download({ url, sha256, fileName, version }: Release, file: string): Promise<void> {
    if (sha256 === undefined) throw new Error(`this package knows no SHA-256 of version ${version}`);
    const beginning = new AbortController();
    const timer = setTimeout(() => beginning.abort(new Error("no answer")), PATIENCE);
    const response = await fetch(url, { signal: beginning.signal }).catch((error: Error & { cause?: Error }) => {
        throw new Error(error.cause?.message ?? error.message);
    });
    clearTimeout(timer);
    if (!response.ok || response.body === null) throw new Error(`${new URL(url).host} answered ${response.status}`);
    await pipeline(response.body, fs.createWriteStream(file));
    const found = await sumOf(file);
    if (found !== sha256) throw new Error(`${fileName} has the SHA-256 ${found}, expected ${sha256}`);
}

/** The part of a file that is being made; unique, so that two who make the same do not meet. */
const partOf = (folder: string, name: string) => path.join(folder, `.${name}.${process.pid}.part`);

async function make(release: Release, source: Source, file: string, say: (line: string) => void): Promise<Outcome["from"]> {
    const reasons: string[] = [];
    if (source !== "go") {
        try {
            say(`fetching ${release.fileName}`);
            await download(release, file);
            return "release";
        } catch (error) {
            reasons.push(`the official release: ${(error as Error).message}`);
        }
    }
    if (source !== "release") {
        if (await hasGo()) {
            say(`building ${release.program} ${release.version} with Go (${reasons[0] ?? "as asked for"}): a minute or more`);
            await buildRelease(release, file);
            return "go";
        }
        reasons.push("Go: not on PATH");
    }
    throw new Error(
        `${release.fileName} cannot be had. ${reasons.join("; ")}. Install Go (https://go.dev/dl), or put the file into ` +
            `${path.dirname(file)} with its sum in ${release.fileName}.sha256.`,
    );
}

/**
 * Completes the mirror; what is there stays.
 *
 * @param say hears what takes long
 * @throws Error that says what was tried, and what to do
 */
export async function ensureReleases(
    cacheDir: string,
    releases: readonly Release[],
    source: Source,
    say: (line: string) => void,
): Promise<Outcome[]> {
    const folder = mirrorFolder(cacheDir);
    fs.mkdirSync(folder, { recursive: true });
    const outcomes: Outcome[] = [];
    for (const release of releases) {
        const started = Date.now();
        const file = path.join(folder, release.fileName);
        const sumFile = `${file}.sha256`;
        const known = fs.existsSync(file) && fs.existsSync(sumFile) ? fs.readFileSync(sumFile, "utf8").trim() : undefined;
        let from: Outcome["from"] = "mirror";
        if (known === undefined || (await sumOf(file)) !== known) {
            const part = partOf(folder, release.fileName);
            try {
                from = await make(release, source, part, say);
                const sum = await sumOf(part);
                fs.renameSync(part, file);
                fs.writeFileSync(sumFile, `${sum}\n`);
            } finally {
                fs.rmSync(part, { force: true });
            }
        }
        const sha256 = fs.readFileSync(sumFile, "utf8").trim();
        outcomes.push({ fileName: release.fileName, sha256, from, seconds: (Date.now() - started) / 1000 });
    }
    writeManifest(cacheDir);
    return outcomes;
}

/** Made of the sums beside the files: whoever writes it last writes all of them. */
function writeManifest(cacheDir: string): void {
    const folder = mirrorFolder(cacheDir);
    const sums = fs.readdirSync(folder).filter((name) => name.endsWith(".sha256") && !name.startsWith("."));
    const entries = sums.map((name) => [
        name.replace(/\.sha256$/, ""),
        fs.readFileSync(path.join(folder, name), "utf8").trim(),
    ]);
    const part = partOf(folder, "manifest.json");
    fs.writeFileSync(part, `${JSON.stringify(Object.fromEntries(entries.sort()), null, 2)}\n`);
    fs.renameSync(part, manifestFile(cacheDir));
}
