/** Archives whose bytes depend on nothing but the files in them. */
import * as fs from "node:fs";
import { run } from "./process";

/** Order, times, owners and format are fixed. */
const FIXED = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];

/** Packs what a folder holds. */
export async function pack(
    folder: string,
    file: string,
    { gzip = false, keepsModes = false, signal }: PackOptions = {},
): Promise<void> {
    const compression = gzip ? ["--use-compress-program=gzip -n"] : [];
    const modes = `--mode=${keepsModes ? "u+rwX,go+rX" : "u=rwX,go=rX"}`;
    const names = fs.readdirSync(folder).sort();
    await run("tar", ["-cf", file, ...compression, ...FIXED, modes, "-C", folder, ...names], { signal });
}

interface PackOptions {
    readonly gzip?: boolean;
    /** Whether set-user-ID programs and folders that everyone may write to stay such. @default false */
    readonly keepsModes?: boolean;
    readonly signal?: AbortSignal;
}
