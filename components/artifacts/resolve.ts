import type * as pulumi from "@pulumi/pulumi";
import sums from "../../releases.json";

/** The programs that machines fetch. Listed explicitly, since declaration files must not depend on a JSON module. */
export type ArtifactName =
    "etcd" | "containerd" | "runc" | "cni-plugins" | "crictl" | "kubelet" | "kubeadm" | "kubectl";
/** The architectures with release files. */
export type Architecture = "amd64" | "arm64";

/** The SHA-256 sums that the projects publish, by version. */
const releases: Record<ArtifactName, Record<string, Record<Architecture, string>>> = sums;

/** All names, in the order in which machines fetch them. */
export const artifactNames = Object.keys(releases) as ArtifactName[];
export const architectures: readonly Architecture[] = ["amd64", "arm64"];

/**
 * Where machines get programs and images from. By default: release files from their projects' own sites, packages from
 * the distribution.
 */
export interface ArtifactsArgs {
    /**
     * Base URL of a mirror that has all release files in one directory, under the names of {@link resolveArtifact},
     * such as `http://10.1.1.1/artifacts`. @default each project's own site
     */
    mirror?: pulumi.Input<string>;
    /**
     * SHA-256 sums (hexadecimal) by file name, for custom release files, image archives and package files. A file
     * listed here is not checked against the official sum. @default the sums that the projects publish
     * @example { "etcd-v3.6.14-linux-amd64.tar.gz": "b3f1…" }
     */
    manifest?: pulumi.Input<{ [fileName: string]: pulumi.Input<string> }>;
    /** Whether the template already contains the release files, so that none is fetched. @default false */
    inTemplate?: pulumi.Input<boolean>;
    /**
     * OCI archives of container images on the mirror (file names of `manifest`), which every node imports before
     * Kubernetes starts.
     * @default none
     * @example ["kubernetes-images.tar"]
     */
    imageArchives?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * The same for archives that only control planes import, in addition to `imageArchives`, such as those with the API
     * server. @default none
     * @example ["kubernetes-control-plane-images.tar"]
     */
    controlPlaneImageArchives?: pulumi.Input<pulumi.Input<string>[]>;
    /**
     * The source of operating system packages such as haproxy and chrony: `distribution` (its package repositories),
     * `mirror` (`packageFiles`) or `template` (already installed). @default "distribution"
     */
    packages?: pulumi.Input<string>;
    /**
     * Package files on the mirror (file names of `manifest`), including dependencies, for `packages: "mirror"`.
     * @default none
     * @example ["haproxy_3.0.11-1_amd64.deb"]
     */
    packageFiles?: pulumi.Input<pulumi.Input<string>[]>;
}

/** {@link ArtifactsArgs} with every value known. */
export type Artifacts = pulumi.Unwrap<ArtifactsArgs>;

/** A file that a machine fetches. */
export interface Artifact {
    readonly name: string;
    readonly version: string;
    readonly arch: Architecture;
    /** Unique among all artifacts; its name on a mirror. */
    readonly fileName: string;
    readonly url: string;
    /** Hexadecimal. */
    readonly sha256: string;
}

/**
 * The official URL of each release file; `{v}` is the version, `{a}` the architecture. `fileName` is for sites whose
 * file names do not contain the version.
 */
const places: Record<ArtifactName, { url: string; fileName?: string }> = {
    etcd: { url: "https://github.com/etcd-io/etcd/releases/download/v{v}/etcd-v{v}-linux-{a}.tar.gz" },
    containerd: {
        url: "https://github.com/containerd/containerd/releases/download/v{v}/containerd-{v}-linux-{a}.tar.gz",
    },
    runc: {
        url: "https://github.com/opencontainers/runc/releases/download/v{v}/runc.{a}",
        fileName: "runc-v{v}-linux-{a}",
    },
    "cni-plugins": {
        url: "https://github.com/containernetworking/plugins/releases/download/v{v}/cni-plugins-linux-{a}-v{v}.tgz",
    },
    crictl: { url: "https://github.com/kubernetes-sigs/cri-tools/releases/download/v{v}/crictl-v{v}-linux-{a}.tar.gz" },
    kubelet: { url: "https://dl.k8s.io/release/v{v}/bin/linux/{a}/kubelet", fileName: "kubelet-v{v}-linux-{a}" },
    kubeadm: { url: "https://dl.k8s.io/release/v{v}/bin/linux/{a}/kubeadm", fileName: "kubeadm-v{v}-linux-{a}" },
    kubectl: { url: "https://dl.k8s.io/release/v{v}/bin/linux/{a}/kubectl", fileName: "kubectl-v{v}-linux-{a}" },
};

/** The versions of a program with known official sums, oldest first. */
export function supportedVersions(name: ArtifactName): string[] {
    return Object.keys(releases[name]);
}

/** The sum of the official release file; `undefined` for a version that this package does not know. */
export function officialSum(name: ArtifactName, version: string, arch: Architecture): string | undefined {
    return releases[name][version]?.[arch];
}

/**
 * The release file of a program: its name, URL and SHA-256. With a `mirror` the URL is on the mirror; if the `manifest`
 * has the file, the sum is the manifest's, and the version may be one that this package does not know.
 *
 * @throws Error that lists the supported versions
 */
export function resolveArtifact(
    name: ArtifactName,
    version: string,
    arch: Architecture,
    args: Artifacts = {},
): Artifact {
    const place = places[name];
    const fill = (text: string) => text.replaceAll("{v}", version).replaceAll("{a}", arch);
    const official = fill(place.url);
    const fileName = place.fileName ? fill(place.fileName) : official.slice(official.lastIndexOf("/") + 1);
    const sha256 = args.manifest?.[fileName] ?? officialSum(name, version, arch);
    if (sha256 === undefined)
        throw new Error(
            `${name} ${version} for ${arch} is unknown. Supported versions: ${supportedVersions(name).join(", ")}; ` +
                `for another version, put ${fileName} and its SHA-256 into artifacts.manifest`,
        );
    return {
        name,
        version,
        arch,
        fileName,
        url: args.mirror === undefined ? official : onMirror(args.mirror, fileName),
        sha256,
    };
}

/**
 * A file without an official URL: an image archive or a package file.
 *
 * @throws Error if `mirror` or the file's sum is missing
 */
export function resolveMirrored(fileName: string, args: Artifacts): Pick<Artifact, "fileName" | "url" | "sha256"> {
    const sha256 = args.manifest?.[fileName];
    if (args.mirror === undefined) throw new Error(`${fileName} can only come from a mirror: set artifacts.mirror`);
    if (sha256 === undefined) throw new Error(`artifacts.manifest has no SHA-256 for ${fileName}`);
    return { fileName, url: onMirror(args.mirror, fileName), sha256 };
}

function onMirror(mirror: string, fileName: string): string {
    return `${mirror.replace(/\/+$/, "")}/${encodeURIComponent(fileName)}`;
}
