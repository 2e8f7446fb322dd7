/** The files of a mirror: release files, and archives of images. */
import { type ImageArchive, imageArchivesOf } from "./images";
import { ARCHITECTURE, type Release, releaseOf } from "./releases";

export type MirrorFile = Release | ImageArchive;

export function isRelease(file: MirrorFile): file is Release {
    return "url" in file;
}

export function isImageArchive(file: MirrorFile): file is ImageArchive {
    return !isRelease(file);
}

/** Versions of what a mirror is to have the files of. */
export interface Wanted {
    readonly etcd?: readonly string[];
    /** With all that a node has beside it. */
    readonly kubernetes?: readonly string[];
}

/** What runs containers on a node, whatever its version of Kubernetes: what clusters have by default. */
export const NODE_PROGRAMS = { containerd: "2.3.4", runc: "1.4.3", "cni-plugins": "1.9.1" } as const;

export const KUBERNETES_PROGRAMS = ["kubelet", "kubeadm", "kubectl"] as const;

/** The files of these versions, each once. @throws Error for a version of Kubernetes without known images */
export function filesOf({ etcd = [], kubernetes = [] }: Wanted, architecture = ARCHITECTURE): MirrorFile[] {
    const files = [
        ...etcd.map((version) => releaseOf("etcd", version, architecture)),
        ...kubernetes.flatMap((version) => [
            ...KUBERNETES_PROGRAMS.map((program) => releaseOf(program, version, architecture)),
            ...(Object.keys(NODE_PROGRAMS) as (keyof typeof NODE_PROGRAMS)[]).map((program) =>
                releaseOf(program, NODE_PROGRAMS[program], architecture),
            ),
            ...imageArchivesOf(version, architecture),
        ]),
    ];
    return [...new Map(files.map((file) => [file.fileName, file])).values()];
}
