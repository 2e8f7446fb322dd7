/**
 * The release files that a mirror can have. Each program has an entry in `PROGRAMS`, and the SHA-256 sums of its
 * official files in `releases.json`, which are also those that nodes check.
 */
import sums from "../../releases.json";
import { cniPluginsBuild, containerdBuild, etcdBuild, type GoBuild, kubernetesBuild, runcBuild } from "./builds";

export type Architecture = "amd64" | "arm64";

/** The architecture of this computer and its machines. */
export const ARCHITECTURE: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** In strings, `{v}` is the version and `{a}` the architecture. */
interface Program {
    /** The official URL. */
    readonly url: string;
    /** The file name on a mirror. @default the last part of `url` */
    readonly fileName?: string;
    /** What its programs are built with. */
    readonly build: (version: string) => GoBuild;
    /** The folder of an archive's programs. */
    readonly folder?: string;
    /** Names of the programs in it. @default all of the build */
    readonly programs?: readonly string[];
}

const etcdFolder = "etcd-v{v}-linux-{a}";

const kubernetes = (name: string): Program => ({
    url: `https://dl.k8s.io/release/v{v}/bin/linux/{a}/${name}`,
    fileName: `${name}-v{v}-linux-{a}`,
    build: kubernetesBuild,
    programs: [name],
});

const PROGRAMS = {
    etcd: {
        url: `https://github.com/etcd-io/etcd/releases/download/v{v}/${etcdFolder}.tar.gz`,
        build: etcdBuild,
        folder: etcdFolder,
    },
    containerd: {
        url: "https://github.com/containerd/containerd/releases/download/v{v}/containerd-{v}-linux-{a}.tar.gz",
        build: containerdBuild,
        folder: "bin",
    },
    runc: {
        url: "https://github.com/opencontainers/runc/releases/download/v{v}/runc.{a}",
        fileName: "runc-v{v}-linux-{a}",
        build: runcBuild,
    },
    "cni-plugins": {
        url: "https://github.com/containernetworking/plugins/releases/download/v{v}/cni-plugins-linux-{a}-v{v}.tgz",
        build: cniPluginsBuild,
    },
    kubelet: kubernetes("kubelet"),
    kubeadm: kubernetes("kubeadm"),
    kubectl: kubernetes("kubectl"),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

/** One release of one program for one architecture. */
export interface Release {
    readonly program: string;
    readonly version: string;
    readonly architecture: Architecture;
    readonly fileName: string;
    readonly url: string;
    /** Hexadecimal SHA-256 of the official file; undefined for a version that this package does not know. */
    readonly sha256: string | undefined;
    /** The versions that this package knows, oldest first. */
    readonly knownVersions: readonly string[];
    readonly build: GoBuild;
    /**
     * Names of the build's programs by their paths in the archive. A file that is not an archive (`.tar.gz`, `.tgz`) has
     * one, whose path is ignored.
     */
    readonly members: Readonly<Record<string, string>>;
}

/** The versions of a program whose official sums this package knows, oldest first. */
export function knownVersions(program: ProgramName): string[] {
    return Object.keys(sums[program]);
}

export function newestVersion(program: ProgramName): string {
    return knownVersions(program).at(-1)!;
}

export function releaseOf(program: ProgramName, version: string, architecture = ARCHITECTURE): Release {
    const { url, fileName, folder, ...recipe }: Program = PROGRAMS[program];
    const fill = (text: string) => text.replaceAll("{v}", version).replaceAll("{a}", architecture);
    const known: Record<string, Record<Architecture, string> | undefined> = sums[program];
    const filledUrl = fill(url);
    const build = recipe.build(version);
    const programs = recipe.programs ?? Object.keys(build.packages);
    const inArchive = (name: string) => (folder === undefined ? name : `${fill(folder)}/${name}`);
    return {
        program,
        version,
        architecture,
        fileName: fileName === undefined ? filledUrl.slice(filledUrl.lastIndexOf("/") + 1) : fill(fileName),
        url: filledUrl,
        sha256: known[version]?.[architecture],
        knownVersions: knownVersions(program),
        build,
        members: Object.fromEntries(programs.map((name) => [inArchive(name), name])),
    };
}
