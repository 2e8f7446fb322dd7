import * as fs from "node:fs";
import * as path from "node:path";
import {
    etcdBuild,
    flannelBuild,
    type GoBuild,
    kubernetesBuild,
    pauseBuild,
    runcBuild,
} from "../../../../simulator/artifacts/builds";
import { buildPrograms, findGo } from "../../../../simulator/artifacts/goBuild";
import { Gate } from "../../../../simulator/artifacts/process";
import type { Architecture } from "../../../../simulator/artifacts/releases";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";
import { withGo } from "./support";

interface Options {
    programs?: string[];
    architecture?: Architecture;
    heard?: (string | undefined)[];
    signal?: AbortSignal;
}

/** Builds in a fresh folder. @returns the paths of the programs */
function build(folder: string, recipe: GoBuild, options: Options = {}): Promise<Record<string, string>> {
    const { programs = Object.keys(recipe.packages), architecture = "amd64", heard, signal } = options;
    const work = fs.mkdtempSync(path.join(folder, "work-"));
    const gates = { download: new Gate(1), compile: new Gate(1) };
    const onProgress = (text: string | undefined) => void heard?.push(text);
    return buildPrograms(recipe, programs, work, { architecture, gates, signal, onProgress });
}

test("programs are built statically, for Linux and without paths, whatever the user's settings are", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            const before = { ...process.env };
            const mine = { GOFLAGS: "-mod=vendor -tags=mine", GOOS: "darwin", GOARCH: "386", CGO_ENABLED: "1" };
            Object.assign(process.env, mine);
            const heard: (string | undefined)[] = [];
            try {
                const built = await build(folder, etcdBuild("3.6.14"), { architecture: "arm64", heard });
                expect(Object.keys(built)).toEqual(["etcd", "etcdctl", "etcdutl"]);
                expect(fs.readFileSync(built.etcd, "utf8")).toContain("go.etcd.io/etcd/server/v3");
            } finally {
                for (const name of Object.keys(mine)) {
                    if (before[name] === undefined) delete process.env[name];
                    else process.env[name] = before[name];
                }
            }
            const packages = ["server", "etcdctl", "etcdutl"].map((name) => `go\\.etcd\\.io/etcd/${name}/v3`).join(" ");
            expect(go.calls).toEqual([
                expect.stringMatching(new RegExp(`: list -deps ${packages}$`)),
                expect.stringMatching(
                    new RegExp(
                        "^linux/arm64 0 -mod=readonly -trimpath -buildvcs=false: " +
                            "build -v -ldflags=-s -w -X go\\.etcd\\.io/etcd/api/v3/version\\.GitSHA=\\S+ " +
                            `-o \\S+/out/ ${packages}$`,
                    ),
                ),
            ]);
            expect(go.module).toMatch(/^module pulumi-cloudstack\/.*etcd-3\.6\.14$/m);
            expect(heard).toEqual([
                "resolving modules",
                "1 modules downloaded",
                undefined,
                "compiling",
                "1 of 3 packages compiled",
            ]);
        }),
    ));

test("programs with C libraries are linked with them statically", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            await build(folder, runcBuild("1.4.3"));
            expect(go.builds).toEqual([
                expect.stringMatching(
                    /^linux\/amd64 1 .* -tags=seccomp,netgo,\S+ .* -linkmode=external -extldflags=-static -o /,
                ),
            ]);
        }),
    ));

test("only the requested programs of a build are returned", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            const built = await build(folder, kubernetesBuild("1.36.4"), { programs: ["kubelet", "kube-proxy"] });
            expect(Object.keys(built)).toEqual(["kubelet", "kube-proxy"]);
            expect(go.builds).toEqual([
                expect.stringMatching(/out\/ k8s\.io\/kubernetes\/cmd\/kubelet k8s\.io\/kubernetes\/cmd\/kube-proxy$/),
            ]);
            for (const value of ["gitVersion=v1.36.4", "gitMajor=1", "gitMinor=36", "gitTreeState=clean"])
                expect(go.builds[0]).toContain(` -X k8s.io/component-base/version.${value} `);
        }),
    ));

describe("a version that this package has no module sums of", () => {
    test("is built from its modules alone", () =>
        withFolder((folder) =>
            withGo(folder, "", async (go) => {
                await build(folder, etcdBuild("9.9.9"));
                expect(go.builds[0]).toContain(" -mod=mod ");
                for (const name of ["server", "etcdctl", "etcdutl"])
                    expect(go.module).toContain(`require go.etcd.io/etcd/${name}/v3 v9.9.9\n`);
            }),
        ));

    test("of Kubernetes has its staging modules replaced, as in its own go.mod", () =>
        withFolder((folder) =>
            withGo(folder, "", async (go) => {
                await build(folder, kubernetesBuild("1.36.99"), { programs: ["kubelet"] });
                expect(go.calls[0]).toMatch(/: mod download -json k8s\.io\/kubernetes@v1\.36\.99$/);
                expect(go.module).toBe(
                    "module mirror\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v1.36.99\n\n" +
                        "replace (\n\tk8s.io/api => k8s.io/api v0.36.99\n)\n",
                );
            }),
        ));
});

test("main packages are this package's own, or a module's without some imports", () =>
    withFolder((folder) =>
        withGo(folder, "", async (go) => {
            await build(folder, pauseBuild("3.10.2"));
            expect(go.source("pause")).toContain("func main() {");
            expect(go.builds[0]).toContain(" -X main.version=3.10.2 ");
            await build(folder, flannelBuild("0.28.9"));
            expect(go.source("flanneld")).toBe('import (\n\t_ "kept"\n)\n');
        }),
    ));

test("a build that fails says how it ended", () =>
    withFolder((folder) =>
        withGo(folder, "for i in 1 2 3 4 5 6; do echo line $i >&2; done; exit 1", async () => {
            await expect(build(folder, etcdBuild("3.6.14"))).rejects.toThrow(
                "go build ended with 1\nline 2\nline 3\nline 4\nline 5\nline 6",
            );
        }),
    ));

test("an interrupted build ends at once, with all processes that Go has started", () =>
    withFolder((folder) =>
        withGo(folder, "echo $$ >$here/pid; sleep 60", async () => {
            const interruption = new AbortController();
            const pidFile = path.join(folder, "go", "pid");
            const timer = setInterval(() => {
                if (fs.existsSync(pidFile) && fs.readFileSync(pidFile, "utf8").endsWith("\n"))
                    interruption.abort(new Error("interrupted"));
            }, 20);
            const { signal } = interruption;
            await expect(build(folder, etcdBuild("3.6.14"), { signal })).rejects.toThrow("interrupted");
            clearInterval(timer);
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

testWithTools(["go"])(
    "the real Go builds a program of this package, twice with the same bytes",
    () =>
        withFolder(async (folder) => {
            const recipe = pauseBuild("3.10.2");
            const [one, two] = [await build(folder, recipe), await build(folder, recipe)];
            expect(fs.readFileSync(one.pause).equals(fs.readFileSync(two.pause))).toBe(true);
            const answer = runTool(one.pause, ["-v"]);
            expectSuccess(answer);
            expect(answer.stdout).toBe("pause 3.10.2\n");
            const program = fs.readFileSync(one.pause);
            expect(program.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
            expect(program.includes(folder)).toBe(false);
        }),
    180_000,
);
