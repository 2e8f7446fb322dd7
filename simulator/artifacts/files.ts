/** The files of a mirror: release files, and archives of images. */
import { type GoBuild, kubernetesBuild } from "./builds";
import { type ImageArchive, imageArchivesOf } from "./images";
import { ARCHITECTURE, type Architecture, type Release, releaseOf } from "./releases";
import { testImageArchiveOf } from "./conformanceImages";

/** A program without an official file of its own. */
export interface BuiltProgram {
    readonly fileName: string;
    readonly version: string;
    readonly architecture: Architecture;
    readonly build: GoBuild;
    readonly program: string;
}

export type MirrorFile = Release | ImageArchive | BuiltProgram;

export function isRelease(file: MirrorFile): file is Release {
    return "url" in file;
}

export function isImageArchive(file: MirrorFile): file is ImageArchive {
    return "images" in file;
}

/** What has to be built for a file, if it cannot be downloaded. */
export function buildsOf(file: MirrorFile): { readonly build: GoBuild; readonly programs: readonly string[] }[] {
    if (isImageArchive(file))
        return file.images.flatMap(({ programs }) =>
            programs.map(({ build, program }) => ({ build, programs: [program] })),
        );
    return [{ build: file.build, programs: isRelease(file) ? Object.values(file.members) : [file.program] }];
}

/** Versions of what a mirror is to have the files of. */
export interface Wanted {
    readonly etcd?: readonly string[];
    /** With all that a node has beside it. */
    readonly kubernetes?: readonly string[];
    /** Versions of Kubernetes whose own tests are wanted. */
    readonly conformance?: readonly string[];
}

/** What runs containers on a node, whatever its version of Kubernetes: what clusters have by default. */
export const NODE_PROGRAMS = { containerd: "2.3.4", runc: "1.4.3", "cni-plugins": "1.9.1" } as const;

export const KUBERNETES_PROGRAMS = ["kubelet", "kubeadm", "kubectl"] as const;

/** Kubernetes' own tests, and what runs them in several processes. */
const TEST_PROGRAMS = ["e2e.test", "ginkgo"] as const;

/** The files of these versions, each once. @throws Error for a version of Kubernetes without known images */
export function filesOf(
    { etcd = [], kubernetes = [], conformance = [] }: Wanted,
    architecture = ARCHITECTURE,
): MirrorFile[] {
    const files: MirrorFile[] = [
        ...etcd.map((version) => releaseOf("etcd", version, architecture)),
        ...kubernetes.flatMap((version) => [
            ...KUBERNETES_PROGRAMS.map((program) => releaseOf(program, version, architecture)),
            ...(Object.keys(NODE_PROGRAMS) as (keyof typeof NODE_PROGRAMS)[]).map((program) =>
                releaseOf(program, NODE_PROGRAMS[program], architecture),
            ),
            ...imageArchivesOf(version, architecture),
        ]),
        ...conformance.flatMap((version) => [
            ...TEST_PROGRAMS.map((program) => ({
                fileName: `${program}-v${version}-linux-${architecture}`,
                ...{ version, architecture, program, build: kubernetesBuild(version) },
            })),
            testImageArchiveOf(version, architecture),
        ]),
    ];
    return [...new Map(files.map((file) => [file.fileName, file])).values()];
}
