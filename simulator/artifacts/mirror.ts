/**
 * The mirror: a folder with release files for machines without internet access, and a manifest of their SHA-256 sums.
 * The cloud serves it to its machines at http://GATEWAY/artifacts/FILE.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { filesOf, isImageArchive, isRelease, type MirrorFile, type Wanted } from "./files";
import { CGO_PACKAGES, OLDEST_GO } from "./goBuild";
import { withLock } from "./lock";
import { addToManifest, artifactsFolder, putInPlace, readManifest, sumOf } from "./manifest";
import type { Architecture } from "./releases";
import { Failure, type Made, type Source, Workshop } from "./workshop";

export type { Wanted } from "./files";
export { artifactsFolder, type Manifest, manifestFile, readManifest } from "./manifest";
export { type Source, SOURCES } from "./workshop";

/** The outcome for one file. */
export interface Outcome {
    readonly fileName: string;
    readonly sha256: string;
    readonly bytes: number;
    /** `mirror`: it was already present. */
    readonly from: "mirror" | Made["from"];
    /** Why the official release could not be used, if that was tried first. */
    readonly because?: string;
    /** Until it was finished, including what it had to wait for. */
    readonly seconds: number;
}

export interface EnsureOptions {
    /** @default "auto" */
    readonly source?: Source;
    /** Interrupts the work, of which nothing is left then. */
    readonly signal?: AbortSignal;
    /** Called once, with what has to be made. */
    readonly onMissing?: (files: readonly MirrorFile[]) => void;
    /** Called often with what is being done, one text for each of several things. */
    readonly onProgress?: (texts: readonly string[]) => void;
    /** Called with each file as soon as it is present. */
    readonly onFile?: (outcome: Outcome) => void;
    /** Called with the name of a file as soon as it cannot be made, and why; the others are still made. */
    readonly onFailed?: (fileName: string, reason: string) => void;
}

/**
 * Completes the mirror with these versions for this computer's machines. Files that match the manifest are kept, as are
 * official files that were copied there by hand. Several processes may do so at once.
 *
 * @example await ensureArtifacts(cacheFolder(), { etcd: ["3.6.14"] })
 * @throws Error that says what was tried, and what to do
 */
export function ensureArtifacts(
    cacheDir: string,
    wanted: Wanted,
    options: EnsureOptions & { readonly architecture?: Architecture } = {},
): Promise<Outcome[]> {
    return ensureFiles(cacheDir, filesOf(wanted, options.architecture), options);
}

/** As `ensureArtifacts`, for the results of `filesOf`. */
export async function ensureFiles(
    cacheDir: string,
    files: readonly MirrorFile[],
    options: EnsureOptions = {},
): Promise<Outcome[]> {
    const folder = artifactsFolder(cacheDir);
    const outcomes: Outcome[] = [];
    const add = (outcome: Outcome) => {
        outcomes.push(outcome);
        options.onFile?.(outcome);
    };
    /** Those that are not there yet. */
    const findAll = async (wanted: readonly MirrorFile[], isLocked: boolean) => {
        const missing: MirrorFile[] = [];
        for (const file of wanted) {
            const outcome = await findFile(cacheDir, file, isLocked);
            if (outcome === undefined) missing.push(file);
            else add(outcome);
        }
        return missing;
    };
    const missing = await findAll(files, false);
    if (missing.length === 0) return outcomes;
    fs.mkdirSync(folder, { recursive: true });
    const onWait = () => {
        options.signal?.throwIfAborted();
        options.onProgress?.(["waiting for another process that completes the mirror"]);
    };
    await withLock(path.join(folder, ".lock"), onWait, async () => {
        const left = await findAll(missing, true);
        if (left.length > 0) await makeFiles(cacheDir, left, options, add);
    });
    const order = files.map(({ fileName }) => fileName);
    return outcomes.sort((a, b) => order.indexOf(a.fileName) - order.indexOf(b.fileName));
}

