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

/** Where each program's files go. Archives: which members, without the leading folders that `strip` takes off. */
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

/** Where image archives are put. */
export const imageFolder = "/var/lib/cs/images";
/** The unit that everything which needs an artifact must require and follow. */
export const fetchService = "cs-fetch.service";
export const fetchPlanPath = "/etc/cs/artifacts";

/** The programs that a machine needs, with their versions. */
export type Versions = Partial<Record<ArtifactName, string>>;

/**
 * The files that make a machine fetch, verify and install its programs: the script, its unit and the plan, which has a
 * line for each program and architecture. `images` says whether the image archives are for this machine too.
 */
export function renderFetch(versions: Versions, args: Artifacts = {}, options: { images?: boolean } = {}): WriteFile[] {
    return [
        { path: "/usr/local/sbin/cs-fetch", content: fetchScript, permissions: "0755" },
        { path: `/etc/systemd/system/${fetchService}`, content: fetchUnit },
        { path: fetchPlanPath, content: renderPlan(versions, args, options) },
    ];
}

/**
 * The plan: `<architecture> <sha256> <url> <kind> <target> [members]` per line, kind being `program`, `data`, `package`
 * or `tar:<strip>`.
 *
 * @throws Error for a version of which no file is known for any architecture
 */
export function renderPlan(versions: Versions, args: Artifacts = {}, options: { images?: boolean } = {}): string {
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
    if (options.images)
        for (const fileName of args.imageArchives ?? []) {
            const { sha256, url } = resolveMirrored(fileName, args);
            lines.push(`any ${sha256} ${url} data ${imageFolder}/${fileName}`);
        }
    return lines.map((line) => `${line}\n`).join("");
}

/**
 * A text that tells a program's files from others of that name: the version, and the sums that only the user's manifest
 * knows, such as those of a build of one's own.
 */
export function buildOf(name: ArtifactName, version: string, args: Artifacts = {}): string {
    const own = args.inTemplate
        ? []
        : available(name, version, args).filter(({ arch, sha256 }) => sha256 !== officialSum(name, version, arch));
    return [version, ...own.map(({ sha256 }) => sha256.slice(0, 16))].join(" ");
}

/** A mirror may serve one architecture only; a version that none has is an error. */
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

/** Packages for cloud-init to install by name: none where the mirror or the template has them. */
export function distributionPackages(names: readonly string[], args: Artifacts = {}): string[] {
    return (args.packages ?? "distribution") === "distribution" ? [...names] : [];
}
