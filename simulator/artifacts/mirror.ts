/**
 * The mirror: a folder with release files for machines without internet access, and a manifest of their SHA-256 sums.
 * The cloud serves it to its machines at http://GATEWAY/artifacts/FILE.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { download } from "./download";
import { buildRelease, OLDEST_GO } from "./goBuild";
import { withLock } from "./lock";
import { addToManifest, artifactsFolder, putInPlace, readManifest, sumOf } from "./manifest";
import { type Architecture, PROGRAM_NAMES, type ProgramName, type Release, releaseOf } from "./releases";

export { artifactsFolder, type Manifest, manifestFile, readManifest } from "./manifest";

export const SOURCES = ["auto", "release", "go"] as const;
/** Where files come from: the official release, a Go toolchain, or the first of them that works. */
export type Source = (typeof SOURCES)[number];

/** The outcome for one release. */
export interface Outcome {
    readonly fileName: string;
    readonly sha256: string;
    readonly bytes: number;
    /** `mirror`: it was already present. */
    readonly from: "mirror" | "release" | "go";
    /** Why the official release could not be used, if that was tried first. */
    readonly because?: string;
    readonly seconds: number;
}

export interface EnsureOptions {
    /** @default "auto" */
    readonly source?: Source;
    /** Called often with the current step. */
    readonly onProgress?: (text: string) => void;
    /** Called with each file as soon as it is present. */
    readonly onFile?: (outcome: Outcome) => void;
}

/** Versions by program. */
export type Versions = Readonly<Partial<Record<ProgramName, readonly string[]>>>;

/**
 * Completes the mirror with these versions for this computer's machines. Files that match the manifest are kept, as are
 * official files that were copied there by hand. Several processes may do so at once.
 *
 * @example await ensureArtifacts(cacheFolder(), { etcd: ["3.6.14"] })
 * @throws Error that says what was tried, and what to do
 */
export function ensureArtifacts(
    cacheDir: string,
    versions: Versions,
    options: EnsureOptions & { readonly architecture?: Architecture } = {},
): Promise<Outcome[]> {
    const releases = PROGRAM_NAMES.flatMap((program) =>
        [...new Set(versions[program])].map((version) => releaseOf(program, version, options.architecture)),
    );
    return ensureReleases(cacheDir, releases, options);
}

/** As `ensureArtifacts`, for the results of `releaseOf`. */
export async function ensureReleases(
    cacheDir: string,
    releases: readonly Release[],
    { source = "auto", onProgress = () => undefined, onFile = () => undefined }: EnsureOptions = {},
): Promise<Outcome[]> {
    const folder = artifactsFolder(cacheDir);
    const outcomes: Outcome[] = [];
    const missing: Release[] = [];
    const add = (outcome: Outcome) => {
        outcomes.push(outcome);
        onFile(outcome);
    };
    for (const release of releases) {
        const outcome = await findFile(cacheDir, release, false);
        if (outcome === undefined) missing.push(release);
        else add(outcome);
    }
    if (missing.length === 0) return outcomes;
    fs.mkdirSync(folder, { recursive: true });
    const onWait = () => onProgress("waiting for another process that completes the mirror");
    await withLock(path.join(folder, ".lock"), onWait, async () => {
        for (const release of missing)
            add((await findFile(cacheDir, release, true)) ?? (await makeFile(cacheDir, release, source, onProgress)));
    });
    return outcomes;
}

/** A file that matches the manifest; with `isLocked` also an official file, which is then added to the manifest. */
async function findFile(cacheDir: string, release: Release, isLocked: boolean): Promise<Outcome | undefined> {
    const started = Date.now();
    const { fileName } = release;
    const file = path.join(artifactsFolder(cacheDir), fileName);
    const known = readManifest(cacheDir)[fileName];
    if (!isLocked && known === undefined) return undefined;
    const sha256 = await sumOf(file);
    if (sha256 === undefined) return undefined;
    if (sha256 !== known) {
        if (!isLocked || sha256 !== release.sha256) return undefined;
        addToManifest(cacheDir, fileName, sha256);
    }
    return { fileName, sha256, from: "mirror", bytes: fs.statSync(file).size, seconds: (Date.now() - started) / 1000 };
}

const WORK_PREFIX = ".work-";

/** Downloads or builds a file. The caller holds the lock, so that other working folders are leftovers of crashes. */
async function makeFile(
    cacheDir: string,
    release: Release,
    source: Source,
    onProgress: (text: string) => void,
): Promise<Outcome> {
    const started = Date.now();
    const { fileName } = release;
    const folder = artifactsFolder(cacheDir);
    for (const name of fs.readdirSync(folder).filter((one) => one.startsWith(WORK_PREFIX)))
        fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    // A unique name, since child processes of a killed process may still be writing to its folder.
    const work = fs.mkdtempSync(path.join(folder, WORK_PREFIX));
    const part = path.join(work, "file");
    try {
        const made = await obtain(release, source, work, part, onProgress).catch((reasons: Failure) => {
            throw new Error(installAdvice(release, folder, reasons));
        });
        const sha256 = (await sumOf(part))!;
        fs.chmodSync(part, 0o644);
        const file = path.join(folder, fileName);
        putInPlace(part, file);
        addToManifest(cacheDir, fileName, sha256);
        return { fileName, sha256, bytes: fs.statSync(file).size, ...made, seconds: (Date.now() - started) / 1000 };
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

/** All sources have failed. */
class Failure extends Error {
    readonly reasons: readonly string[];

    constructor(reasons: readonly string[]) {
        super(reasons.join("; "));
        this.reasons = reasons;
    }
}

/** @throws Failure */
async function obtain(
    release: Release,
    source: Source,
    work: string,
    part: string,
    onProgress: (text: string) => void,
): Promise<Pick<Outcome, "from" | "because">> {
    const { fileName, program, version } = release;
    const reasons: string[] = [];
    let because: string | undefined;
    if (source !== "go") {
        const step = `downloading ${fileName}`;
        onProgress(step);
        const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
        const onBytes = (received: number, total = NaN) =>
            onProgress(`${step}: ${mebibytes(received)}${total ? ` of ${mebibytes(total)}` : ""} MiB`);
        try {
            await download(release, part, { onBytes });
            return { from: "release" };
        } catch (error) {
            because = (error as Error).message;
            reasons.push(`the official release: ${because}`);
        }
    }
    if (source !== "release") {
        const step = `building ${program} ${version} with Go`;
        onProgress(step);
        try {
            await buildRelease(release, work, part, (text) => onProgress(`${step}: ${text}`));
            return { from: "go", because };
        } catch (error) {
            reasons.push(`Go: ${(error as Error).message}`);
        }
    }
    throw new Failure(reasons);
}

function installAdvice(
    { fileName, url, sha256, knownVersions }: Release,
    folder: string,
    { reasons }: Failure,
): string {
    const isKnown = sha256 !== undefined;
    return [
        `${fileName} could not be obtained:`,
        ...reasons.map((reason) => `  - ${reason.replaceAll("\n", "\n    ")}`),
        "Do one of these, then run this command again:",
        `  - install Go ${OLDEST_GO} or later (https://go.dev/doc/install), with access to a Go module proxy`,
        `  - download ${url} elsewhere, and put it into ${folder}` +
            (isKnown ? "" : `, and its SHA-256 into manifest.json there: { "${fileName}": "…" }`),
        ...(isKnown ? [] : [`  - use a version that this package knows: ${knownVersions.join(", ")}`]),
    ].join("\n");
}
