/** The mirror's folder, and its manifest: the SHA-256 sums of the files in it, by name. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";

export function artifactsFolder(cacheDir: string): string {
    return path.join(cacheDir, "artifacts");
}

export function manifestFile(cacheDir: string): string {
    return path.join(artifactsFolder(cacheDir), "manifest.json");
}

/** Hexadecimal SHA-256 sums by file name. */
export type Manifest = Readonly<Record<string, string>>;

/**
 * Empty if there is none yet.
 *
 * @throws Error if it is damaged, since the files cannot be verified then
 */
export function readManifest(cacheDir: string): Manifest {
    const file = manifestFile(cacheDir);
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as Manifest;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
        throw new Error(`${file} cannot be read (${(error as Error).message}): correct it, or delete it.`);
    }
}

/**
 * Adds a file, and removes entries of files that no longer exist. A reader sees the old manifest or the new one. The
 * caller must hold the mirror's lock.
 */
export function addToManifest(cacheDir: string, fileName: string, sha256: string): void {
    const folder = artifactsFolder(cacheDir);
    const all = Object.entries({ ...readManifest(cacheDir), [fileName]: sha256 });
    const there = all.filter(([name]) => fs.existsSync(path.join(folder, name))).sort(([a], [b]) => (a < b ? -1 : 1));
    const part = `${manifestFile(cacheDir)}.part`;
    fs.writeFileSync(part, `${JSON.stringify(Object.fromEntries(there), null, 2)}\n`);
    putInPlace(part, manifestFile(cacheDir));
}

/** Renames a finished file after it was synced to disk, so that a crash of the computer leaves no partial file. */
export function putInPlace(part: string, file: string): void {
    const descriptor = fs.openSync(part, "r");
    fs.fsyncSync(descriptor);
    fs.closeSync(descriptor);
    fs.renameSync(part, file);
}

/** Hexadecimal SHA-256 of a file; undefined if it does not exist. */
export async function sumOf(file: string): Promise<string | undefined> {
    if (!fs.existsSync(file)) return undefined;
    const hash = createHash("sha256");
    await pipeline(fs.createReadStream(file), hash);
    return hash.digest("hex");
}
