import * as fs from "node:fs";
import * as path from "node:path";
import {
    defaultContainerdVersion,
    flannelImages,
    releases,
    releaseOf as kubernetesReleaseOf,
} from "../../../../components/kubernetesCluster/versions";
import { NODE_PROGRAMS } from "../../../../simulator/artifacts/files";
import { imageArchivesOf, KUBERNETES_MINORS } from "../../../../simulator/artifacts/images";
import { artifactsFolder } from "../../../../simulator/artifacts/manifest";
import { ARCHITECTURE, releaseOf } from "../../../../simulator/artifacts/releases";
import { TESTED_MINOR, testImageArchiveOf } from "../../../../simulator/artifacts/conformanceImages";
import { cacheFolder } from "../../../../simulator/cache";
import { expectSuccess, runTool } from "../../../support/tools";

const versions = Object.values(releases).map(({ latest }) => latest);
const names = (version: string) => imageArchivesOf(version).map(({ images }) => images.map(({ name }) => name));

/** The embedded cloud shares no code with the components, so what both have about images is compared here. */
test("archives have the images that clusters use", () => {
    expect(KUBERNETES_MINORS).toEqual(Object.keys(releases));
    for (const version of versions) {
        const [controlPlane, node] = names(version);
        expect(controlPlane.every((name) => name.endsWith(`:v${version}`))).toBe(true);
        expect(node).toContain(`registry.k8s.io/pause:${kubernetesReleaseOf(version)!.pause}`);
        expect(node).toEqual(expect.arrayContaining([...Object.values(flannelImages)]));
    }
    expect(NODE_PROGRAMS.containerd).toBe(defaultContainerdVersion);
});

test("archives are named by their role", () => {
    expect(imageArchivesOf("1.36.4", "amd64").map(({ fileName }) => fileName)).toEqual([
        "kubernetes-control-plane-images-v1.36.4-linux-amd64.tar",
        "kubernetes-node-images-v1.36.4-linux-amd64.tar",
    ]);
    expect(() => imageArchivesOf("1.34.1")).toThrow(
        "The images of Kubernetes 1.34.1 are unknown, only those of 1.35, 1.36",
    );
});

describe.each(versions.filter((version) => version.startsWith(TESTED_MINOR)))(
    "the tests of Kubernetes %s",
    (version) => {
        const program = path.join(artifactsFolder(cacheFolder()), `e2e.test-v${version}-linux-${ARCHITECTURE}`);
        const isThere = fs.existsSync(program);

        (isThere ? test : test.skip)(
            `need these images, among others${isThere ? "" : " (skipped: cloudstack-local artifacts --conformance has not made them)"}`,
            () => {
                const listed = runExecutable(program, ["--list-images"]).split("\n");
                expect(listed).toEqual(
                    expect.arrayContaining(testImageArchiveOf(version).images.map(({ name }) => name)),
                );
            },
            60_000,
        );
    },
);

/** Files of the mirror are not executable. */
function runExecutable(file: string, args: string[]): string {
    const folder = fs.mkdtempSync("/tmp/pulumi-cloudstack-test-");
    const program = path.join(folder, "program");
    try {
        fs.copyFileSync(file, program);
        fs.chmodSync(program, 0o755);
        const answer = runTool(program, args);
        expectSuccess(answer);
        return answer.stdout.trim();
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}

describe.each(versions)("kubeadm %s", (version) => {
    const kubeadm = path.join(artifactsFolder(cacheFolder()), releaseOf("kubeadm", version).fileName);
    const isThere = fs.existsSync(kubeadm);

    (isThere ? test : test.skip)(
        `lists these images, and etcd${isThere ? "" : " (skipped: cloudstack-local artifacts has not made it)"}`,
        () => {
            const listed = runExecutable(kubeadm, ["config", "images", "list", `--kubernetes-version=v${version}`]);
            const wanted = listed.split("\n").filter((name) => !name.includes("/etcd:"));
            const own = names(version)
                .flat()
                .filter((name) => name.startsWith("registry.k8s.io/"));
            expect(own.sort()).toEqual(wanted.sort());
        },
    );
});
