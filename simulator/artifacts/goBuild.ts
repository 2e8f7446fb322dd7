/** Makes a release's archive with a Go toolchain, where the release itself cannot be had. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import type { Release } from "./releases";

const run = promisify(execFile);
const LIMIT = { maxBuffer: 64 * 2 ** 20 };

export async function hasGo(): Promise<boolean> {
    return run("go", ["version"]).then(
        () => true,
        () => false,
    );
}

/**
 * Builds the programs of a release from its Go modules, whose sums Go checks, and packs them as the release does: with
 * fixed times and owners, so that the same toolchain makes the same file.
 *
 * @param file where the archive goes
 * @throws Error with the end of what Go said
 */
export async function buildRelease({ version, build }: Release, file: string): Promise<void> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-artifacts-"));
    try {
        const requirements = build.modules.map((name) => `\t${name} v${version}\n`).join("");
        fs.writeFileSync(path.join(folder, "go.mod"), `module mirror\n\ngo 1.24\n\nrequire (\n${requirements})\n`);
        const out = path.join(folder, build.folder);
        for (const [name, source] of Object.entries(build.programs)) {
            const args = ["build", "-mod=mod", "-buildvcs=false", "-trimpath", "-ldflags=-s -w"];
            await run("go", [...args, "-o", path.join(out, name), source], {
                ...LIMIT,
                cwd: folder,
                env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
            });
        }
        const fixed = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
        await run("tar", ["-C", folder, ...fixed, "--use-compress-program=gzip -n", "-cf", file, build.folder], LIMIT);
    } catch (error) {
        const { stderr, message } = error as Error & { stderr?: string };
        throw new Error((stderr || message).trim().split("\n").slice(-5).join("\n"));
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}
