/** The container images that Kubernetes' own conformance tests need, beside those of every node. */
import { etcdBuild, kubernetesBuild, sampleApiServerBuild } from "./builds";
import { archiveOf, type Image, type ImageArchive } from "./images";
import { ARCHITECTURE } from "./releases";

/** The minor version whose tests these are, as `e2e.test --list-images` names their images. */
export const TESTED_MINOR = "1.36";

/**
 * The tests want an older agnhost under this name. There is no tagged version of Kubernetes with agnhost 2.55: this is
 * the program of the minor version before.
 */
const PREVIOUS = { tag: "2.55", kubernetes: "1.35.8" };

const REGISTRY = "registry.k8s.io/e2e-test-images";

/** @throws Error for a minor version whose images this package does not know */
export function testImageArchiveOf(version: string, architecture = ARCHITECTURE): ImageArchive {
    if (!version.startsWith(`${TESTED_MINOR}.`))
        throw new Error(`The images of the tests of Kubernetes ${version} are unknown, only those of ${TESTED_MINOR}`);
    const build = kubernetesBuild(version);
    const file = (program: string) => ({ build, program, path: `/${program}` });
    const agnhost: Omit<Image, "name"> = {
        programs: ["agnhost", "localhost.crt", "localhost.key"].map(file),
        tools: ["network", "test"],
        entrypoint: ["/agnhost"],
        command: ["pause"],
    };
    const etcd = etcdBuild("3.6.8");
    return archiveOf("test", version, architecture, [
        { ...agnhost, name: `${REGISTRY}/agnhost:2.63.0` },
        {
            ...agnhost,
            name: `${REGISTRY}/agnhost:${PREVIOUS.tag}`,
            programs: agnhost.programs.map((one) => ({ ...one, build: kubernetesBuild(PREVIOUS.kubernetes) })),
        },
        {
            ...agnhost,
            name: `${REGISTRY}/nautilus:1.8`,
            programs: [...agnhost.programs, ...["nautilus.jpg", "data.json"].map(file)],
            command: ["test-webserver"],
        },
        { name: `${REGISTRY}/busybox:1.37.0-1`, programs: [], tools: ["network"], command: ["sh"] },
        { name: `${REGISTRY}/glibc-dns-testing:2.0.0`, programs: [], tools: ["network", "test"], command: ["bash"] },
        // Debian's nginx: tests want a web server of this name, not of this version.
        {
            name: `${REGISTRY}/nginx:1.15-4`,
            programs: [],
            tools: ["network", "test"],
            command: ["nginx", "-g", "daemon off;"],
        },
        {
            name: `${REGISTRY}/nonewprivs:1.4`,
            programs: [{ build, program: "nonewprivs", path: "/usr/local/bin/nnp", isSetUid: true }],
            command: ["nnp"],
        },
        {
            name: `${REGISTRY}/sample-apiserver:1.29.2`,
            programs: [{ build: sampleApiServerBuild, program: "sample-apiserver", path: "/sample-apiserver" }],
            entrypoint: ["/sample-apiserver"],
        },
        {
            name: "registry.k8s.io/etcd:3.6.8-0",
            programs: ["etcd", "etcdctl"].map((program) => ({
                build: etcd,
                program,
                path: `/usr/local/bin/${program}`,
            })),
        },
    ]);
}
