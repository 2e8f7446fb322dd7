/** Archives whose bytes depend on nothing but the files in them. */
import * as fs from "node:fs";
import { run } from "./process";

/** Order, times, owners, modes and format are fixed. */
const FIXED = [
    ...["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"],
    "--format=ustar",
];

/** Packs what a folder holds. */
export async function pack(folder: string, file: string, { gzip = false, signal }: PackOptions = {}): Promise<void> {
    const compression = gzip ? ["--use-compress-program=gzip -n"] : [];
    const names = fs.readdirSync(folder).sort();
    await run("tar", ["-cf", file, ...compression, ...FIXED, "-C", folder, ...names], { signal });
}

interface PackOptions {
    readonly gzip?: boolean;
    readonly signal?: AbortSignal;
}
