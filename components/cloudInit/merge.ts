import { isDeepStrictEqual } from "node:util";
import { type Problem, throwProblems } from "../problems";
import { checkCloudConfig } from "./check";
import type { CloudConfig } from "./document";

/** Lists that are sets: an entry that is there already is not repeated. */
const sets = ["packages", "sshAuthorizedKeys", "groups"] as const;
/** Lists whose order matters: the addition follows. */
const lists = ["users", "fsSetup", "mounts", "writeFiles", "bootcmd", "runcmd"] as const;
/** Tables, united key by key. */
const tables = ["diskSetup", "modules"] as const;
/** Single values: the addition may fill them, not change them. */
const values = [
    "hostname",
    "fqdn",
    "manageEtcHosts",
    "timezone",
    "locale",
    "ntp",
    "defaultUser",
    "sshPasswordAuthentication",
    "packageUpdate",
    "packageUpgrade",
] as const;

/**
 * `base` with a user's addition:
 * - lists are joined, `base` first; packages, keys and groups that are there already are not repeated;
 * - tables are united;
 * - single values are filled where `base` has none.
 *
 * What both have and have differently (a file's path, a user's name, a device, a module, a single value) is a conflict.
 *
 * @throws ArgumentError with all conflicts, see {@link cloudConfigConflicts}
 */
export function mergeCloudConfig(
    base: CloudConfig,
    extra: CloudConfig | undefined,
    path = "extraCloudConfig",
): CloudConfig {
    if (extra === undefined) return base;
    throwProblems("cloud-init", cloudConfigConflicts(base, extra, path));
    const merged: Record<string, unknown> = { ...base };
    const put = (field: keyof CloudConfig, value: unknown) => {
        if (value !== undefined) merged[field] = value;
    };
    for (const field of sets) put(field, join(base[field], extra[field], true));
    for (const field of lists) put(field, join<unknown>(base[field], extra[field], false));
    for (const field of tables)
        put(field, base[field] && extra[field] ? { ...base[field], ...extra[field] } : (base[field] ?? extra[field]));
    for (const field of values) put(field, base[field] ?? extra[field]);
    return merged as CloudConfig;
}

function join<T>(base: T[] | undefined, extra: T[] | undefined, unique: boolean): T[] | undefined {
    if (base === undefined || extra === undefined) return base ?? extra;
    return unique ? [...new Set([...base, ...extra])] : [...base, ...extra];
}

/** What keeps `extra` from being added to `base`, and what is wrong with `extra` by itself. */
export function cloudConfigConflicts(base: CloudConfig, extra: CloudConfig, path = "extraCloudConfig"): Problem[] {
    const problems = checkCloudConfig(extra, path);
    const conflict = (where: string, problem: string, remedy: string) =>
        problems.push({ path: `${path}.${where}`, problem, remedy });

    const files = new Set((base.writeFiles ?? []).map((file) => file.path));
    (extra.writeFiles ?? []).forEach((file, index) => {
        if (files.has(file.path))
            conflict(
                `writeFiles[${index}].path`,
                `${file.path} is written by the component itself`,
                "Choose another path, such as a drop-in beside it",
            );
    });
    const users = new Set((base.users ?? []).map((user) => user.name));
    (extra.users ?? []).forEach((user, index) => {
        if (users.has(user.name))
            conflict(`users[${index}].name`, `${user.name} is made by the component itself`, "Choose another name");
    });
    for (const field of tables)
        for (const [key, value] of Object.entries(extra[field] ?? {})) {
            const own = (base[field] as Record<string, unknown> | undefined)?.[key];
            if (own !== undefined && !isDeepStrictEqual(own, value))
                conflict(`${field}.${key}`, "is set by the component itself, differently", "Leave it out");
        }
    for (const field of values)
        if (base[field] !== undefined && extra[field] !== undefined && !isDeepStrictEqual(base[field], extra[field]))
            conflict(field, `is ${JSON.stringify(base[field])} by the component itself`, "Leave it out");
    return problems;
}