/** A file that matches the manifest; with `isLocked` also an official file, which is then added to the manifest. */
async function findFile(cacheDir: string, wanted: MirrorFile, isLocked: boolean): Promise<Outcome | undefined> {
    const started = Date.now();
    const { fileName } = wanted;
    const file = path.join(artifactsFolder(cacheDir), fileName);
    const known = readManifest(cacheDir)[fileName];
    if (!isLocked && known === undefined) return undefined;
    const sha256 = await sumOf(file);
    if (sha256 === undefined) return undefined;
    if (sha256 !== known) {
        if (!isLocked || !isRelease(wanted) || sha256 !== wanted.sha256) return undefined;
        addToManifest(cacheDir, fileName, sha256);
    }
    return { fileName, sha256, from: "mirror", bytes: fs.statSync(file).size, seconds: (Date.now() - started) / 1000 };
}

const WORK_PREFIX = ".work-";

/** Makes files. The caller holds the lock, so that other working folders are leftovers of crashes. */
async function makeFiles(
    cacheDir: string,
    files: readonly MirrorFile[],
    { source = "auto", signal, onMissing, onProgress = () => undefined, onFailed }: EnsureOptions,
    add: (outcome: Outcome) => void,
): Promise<void> {
    const started = Date.now();
    onMissing?.(files);
    const folder = artifactsFolder(cacheDir);
    for (const name of fs.readdirSync(folder).filter((one) => one.startsWith(WORK_PREFIX)))
        fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    // A unique name, since child processes of a killed process may still be writing to its folder.
    const work = fs.mkdtempSync(path.join(folder, WORK_PREFIX));
    const failed: { file: MirrorFile; failure: Failure }[] = [];
    try {
        const workshop = new Workshop({ cacheDir, work, source, signal, onProgress });
        const onMade = async ({ fileName }: MirrorFile, part: string, made: Made) => {
            const sha256 = (await sumOf(part))!;
            fs.chmodSync(part, 0o644);
            const file = path.join(folder, fileName);
            putInPlace(part, file);
            addToManifest(cacheDir, fileName, sha256);
            const seconds = (Date.now() - started) / 1000;
            add({ fileName, sha256, bytes: fs.statSync(file).size, ...made, seconds });
        };
        await workshop.make(files, onMade, (file, error) => {
            if (signal?.aborted) return;
            const failure = error instanceof Failure ? error : new Failure([error.message]);
            failed.push({ file, failure });
            onFailed?.(file.fileName, failure.message);
        });
        signal?.throwIfAborted();
        if (failed.length > 0) throw new Error(adviceFor(failed, folder));
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

/** What failed, why, and what to do about it. */
function adviceFor(failed: readonly { file: MirrorFile; failure: Failure }[], folder: string): string {
    const groups = new Map<string, typeof failed>();
    for (const one of failed) groups.set(one.failure.message, [...(groups.get(one.failure.message) ?? []), one]);
    const files = failed.map(({ file }) => file);
    const releases = files.filter(isRelease);
    const needsRoot = files.some(isImageArchive);
    const unknown = releases.filter(({ sha256 }) => sha256 === undefined);
    return [
        ...[...groups.values()].flatMap((group) => [
            `${group.map(({ file }) => file.fileName).join(", ")} could not be obtained:`,
            ...group[0].failure.reasons.map((reason) => `  - ${reason.replaceAll("\n", "\n    ")}`),
        ]),
        "Do one of these, then run this command again:",
        `  - install Go ${OLDEST_GO} or later (https://go.dev/doc/install), with access to a Go module proxy`,
        ...(releases.some(({ build }) => build.isCgo) ? [`  - install ${CGO_PACKAGES}, which runc needs`] : []),
        ...(needsRoot
            ? ["  - for the images: run this as root, with mmdebstrap and access to Debian's package mirror"]
            : []),
        ...releases.map(
            ({ fileName, url, sha256 }) =>
                `  - download ${url} elsewhere, and put it into ${folder}` +
                (fileName === url.slice(url.lastIndexOf("/") + 1) ? "" : ` as ${fileName}`) +
                (sha256 !== undefined ? "" : `, and its SHA-256 into manifest.json there: { "${fileName}": "…" }`),
        ),
        ...[...new Set(unknown.map(({ knownVersions }) => knownVersions.join(", ")))].map(
            (versions) => `  - use a version that this package knows: ${versions}`,
        ),
    ].join("\n");
}
