import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

// `scripts` is plain JavaScript, which the compiler of the package does not read; this is its type here.
const {
    withLock,
}: {
    withLock<T>(file: string, onWait: (holder: number) => void, action: () => Promise<T>): Promise<T>;
} = require("../../scripts/lock");

const checkout = path.resolve(__dirname, "..", "..");

/** The rooms that `npm run build` compiles (`tsconfig.build.json`). */
const rooms = ["index.ts", "provider", "components", "simulator"];

/** Builds the package where what was built is missing or older than its sources: for tests that use it as installed. */
export async function built(): Promise<void> {
    if (isBuilt()) return;
    await withLock(
        path.join(checkout, "node_modules", ".build.lock"),
        () => {},
        async () => {
            if (isBuilt()) return;
            const compiler = require.resolve("typescript/bin/tsc");
            await promisify(execFile)(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: checkout });
        },
    );
}

function isBuilt(): boolean {
    return rooms
        .flatMap((room) => sources(path.join(checkout, room)))
        .every((source) => {
            const target = path.join(checkout, "dist", path.relative(checkout, source).replace(/\.ts$/, ".js"));
            return fs.existsSync(target) && fs.statSync(target).mtimeMs >= fs.statSync(source).mtimeMs;
        });
}

function sources(file: string): string[] {
    if (fs.statSync(file).isDirectory()) return fs.readdirSync(file).flatMap((name) => sources(path.join(file, name)));
    return file.endsWith(".ts") ? [file] : [];
}
