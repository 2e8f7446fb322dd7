/** The container images that nodes need, and in which archives of the mirror they are. */
import { corednsBuild, flannelBuild, flannelCniBuild, type GoBuild, kubernetesBuild, pauseBuild } from "./builds";
import { ARCHITECTURE, type Architecture } from "./releases";

/**
 * `network`: a shell, and programs that set up a node's network; `test`: packages with what Kubernetes' own tests call in
 * a container.
 */
export type ToolLayer = "network" | "test";

/** A program, and where it is in an image. */
export interface ImageProgram {
    readonly build: GoBuild;
    readonly program: string;
    readonly path: string;
    /** Whether it runs with the rights of root, whoever starts it. */
    readonly isSetUid?: boolean;
}

export interface Image {
    readonly name: string;
    readonly programs: readonly ImageProgram[];
    /** What it also has of Debian: see `toolLayers.ts`. */
    readonly tools?: readonly ToolLayer[];
    readonly entrypoint?: readonly string[];
    readonly command?: readonly string[];
}

export interface ImageArchive {
    readonly fileName: string;
    readonly version: string;
    readonly architecture: Architecture;
    readonly images: readonly Image[];
}

/**
 * What kubeadm of a minor version wants, as `kubeadm config images list` prints it; those of a version that is newer
 * than this package are a guess.
 */
const COMPANIONS: Readonly<Record<string, { coredns: string; pause: string }>> = {
    "1.35": { coredns: "1.13.1", pause: "3.10.1" },
    "1.36": { coredns: "1.14.2", pause: "3.10.2" },
};

/** The minor versions of Kubernetes that image archives can be made for, oldest first. */
export const KUBERNETES_MINORS = Object.keys(COMPANIONS);

/** A small image for first steps in a cluster: the version is that of Debian's package in the machines' template. */
const BUSYBOX = "docker.io/library/busybox:1.37.0";

/** Of the pod network, which is not Kubernetes' own: the same for all its versions. */
const FLANNEL = { version: "0.28.9", cniPlugin: "v1.9.1-flannel3" };

/**
 * The archives of a version of Kubernetes: what only control planes run, and what every node runs. Etcd is not among
 * them, since it has machines of its own.
 *
 * @throws Error for a minor version that this package does not know
 */
export function imageArchivesOf(version: string, architecture = ARCHITECTURE): ImageArchive[] {
    const companions = COMPANIONS[version.split(".").slice(0, 2).join(".")];
    if (companions === undefined)
        throw new Error(
            `The images of Kubernetes ${version} are unknown, only those of ${KUBERNETES_MINORS.join(", ")}`,
        );
    const kubernetes = kubernetesBuild(version);
    const own = (program: string): Image => ({
        name: `registry.k8s.io/${program}:v${version}`,
        programs: [{ build: kubernetes, program, path: `/usr/local/bin/${program}` }],
    });
    const { coredns, pause } = companions;
    const flannel = flannelBuild(FLANNEL.version);
    const archive = (what: string, images: Image[]) => archiveOf(what, version, architecture, images);
    return [
        archive("control-plane", ["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(own)),
        archive("node", [
            { ...own("kube-proxy"), tools: ["network"] },
            {
                name: `registry.k8s.io/coredns/coredns:v${coredns}`,
                programs: [{ build: corednsBuild(coredns), program: "coredns", path: "/coredns" }],
                entrypoint: ["/coredns"],
            },
            {
                name: `registry.k8s.io/pause:${pause}`,
                programs: [{ build: pauseBuild(pause), program: "pause", path: "/pause" }],
                entrypoint: ["/pause"],
            },
            {
                name: `ghcr.io/flannel-io/flannel:v${FLANNEL.version}`,
                programs: [
                    { build: flannel, program: "flanneld", path: "/opt/bin/flanneld" },
                    { build: flannel, program: "install_conf", path: "/opt/bin/install-conf" },
                ],
                tools: ["network"],
            },
            {
                name: `ghcr.io/flannel-io/flannel-cni-plugin:${FLANNEL.cniPlugin}`,
                programs: [{ build: flannelCniBuild, program: "flannel", path: "/flannel" }],
                tools: ["network"],
            },
            { name: BUSYBOX, programs: [], tools: ["network"] },
        ]),
    ];
}

export function archiveOf(
    what: string,
    version: string,
    architecture: Architecture,
    images: readonly Image[],
): ImageArchive {
    const fileName = `kubernetes-${what}-images-v${version}-linux-${architecture}.tar`;
    return { fileName, version, architecture, images };
}
