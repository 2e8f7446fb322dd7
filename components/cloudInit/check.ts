import { anything, atLeast, list, record } from "../shape";
import type { Problem } from "../problems";
import { type CloudConfig, cloudConfigKeys } from "./document";

const encodings = ["text/plain", "b64", "base64", "gzip", "gz", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64"];

/** All problems of a document; `path` is the argument that contains it, such as `extraCloudConfig`. */
export function checkCloudConfig(doc: CloudConfig, path = "cloudConfig"): Problem[] {
    return [...checkFiles(doc, path), ...checkUsers(doc, path), ...checkModules(doc, path)];
}

function checkFiles(doc: CloudConfig, path: string): Problem[] {
    const problems: Problem[] = [];
    const seen = new Map<string, number>();
    (doc.writeFiles ?? []).forEach((file, index) => {
        const at = `${path}.writeFiles[${index}]`;
        if (typeof file.path !== "string" || !/^\/[^\0]*[^/\0]$/.test(file.path))
            problems.push({
                path: `${at}.path`,
                problem: `${quote(file.path)} is not an absolute path of a file`,
                remedy: "Use a path such as /etc/motd",
            });
        if (typeof file.content !== "string")
            problems.push({
                path: `${at}.content`,
                problem: "is missing",
                remedy: 'Give the content; "" makes an empty file',
            });
        if (file.permissions !== undefined && !/^0?[0-7]{3,4}$/.test(file.permissions))
            problems.push({
                path: `${at}.permissions`,
                problem: `${quote(file.permissions)} is not octal`,
                remedy: 'Use a string such as "0640"',
            });
        if (file.owner !== undefined && !/^[\w.-]+(:[\w.-]+)?$/.test(file.owner))
            problems.push({
                path: `${at}.owner`,
                problem: `${quote(file.owner)} is not an owner`,
                remedy: 'Use "user:group"',
            });
        if (file.encoding !== undefined && !encodings.includes(file.encoding))
            problems.push({
                path: `${at}.encoding`,
                problem: `${quote(file.encoding)} is unknown to cloud-init`,
                remedy: `Use one of ${encodings.join(", ")}`,
            });
        const earlier = seen.get(file.path);
        if (earlier !== undefined && !file.append)
            problems.push({
                path: `${at}.path`,
                problem: `${file.path} is also written by writeFiles[${earlier}]`,
                remedy: "Remove one of them, or set append",
            });
        seen.set(file.path, index);
    });
    return problems;
}

function checkUsers(doc: CloudConfig, path: string): Problem[] {
    const problems: Problem[] = [];
    const seen = new Set<string>();
    (doc.users ?? []).forEach((user, index) => {
        const at = `${path}.users[${index}].name`;
        if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user.name ?? ""))
            problems.push({
                path: at,
                problem: `${quote(user.name)} is not a user name`,
                remedy: "Use up to 32 lower-case letters, digits, - and _",
            });
        if (seen.has(user.name))
            problems.push({ path: at, problem: `${user.name} is a duplicate`, remedy: "Remove one of them" });
        seen.add(user.name);
    });
    return problems;
}

function checkModules(doc: CloudConfig, path: string): Problem[] {
    const own = new Map<string, string>(cloudConfigKeys.map(([field, key]) => [key, field]));
    return Object.keys(doc.modules ?? {}).flatMap((key) => {
        const field = own.get(key);
        if (field === undefined) return [];
        return [{ path: `${path}.modules.${key}`, problem: "has a field of its own", remedy: `Use ${path}.${field}` }];
    });
}

function quote(value: unknown): string {
    return JSON.stringify(value) ?? "nothing";
}

/** The shape of `CloudConfigArgs`, limited to what `checkCloudConfig` reads; cloud-init checks the rest. */
export const cloudConfigShape = atLeast({
    writeFiles: list(anything),
    users: list(anything),
    modules: record(anything),
    packages: list(anything),
    runcmd: list(anything),
    bootcmd: list(anything),
});
