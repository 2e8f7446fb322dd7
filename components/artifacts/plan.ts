import type { WriteFile } from "../cloudInit";
import { fetchScript, fetchUnit } from "./fetch";
import {
    type Architecture,
    type ArtifactName,
    type Artifacts,
    architectures,
    officialSum,
    resolveArtifact,
    resolveMirrored,
} from "./resolve";

/** Where each program is installed. For archives: which members, after `strip` leading directories are removed. */
const installations: Record<ArtifactName, { target: string; strip?: number; members?: string }> = {
    etcd: { target: "/usr/local/bin", strip: 1, members: "etcd etcdctl etcdutl" },
    containerd: { target: "/usr/local/bin", strip: 1, members: "*" },
    runc: { target: "/usr/local/sbin/runc" },
    "cni-plugins": { target: "/opt/cni/bin", strip: 0, members: "*" },
    crictl: { target: "/usr/local/bin", strip: 0, members: "crictl" },
    kubelet: { target: "/usr/local/bin/kubelet" },
    kubeadm: { target: "/usr/local/bin/kubeadm" },
    kubectl: { target: "/usr/local/bin/kubectl" },
};

/** The directory of image archives. */
export const imageFolder = "/var/lib/cs/images";
/** The unit that units which need an artifact must require and be ordered after. */
export const fetchService = "cs-fetch.service";
export const fetchPlanPath = "/etc/cs/artifacts";

/** The versions of the programs that a machine needs. */
export type Versions = Partial<Record<ArtifactName, string>>;

/**
 * The files that a machine needs to fetch, verify and install its programs: the script, its unit, and the plan with a
 * line for each program and architecture.
 *
 * @param images file names of the image archives that this machine needs
 */
export function renderFetch(versions: Versions, args: Artifacts = {}, images: readonly string[] = []): WriteFile[] {
    return [
        { path: "/usr/local/sbin/cs-fetch", content: fetchScript, permissions: "0755" },
        { path: `/etc/systemd/system/${fetchService}`, content: fetchUnit },
        { path: fetchPlanPath, content: renderPlan(versions, args, images) },
    ];
}

/**
 * The plan: `<architecture> <sha256> <url> <kind> <target> [members]` per line, where kind is `program`, `data`,
 * `package` or `tar:<strip>`.
 *
 * @throws Error for a version without a known file for any architecture
 */
export function renderPlan(versions: Versions, args: Artifacts = {}, images: readonly string[] = []): string {
    const lines: string[] = [];
    if (!args.inTemplate)
        for (const [name, version] of Object.entries(versions) as [ArtifactName, string][]) {
            const { target, strip, members } = installations[name];
            const kind = strip === undefined ? "program" : `tar:${strip}`;
            for (const { arch, sha256, url } of available(name, version, args))
                lines.push([arch, sha256, url, kind, target, members].filter((field) => field !== undefined).join(" "));
        }
    if (args.packages === "mirror")
        for (const fileName of args.packageFiles ?? []) {
            const { sha256, url } = resolveMirrored(fileName, args);
            lines.push(`any ${sha256} ${url} package /var/cache/cs/${fileName}`);
        }
    for (const fileName of images) {
        const { sha256, url } = resolveMirrored(fileName, args);
        lines.push(`any ${sha256} ${url} data ${imageFolder}/${fileName}`);
    }
    return lines.map((line) => `${line}\n`).join("");
}

/**
 * A string that identifies a program's files: the version, and the sums that come from the user's manifest, such as
 * those of a custom build.
 */
export function buildOf(name: ArtifactName, version: string, args: Artifacts = {}): string {
    const own = args.inTemplate
        ? []
        : available(name, version, args).filter(({ arch, sha256 }) => sha256 !== officialSum(name, version, arch));
    return [version, ...own.map(({ sha256 }) => sha256.slice(0, 16))].join(" ");
}

/** The files of a program for all available architectures. A mirror may have only one of them; none is an error. */
function available(name: ArtifactName, version: string, args: Artifacts) {
    const found: { arch: Architecture; sha256: string; url: string }[] = [];
    let failure: unknown;
    for (const arch of architectures)
        try {
            found.push(resolveArtifact(name, version, arch, args));
        } catch (error) {
            failure ??= error;
        }
    if (found.length === 0) throw failure;
    return found;
}

/** Packages for cloud-init to install by name; none if the mirror or the template provides them. */
export function distributionPackages(names: readonly string[], args: Artifacts = {}): string[] {
    return (args.packages ?? "distribution") === "distribution" ? [...names] : [];
}
