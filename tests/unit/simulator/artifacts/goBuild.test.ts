import * as fs from "node:fs";
import * as path from "node:path";
import { buildRelease, findGo } from "../../../../simulator/artifacts/goBuild";
import { releaseOf, type Release } from "../../../../simulator/artifacts/releases";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";
import { elsewhere, NOWHERE, withGo } from "./support";

const goTest = testWithTools(["tar", "gzip"]);

/** Builds in a fresh folder, and answers the file. */
async function build(folder: string, release: Release, heard: string[] = []): Promise<string> {
    const work = fs.mkdtempSync(path.join(folder, "work-"));
    const file = path.join(work, "result");
    await buildRelease(release, work, file, (text) => heard.push(text));
    return file;
}

goTest("the archive is the release's: names, modes, owners and times are fixed, and so are its bytes", () =>
    withFolder((folder) =>
        withGo(folder, "", async () => {
            const release = releaseOf("etcd", "3.6.14", "amd64");
            const file = await build(folder, release);
            const listed = runTool("tar", ["-tvzf", file, "--numeric-owner", "--utc", "--full-time"]);
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
                const again = await build(folder, release);
                expect(fs.readFileSync(again).equals(fs.readFileSync(file))).toBe(true);
            } finally {
                process.umask(umask);
            }
        }),
    ),
);

goTest("Go is asked for what the release is: static, for Linux, without paths; the user's settings do not matter", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            const before = { ...process.env };
            const mine = { GOFLAGS: "-mod=vendor -tags=mine", GOOS: "darwin", GOARCH: "386", CGO_ENABLED: "1" };
            Object.assign(process.env, mine);
            const heard: string[] = [];
            try {
                await build(folder, releaseOf("etcd", "3.6.14", "arm64"), heard);
            } finally {
                for (const name of Object.keys(mine)) {
                    if (before[name] === undefined) delete process.env[name];
                    else process.env[name] = before[name];
                }
            }
            expect(go.calls).toHaveLength(3);
            expect(go.calls[0]).toMatch(
                new RegExp(
                    "^linux/arm64 0 -mod=readonly -trimpath -buildvcs=false: " +
                        "build -v -ldflags=-s -w -X go\\.etcd\\.io/etcd/api/v3/version\\.GitSHA=\\S+ " +
                        "-o \\S+/etcd-v3\\.6\\.14-linux-arm64/etcd go\\.etcd\\.io/etcd/server/v3$",
                ),
            );
            expect(go.module).toMatch(/^module pulumi-cloudstack\/.*etcd-3\.6\.14$/m);
            expect(heard[0]).toBe("1 modules downloaded");
            expect(heard).toContain("3 packages compiled");
            expect(heard.at(-1)).toBe("packing");
        }),
    ),
);

goTest("a version that this package does not know is built from its modules alone", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            await build(folder, releaseOf("etcd", "9.9.9", "amd64"));
            expect(go.calls[0]).toContain(" -mod=mod ");
            for (const name of ["server", "etcdctl", "etcdutl"])
                expect(go.module).toContain(`require go.etcd.io/etcd/${name}/v3 v9.9.9\n`);
        }),
    ),
);

test("a file that is no archive is the program itself", () =>
    withFolder((folder) =>
        withGo(folder, "", async () => {
            const go = { modules: [], programs: { kubelet: "k8s.io/kubernetes/cmd/kubelet" } };
            const file = await build(folder, elsewhere(NOWHERE, { fileName: "kubelet-v1-linux-amd64", go }));
            expect(fs.readFileSync(file, "utf8")).toBe("#!/bin/sh\necho k8s.io/kubernetes/cmd/kubelet\n");
        }),
    ));

test("a build that fails says how it ended", () =>
    withFolder((folder) =>
        withGo(folder, "for i in 1 2 3 4 5 6; do echo line $i >&2; done; exit 1", async () => {
            await expect(build(folder, releaseOf("etcd", "3.6.14"))).rejects.toThrow(
                "go build ended with 1\nline 2\nline 3\nline 4\nline 5\nline 6",
            );
        }),
    ));

test.each([
    ["go1.20.14", /is 1\.20\.14, but 1\.21 or later is required$/],
    ["", /is older, but 1\.21 or later is required$/],
    ["go1.21.0", undefined],
    ["go1.100rc1", undefined],
    ["go2.0", undefined],
    ["devel go1.27-abcdef", undefined],
])("Go %j", (version, complaint) =>
    withFolder((folder) =>
        withGo(folder, "", async () => {
            process.env.FAKE_GO_VERSION = version;
            if (complaint === undefined) expect(await findGo()).toBe("go");
            else await expect(findGo()).rejects.toThrow(complaint);
        }),
    ),
);

test("without Go, the error says so", () => expect(findGo(["/nowhere/go"])).rejects.toThrow("not found on PATH"));

testWithTools(["go", "tar", "gzip"])(
    "the real Go builds a program for Linux, twice the same",
    () =>
        withFolder(async (folder) => {
            // A small program of Go's own: nothing is fetched for it.
            const go = { modules: [], programs: { "tools/pack": "cmd/pack" }, variables: { "main.x": "y" } };
            const release = elsewhere(NOWHERE, { program: "tools", fileName: "tools.tar.gz", go });
            const [one, two] = [await build(folder, release), await build(folder, release)];
            expect(fs.readFileSync(one).equals(fs.readFileSync(two))).toBe(true);
            expectSuccess(runTool("tar", ["-xzf", one, "-C", folder]));
            const program = fs.readFileSync(path.join(folder, "tools/pack"));
            expect(program.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
            expect(program.includes(folder)).toBe(false);
        }),
    180_000,
);
