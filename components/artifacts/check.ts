import { boolean, fields, list, record, text } from "../shape";
import type { Problem } from "../problems";
import {
    type ArtifactName,
    type Artifacts,
    type ArtifactsArgs,
    architectures,
    resolveArtifact,
    supportedVersions,
} from "./resolve";

/** All problems of the arguments themselves. */
export function checkArtifacts(args: Artifacts, path = "artifacts"): Problem[] {
    const problems: Problem[] = [];
    const add = (where: string, problem: string, remedy: string) =>
        problems.push({ path: `${path}.${where}`, problem, remedy });
    if (args.mirror !== undefined && !/^https?:\/\/[^\s/]+\S*$/.test(args.mirror))
        add(
            "mirror",
            `${JSON.stringify(args.mirror)} is not an http or https URL`,
            "Use a URL such as http://10.1.1.1/artifacts",
        );
    for (const [fileName, sum] of Object.entries(args.manifest ?? {})) {
        if (!/^[0-9a-f]{64}$/.test(sum))
            add(
                `manifest[${JSON.stringify(fileName)}]`,
                "is not a SHA-256 sum",
                "Use the 64 lower-case hexadecimal digits that sha256sum prints",
            );
        if (!/^[\w.+:~-]+$/.test(fileName))
            add(
                `manifest[${JSON.stringify(fileName)}]`,
                "is not a plain file name",
                "Use the name without a directory",
            );
    }
    if (args.packages !== undefined && !["distribution", "mirror", "template"].includes(args.packages))
        add("packages", `${JSON.stringify(args.packages)} is unknown`, "Use distribution, mirror or template");
    if (args.packages === "mirror" && !args.packageFiles?.length)
        add("packageFiles", 'is empty, and packages is "mirror"', "List the package files of the mirror");
    if (args.packages !== "mirror" && args.packageFiles?.length)
        add(
            "packages",
            `is ${JSON.stringify(args.packages ?? "distribution")}, and packageFiles are given`,
            'Set packages to "mirror"',
        );
    for (const field of ["imageArchives", "controlPlaneImageArchives", "packageFiles"] as const)
        (args[field] ?? []).forEach((fileName, index) => {
            if (args.mirror === undefined)
                add(`${field}[${index}]`, "can only come from a mirror", `Set ${path}.mirror`);
            else if (args.manifest?.[fileName] === undefined)
                add(`${field}[${index}]`, `${fileName} has no SHA-256 sum`, `Put its SHA-256 into ${path}.manifest`);
        });
    return problems;
}

/** Checks that a program's version can be fetched; `path` is the argument that sets the version. */
export function checkVersion(name: ArtifactName, version: string, args: Artifacts, path: string): Problem[] {
    if (args.inTemplate) return [];
    const found = architectures.some((arch) => {
        try {
            return resolveArtifact(name, version, arch, args) !== undefined;
        } catch {
            return false;
        }
    });
    if (found) return [];
    const supported = supportedVersions(name).join(", ");
    return [
        {
            path,
            problem: `${name} ${version} is unknown`,
            remedy: `Use one of ${supported}, or put the sums of its files into artifacts.manifest`,
        },
    ];
}

/** The shape of `ArtifactsArgs`; `checkArtifacts` checks the values. */
export const artifactsShape = fields<ArtifactsArgs>({
    mirror: text,
    manifest: record(text),
    inTemplate: boolean,
    imageArchives: list(text),
    controlPlaneImageArchives: list(text),
    packages: text,
    packageFiles: list(text),
});
