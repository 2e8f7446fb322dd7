import * as fs from "node:fs";
import * as path from "node:path";
import { filesOf, isRelease, type MirrorFile } from "../../../../simulator/artifacts/files";
import { imageArchivesOf } from "../../../../simulator/artifacts/images";
import { artifactsFolder, ensureFiles, type EnsureOptions, readManifest } from "../../../../simulator/artifacts/mirror";
import { releaseOf } from "../../../../simulator/artifacts/releases";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";
import { withGo } from "./support";

const goTest = testWithTools(["tar", "gzip"]);
const [controlPlaneImages] = imageArchivesOf("1.36.4", "amd64");
const kubernetes = (["kubelet", "kubeadm"] as const).map((program) => releaseOf(program, "1.36.4", "amd64"));

const fromGo = (cache: string, files: readonly MirrorFile[], options: EnsureOptions = {}) =>
    ensureFiles(cache, files, { source: "go", ...options });

goTest(
    "an archive is like the release's, with fixed names, modes, owners and times: its bytes are always the same",
    () =>
        withFolder((folder) =>
            withGo(folder, "", async () => {
                const release = releaseOf("etcd", "3.6.14", "amd64");
                const [one, two] = [path.join(folder, "one"), path.join(folder, "two")];
                await fromGo(one, [release]);
                const listed = runTool("tar", [
                    "-tvzf",
                    path.join(artifactsFolder(one), release.fileName),
                    ...["--numeric-owner", "--utc", "--full-time"],
                ]);
                expectSuccess(listed);
                const top = "etcd-v3.6.14-linux-amd64";
                const fields = listed.stdout
                    .trim()
                    .split("\n")
                    .map((line) => line.split(/\s+/));
                expect(fields.map(([mode, owner, , day, time, name]) => [mode, owner, day, time, name])).toEqual([
                    ["drwxr-xr-x", "0/0", "1970-01-01", "00:00:00", `${top}/`],
                    ...["etcd", "etcdctl", "etcdutl"].map((name) => [
                        ...["-rwxr-xr-x", "0/0", "1970-01-01", "00:00:00"],
                        `${top}/${name}`,
                    ]),
                ]);
                const umask = process.umask(0o077);
                try {
                    await fromGo(two, [release]);
                } finally {
                    process.umask(umask);
                }
                expect(readManifest(two)).toEqual(readManifest(one));
            }),
        ),
);

goTest("files of one build share one call of Go; a file that is not an archive is the program itself", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            await fromGo(folder, [...kubernetes, controlPlaneImages]);
            expect(go.builds).toEqual([
                expect.stringMatching(
                    /cmd\/kubelet \S+\/kubeadm \S+\/kube-apiserver \S+\/kube-controller-manager \S+\/kube-scheduler$/,
                ),
            ]);
            const kubelet = path.join(artifactsFolder(folder), "kubelet-v1.36.4-linux-amd64");
            expect(fs.readFileSync(kubelet, "utf8")).toBe("#!/bin/sh\necho k8s.io/kubernetes/cmd/kubelet\n");
            const images = runTool("tar", ["-tf", path.join(artifactsFolder(folder), controlPlaneImages.fileName)]);
            // A layer, a configuration and a manifest for each of the three.
            expect(images.stdout.match(/blobs\/sha256\/\w{64}/g)).toHaveLength(9);
        }),
    ),
);

goTest("the tests of a package can be built as a program", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            const [tests] = filesOf({ conformance: ["1.36.4"] }, "amd64");
            await fromGo(folder, [tests]);
            expect(go.builds).toEqual([
                expect.stringMatching(
                    /: test -c -ldflags=\S+ .* -o \S+\/out\/e2e\.test k8s\.io\/kubernetes\/test\/e2e$/,
                ),
            ]);
            const file = path.join(artifactsFolder(folder), "e2e.test-v1.36.4-linux-amd64");
            expect(fs.readFileSync(file, "utf8")).toBe("the tests of k8s.io/kubernetes/test/e2e\n");
        }),
    ),
);

goTest("a build that fails is reported at once, and the others are completed", () =>
    withFolder((folder) =>
        withGo(folder, 'case "$*" in *kubernetes*) echo too old >&2; exit 1;; esac', async () => {
            const etcd = releaseOf("etcd", "3.6.14", "amd64");
            const failed: string[][] = [];
            const onFailed = (...failure: string[]) => void failed.push(failure);
            await expect(fromGo(folder, [...kubernetes, etcd], { onFailed })).rejects.toThrow(
                /^kubelet-v1\.36\.4-linux-amd64, kubeadm-v1\.36\.4-linux-amd64 could not be obtained:\n {2}- Go: .*\n {4}.*\n {4}too old\nDo/,
            );
            expect(failed).toEqual([
                ["kubelet-v1.36.4-linux-amd64", expect.stringMatching(/too old$/)],
                ["kubeadm-v1.36.4-linux-amd64", expect.stringMatching(/too old$/)],
            ]);
            expect(Object.keys(readManifest(folder))).toEqual([etcd.fileName]);
        }),
    ),
);

goTest("an interrupted build leaves no incomplete file", () =>
    withFolder((folder) =>
        withGo(folder, 'case "$*" in *kubernetes*) sleep 60;; esac', async () => {
            const etcd = releaseOf("etcd", "3.6.14", "amd64");
            const interruption = new AbortController();
            const onFile = () => interruption.abort(new Error("Interrupted."));
            const options = { onFile, signal: interruption.signal };
            await expect(fromGo(folder, [...kubernetes, etcd], options)).rejects.toThrow(/^Interrupted\.$/);
            expect(fs.readdirSync(artifactsFolder(folder)).sort()).toEqual([".lock", etcd.fileName, "manifest.json"]);
        }),
    ),
);

test("the advice fits the failure: runc needs a C compiler, images need root", () =>
    withFolder((folder) =>
        withGo(folder, "exit 1", async () => {
            const runc = filesOf({ kubernetes: ["1.36.4"] }, "amd64").filter(({ fileName }) => /^runc/.test(fileName));
            const [etcd] = filesOf({ etcd: ["3.6.14"] }, "amd64").filter(isRelease);
            const compiler = "  - install gcc libc6-dev libseccomp-dev pkg-config, which runc needs";
            const images = "  - for the images: run this as root, with mmdebstrap";
            await expect(fromGo(folder, runc)).rejects.toThrow(compiler);
            await expect(fromGo(folder, [controlPlaneImages])).rejects.toThrow(images);
            for (const advice of [compiler, images]) await expect(fromGo(folder, [etcd])).rejects.not.toThrow(advice);
        }),
    ));
