import { isDeepStrictEqual } from "node:util";
import { type Problem, throwProblems } from "../problems";
import { checkCloudConfig } from "./check";
import type { CloudConfig } from "./document";

/** Lists without duplicates. */
const sets = ["packages", "sshAuthorizedKeys", "groups"] as const;
/** Lists whose order matters: `extra` is appended. */
const lists = ["users", "fsSetup", "mounts", "writeFiles", "bootcmd", "runcmd"] as const;
/** Maps, merged key by key. */
const tables = ["diskSetup", "modules"] as const;
/** Single values: `extra` may set a missing value, but not change one. */
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
 * `base` merged with `extra`, which the user gives:
 * - lists are concatenated, `base` first; existing packages, keys and groups are not repeated;
 * - maps are merged;
 * - single values are set if `base` has none.
 *
 * It is a conflict if both have the same file path or user name, or different values for a device, a module or a single
 * value.
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

/** The conflicts of `extra` with `base`, and the problems of `extra` by itself. */
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
                "Choose another path, such as a drop-in file",
            );
    });
    const users = new Set((base.users ?? []).map((user) => user.name));
    (extra.users ?? []).forEach((user, index) => {
        if (users.has(user.name))
            conflict(`users[${index}].name`, `${user.name} is created by the component itself`, "Choose another name");
    });
    for (const field of tables)
        for (const [key, value] of Object.entries(extra[field] ?? {})) {
            const own = (base[field] as Record<string, unknown> | undefined)?.[key];
            if (own !== undefined && !isDeepStrictEqual(own, value))
                conflict(`${field}.${key}`, "is set by the component itself to another value", "Remove it");
        }
    for (const field of values)
        if (base[field] !== undefined && extra[field] !== undefined && !isDeepStrictEqual(base[field], extra[field]))
            conflict(field, `is set by the component itself to ${JSON.stringify(base[field])}`, "Remove it");
    return problems;
}
