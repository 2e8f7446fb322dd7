import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Where Debian keeps programs that an ordinary user's PATH may lack. */
const searchPath = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];

/** The path of a program of this machine, if it has it; a path stays what it is. */
export function findTool(name: string): string | undefined {
    return (name.includes("/") ? [name] : searchPath.map((folder) => path.join(folder, name))).find((file) => {
        try {
            fs.accessSync(file, fs.constants.X_OK);
            return fs.statSync(file).isFile();
        } catch {
            return false;
        }
    });
}

/**
 * `test` where all of these programs are there; elsewhere the test is skipped, and its name says what it lacks: it
 * never passes.
 *
 * @example testWithTools(["shellcheck"])("every script passes shellcheck", () => { … })
 */
export function testWithTools(
    tools: readonly string[],
): (name: string, body: jest.ProvidesCallback, timeout?: number) => void {
    const missing = tools.filter((tool) => findTool(tool) === undefined);
    if (missing.length === 0) return test;
    return (name, body, timeout) => test.skip(`${name} (skipped: no ${missing.join(", no ")})`, body, timeout);
}

/** What a program answered. */
export interface ToolResult {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** Both outputs, for messages. */
    readonly output: string;
}

/** Arguments of `openssl req` for a new key of an elliptic curve without a passphrase; `-keyout` names its file. */
export const NEW_EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Runs a program of {@link findTool}. */
export function runTool(
    name: string,
    args: readonly string[],
    options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): ToolResult {
    const program = findTool(name);
    if (program === undefined) throw new Error(`no ${name} on this machine`);
    const { status, stdout, stderr, error } = spawnSync(program, args, {
        encoding: "utf8",
        ...options,
        env: { ...process.env, ...options.env },
    });
    if (error) throw error;
    return { status, stdout, stderr, output: stdout + stderr };
}

/** Fails with everything that the program printed, unless it succeeded. */
export function expectSuccess(result: ToolResult): void {
    if (result.status !== 0) throw new Error(`exit status ${result.status}\n${result.output}`);
}

/** A folder that exists during `body` alone. */
export async function withFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-test-"));
    try {
        return await body(folder);
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}
