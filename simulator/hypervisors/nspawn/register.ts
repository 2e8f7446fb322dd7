/**
 * Which cloud a prefix on this host belongs to, and which process serves it: one file each, there for as long as the
 * cloud has anything here. They go with a boot of the host, as all that they tell of.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { identify, type ProcessId, readJson, writeWhole } from "./host";

const FOLDER = "/run/cloudstack-local";

export interface Registration extends ProcessId {
    readonly stateDir: string;
}

const registrationFile = (prefix: string) => path.join(FOLDER, `${prefix}.json`);

/** Says that this process serves the cloud of a state. */
export function register(prefix: string, stateDir: string): void {
    fs.mkdirSync(FOLDER, { recursive: true });
    writeWhole(registrationFile(prefix), JSON.stringify({ stateDir: path.resolve(stateDir), ...identify(process.pid) }));
}

export function unregister(prefix: string): void {
    fs.rmSync(registrationFile(prefix), { force: true });
    try {
        fs.rmdirSync(FOLDER);
    } catch {
        // Others are registered, or nobody ever was.
    }
}

export function registrationOf(prefix: string): Registration | undefined {
    return readJson<Registration>(registrationFile(prefix));
}

export function registeredPrefixes(): string[] {
    if (!fs.existsSync(FOLDER)) return [];
    return fs.readdirSync(FOLDER).flatMap((name) => /^(\w+)\.json$/.exec(name)?.[1] ?? []);
}
