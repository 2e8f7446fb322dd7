import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A profile of an INI file of CloudMonkey (cmk) or of the Python client cs. */
export interface Profile {
    name: string;
    file: string;
    endpoint?: string;
    apiKey?: string;
    secretKey?: string;
    /** It has a user name and a password instead of keys. These cannot sign API calls. */
    passwordOnly: boolean;
    /** It disables the verification of TLS certificates. This setting is ignored. */
    unverified: boolean;
}

/** The content of the files: every profile by name, and the one to use when none is named. */
export interface Profiles {
    byName: ReadonlyMap<string, Profile>;
    current?: string;
    /** The files that were searched, whether they exist or not. */
    files: readonly string[];
    problems: readonly string[];
}

/** The files, in the order in which a profile is searched. Each may be in the format of cmk or of cs. */
export function profileFiles(env: NodeJS.ProcessEnv, folder: string): string[] {
    const home = env.HOME ?? env.USERPROFILE ?? os.homedir();
    const expand = (file: string): string => file.replace(/^~(?=$|[/\\])/, home);
    return [
        ...(env.CLOUDSTACK_CONFIG ? [path.resolve(folder, expand(env.CLOUDSTACK_CONFIG))] : []),
        path.join(home, ".cmk", "config"),
        path.join(folder, "cloudstack.ini"),
        path.join(home, ".cloudstack.ini"),
    ];
}

/**
 * Reads the files that exist. The profile to use when none is named is the first of: CLOUDSTACK_REGION (as in cs), the
 * current `profile` of a cmk file, and `cloudstack`, the default of cs.
 */
export function readProfiles(env: NodeJS.ProcessEnv, folder: string): Profiles {
    const files = profileFiles(env, folder);
    const byName = new Map<string, Profile>();
    const problems: string[] = [];
    let current = env.CLOUDSTACK_REGION || undefined;
    for (const file of files) {
        let text: string;
        try {
            text = fs.readFileSync(file, "utf8");
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
                problems.push(`${file} cannot be read: ${(error as Error).message}`);
            }
            continue;
        }
        const parsed = parseProfiles(text, file);
        parsed.profiles.forEach((profile) => byName.has(profile.name) || byName.set(profile.name, profile));
        current ??= parsed.current;
    }
    return { byName, current: current ?? (byName.has("cloudstack") ? "cloudstack" : undefined), files, problems };
}

/** The profiles of one file: sections with `url, apikey, secretkey` (cmk) or `endpoint, key, secret` (cs). */
export function parseProfiles(text: string, file: string): { profiles: Profile[]; current?: string } {
    const ini = require("ini") as typeof import("ini");
    // The library would interpret a dot in a section's name as nesting.
    const content = ini.parse(
        text.replace(/^\s*\[(.*)\]\s*$/gm, (_, name: string) => `[${name.replaceAll(".", "\\.")}]`),
    );
    const sections = Object.entries(content).filter(([, value]) => typeof value === "object" && !Array.isArray(value));
    const profiles = sections
        .filter(([name]) => name !== "core")
        .map(([name, section]) => toProfile(name, file, section as Record<string, unknown>, content));
    return { profiles, current: textOf(content.profile) ?? textOf(content.core?.profile) };
}

function toProfile(name: string, file: string, section: Record<string, unknown>, whole: Record<string, any>): Profile {
    const value = (...keys: string[]): string | undefined => keys.map((key) => textOf(section[key])).find(Boolean);
    const verify = [section.verifycert, section.verify, whole.verifycert, whole.core?.verifycert]
        .map(textOf)
        .find(Boolean);
    const apiKey = value("apikey", "key");
    const secretKey = value("secretkey", "secret");
    return {
        name,
        file,
        endpoint: value("url", "endpoint"),
        apiKey,
        secretKey,
        passwordOnly: !apiKey && !secretKey && value("username") !== undefined,
        unverified: verify?.toLowerCase() === "false",
    };
}

function textOf(value: unknown): string | undefined {
    return typeof value === "string" || typeof value === "boolean" ? String(value).trim() || undefined : undefined;
}
