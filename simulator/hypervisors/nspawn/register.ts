/**
 * Registers the cloud of each prefix on this host, with the process that serves it: one file per cloud for as long as
 * it holds resources here. They are on a tmpfs, so that a boot of the host removes them with the resources.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { identify, type ProcessId, readJson, writeWhole } from "./host";

const FOLDER = "/run/cloudstack-local";

export interface Registration extends ProcessId {
    readonly stateDir: string;
}

const registrationFile = (prefix: string) => path.join(FOLDER, `${prefix}.json`);

/** Registers this process as the one that serves a state's cloud. */
export function register(prefix: string, stateDir: string): void {
    fs.mkdirSync(FOLDER, { recursive: true });
    writeWhole(
        registrationFile(prefix),
        JSON.stringify({ stateDir: path.resolve(stateDir), ...identify(process.pid) }),
    );
}

export function unregister(prefix: string): void {
    fs.rmSync(registrationFile(prefix), { force: true });
    try {
        fs.rmdirSync(FOLDER);
    } catch {
        // Other clouds are registered, or the folder does not exist.
    }
}

export function registrationOf(prefix: string): Registration | undefined {
    return readJson<Registration>(registrationFile(prefix));
}

export function registeredPrefixes(): string[] {
    if (!fs.existsSync(FOLDER)) return [];
    return fs.readdirSync(FOLDER).flatMap((name) => /^(\w+)\.json$/.exec(name)?.[1] ?? []);
}
