/** `cloudstack-local artifacts`, and what `cloudstack-local env` prints about the mirror. */
import * as fs from "node:fs";
import { artifactsFolder, manifestFile } from "../../../../simulator/artifacts/mirror";
import { releaseOf } from "../../../../simulator/artifacts/releases";
import { artifacts, ARTIFACTS_HELP } from "../../../../simulator/cli/artifacts";
import { environment } from "../../../../simulator/cli/environment";
import { testWithTools, withFolder } from "../../../support/tools";
import { withGo } from "./support";

/** Its standard error, which is for people. */
const error = jest.spyOn(console, "error").mockImplementation(() => undefined);

beforeEach(() => error.mockClear());

/** Its standard output. */
async function printed(...args: string[]): Promise<string[]> {
    const log = jest.spyOn(console, "log").mockImplementation(() => undefined);
    try {
        await artifacts(args);
        return log.mock.calls.map(([line]) => line);
    } finally {
        log.mockRestore();
    }
}

describe("cloudstack-local artifacts", () => {
    testWithTools(["tar", "gzip"])("creates the files that are asked for, and finds them the next time", () =>
        withFolder((cache) =>
            withGo(cache, "", async (go) => {
                const versions = ["--etcd", "3.6.14", "--etcd", "3.5.33", "--from", "go", "--without-kubernetes"];
                const names = ["3.6.14", "3.5.33"].map((version) => releaseOf("etcd", version).fileName);
                const made = await printed("--cache", cache, ...versions);
                const last = made.pop();
                made.sort().reverse();
                expect(made[0]).toMatch(/^etcd-v3\.6\.14-linux-\w+\.tar\.gz: built with Go \(\d+ B, \d+\.\ds\)$/);
                expect(made[1]).toMatch(/^etcd-v3\.5\.33-/);
                expect(last).toBe(`Mirror: ${artifactsFolder(cache)}`);
                expect(go.builds).toHaveLength(2);
                expect(error.mock.calls.map(([line]) => line)).toEqual([
                    expect.stringMatching(
                        new RegExp(
                            `^Missing:\n  ${names[0]}\n  ${names[1]}\n` +
                                "To build all of this with Go takes about \\d minutes? on \\d+ processors?, once; ",
                        ),
                    ),
                ]);
                const found = await printed("--cache", cache, ...versions);
                expect(found[0]).toMatch(new RegExp(`^${names[0]}: already present \\(\\d+ B\\)$`));
                expect(go.builds).toHaveLength(2);

                const answer = JSON.parse((await printed("--cache", cache, "--json", ...versions)).join("\n"));
                const manifest = JSON.parse(fs.readFileSync(manifestFile(cache), "utf8"));
                expect(Object.keys(manifest)).toEqual([...names].sort());
                expect(answer).toEqual({
                    folder: artifactsFolder(cache),
                    manifest: manifestFile(cache),
                    files: names.map((fileName) => ({
                        fileName,
                        sha256: manifest[fileName],
                        from: "mirror",
                        bytes: expect.any(Number),
                        seconds: expect.any(Number),
                    })),
                });
            }),
        ),
    );

    test("uses the cache in the environment by default", () =>
        withFolder((cache) =>
            withGo(cache, "", async () => {
                const before = process.env.CLOUDSTACK_LOCAL_CACHE;
                process.env.CLOUDSTACK_LOCAL_CACHE = cache;
                try {
                    expect(await printed("--from", "go", "--without-kubernetes")).toContain(
                        `Mirror: ${artifactsFolder(cache)}`,
                    );
                } finally {
                    if (before === undefined) delete process.env.CLOUDSTACK_LOCAL_CACHE;
                    else process.env.CLOUDSTACK_LOCAL_CACHE = before;
                }
            }),
        ));

    test("refuses unknown options, and reports failures in words", () =>
        withFolder(async (cache) => {
            const refused = (message: string) => ({ message, exitCode: 2 });
            await expect(printed("--from", "here")).rejects.toMatchObject(
                refused('--from must be one of auto, release, go, not "here".'),
            );
            await expect(printed("--etcd", "../x")).rejects.toMatchObject(
                refused('--etcd must be a version such as 3.6.14, not "../x".'),
            );
            await expect(printed("--kubernetes", "v1.36.4")).rejects.toMatchObject(
                refused('--kubernetes must be a version such as 1.36.4, not "v1.36.4".'),
            );
            await expect(printed("--kubernetes", "1.3.0")).rejects.toMatchObject(
                refused('--kubernetes must be a version of 1.35 or 1.36, not "1.3.0".'),
            );
            await expect(printed("--kubernetes", "1.36.4", "--without-kubernetes")).rejects.toMatchObject(
                refused("--without-kubernetes and --kubernetes exclude each other."),
            );
            await withGo(cache, "exit 1", () =>
                expect(printed("--cache", cache, "--from", "go", "--without-kubernetes")).rejects.toMatchObject({
                    exitCode: 1,
                    message: expect.stringContaining("could not be obtained:\n  - Go: go build ended with 1\n"),
                }),
            );
            await expect(printed("--kubernetes", "1.35.8", "--conformance")).rejects.toMatchObject(
                refused("--conformance is possible for versions of Kubernetes 1.36 only."),
            );
            expect(ARTIFACTS_HELP).toContain("(default 3.6.14)");
        }));
});

describe("cloudstack-local env", () => {
    const access = { endpoint: "http://127.0.0.1:8080/client/api", apiKey: "key", secretKey: "secret" };
    const cloud = { hypervisor: "nspawn", gateway: "10.1.1.1", manifest: "/it's/manifest.json" };
    /** The variables of ours that a shell gets from it. */
    const own = (more: Partial<Parameters<typeof environment>[0]>) =>
        environment({ ...access, ...more }, "shell")
            .split("\n")
            .filter((line) => line.includes("CLOUDSTACK_LOCAL_"));

    test("prints where booting machines get release files, and the address of this computer", () => {
        expect(own({ cloud: { ...cloud, hostAddress: "10.1.1.254" } })).toEqual([
            "export CLOUDSTACK_LOCAL_HYPERVISOR=nspawn",
            "export CLOUDSTACK_LOCAL_MIRROR=http://10.1.1.1/artifacts",
            "export CLOUDSTACK_LOCAL_MANIFEST='/it'\\''s/manifest.json'",
            "export CLOUDSTACK_LOCAL_HOST=10.1.1.254/32",
        ]);
    });

    test("prints the user's own variables otherwise, and nothing for a cloud that is not running", () => {
        const none = "export CLOUDSTACK_LOCAL_HYPERVISOR=none";
        expect(own({ cloud: { ...cloud, hypervisor: "none" } })).toEqual([none]);
        expect(own({})).toEqual([]);
        const files = (["cmk", "cs"] as const).map((format) =>
            environment({ ...access, cloud: { ...cloud, hostAddress: "10.1.1.254" } }, format),
        );
        expect(files.join()).not.toContain("LOCAL_");
    });
});
