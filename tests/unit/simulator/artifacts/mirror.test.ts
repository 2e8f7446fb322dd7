import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import {
    artifactsFolder,
    ensureArtifacts,
    ensureFiles,
    manifestFile,
    readManifest,
} from "../../../../simulator/artifacts/mirror";
import { withLock } from "../../../../simulator/artifacts/lock";
import { releaseOf } from "../../../../simulator/artifacts/releases";
import { testWithTools, withFolder } from "../../../support/tools";
import { elsewhere, NOWHERE, withGo, withServer } from "./support";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const release = elsewhere(NOWHERE);
const { fileName } = release;
const goTest = testWithTools(["tar", "gzip"]);

/** Puts a file on the mirror. */
function put(cache: string, name: string, text: string): string {
    fs.mkdirSync(artifactsFolder(cache), { recursive: true });
    const file = path.join(artifactsFolder(cache), name);
    fs.writeFileSync(file, text);
    return file;
}

const writeManifest = (cache: string, manifest: object) => {
    fs.mkdirSync(artifactsFolder(cache), { recursive: true });
    fs.writeFileSync(manifestFile(cache), JSON.stringify(manifest));
};

/** The files on the mirror, without its lock. */
const names = (cache: string) =>
    fs
        .readdirSync(artifactsFolder(cache))
        .filter((name) => name !== ".lock")
        .sort();

describe("a file that exists", () => {
    test("is kept if its sum is in the manifest, without waiting for others", () =>
        withFolder(async (cache) => {
            put(cache, fileName, "there");
            writeManifest(cache, { [fileName]: sha256("there") });
            const lock = path.join(artifactsFolder(cache), ".lock");
            const outcomes = await withLock(
                lock,
                () => undefined,
                () => ensureFiles(cache, [release]),
            );
            const seconds = expect.any(Number);
            expect(outcomes).toEqual([{ fileName, sha256: sha256("there"), bytes: 5, from: "mirror", seconds }]);
        }));

    test("is added to the manifest if it is the official file; entries without a file are removed", () =>
        withFolder(async (cache) => {
            put(cache, fileName, "official");
            put(cache, "images.tar", "somebody's own");
            writeManifest(cache, { gone: sha256("gone"), "images.tar": sha256("somebody's own") });
            const official = { ...release, sha256: sha256("official") };
            expect(await ensureFiles(cache, [official])).toMatchObject([{ from: "mirror" }]);
            expect(readManifest(cache)).toEqual({
                [fileName]: sha256("official"),
                "images.tar": sha256("somebody's own"),
            });
        }));

    test("is not trusted if the manifest is damaged", () =>
        withFolder(async (cache) => {
            put(cache, "manifest.json", '{"etcd');
            await expect(ensureFiles(cache, [release])).rejects.toThrow(
                /manifest\.json cannot be read \(.*\): correct it, or delete it\.$/,
            );
        }));

    goTest("is replaced if it is damaged", () =>
        withFolder(async (cache) => {
            put(cache, fileName, "damaged");
            writeManifest(cache, { [fileName]: sha256("whole") });
            await withGo(cache, "", () => ensureFiles(cache, [release]));
            const sum = sha256(fs.readFileSync(path.join(artifactsFolder(cache), fileName), "latin1"));
            expect(sum).not.toBe(sha256("damaged"));
            expect(names(cache)).toEqual([fileName, "manifest.json"]);
        }),
    );
});

describe("the official release", () => {
    test("is downloaded and verified", () =>
        withFolder((cache) =>
            withServer(
                (_, response) => response.end("official"),
                async (url) => {
                    const official = elsewhere(url, { sha256: sha256("official") });
                    const heard: string[] = [];
                    const onProgress = (texts: readonly string[]) => heard.push(...texts);
                    const outcomes = await ensureFiles(cache, [official], { onProgress });
                    expect(outcomes).toMatchObject([{ fileName, sha256: sha256("official"), from: "release" }]);
                    expect(heard).toContain(`downloading ${fileName}: 0 of 0 MiB`);
                    const file = path.join(artifactsFolder(cache), fileName);
                    expect(fs.readFileSync(file, "utf8")).toBe("official");
                    expect(fs.statSync(file).mode & 0o777).toBe(0o644);
                    expect(readManifest(cache)).toEqual({ [fileName]: sha256("official") });
                    expect(names(cache)).toEqual([fileName, "manifest.json"]);
                },
            ),
        ));

    goTest("is refused if its sum is wrong: it is built with Go then, and that is reported", () =>
        withFolder((cache) =>
            withServer(
                (_, response) => response.end("evil"),
                (url) =>
                    withGo(cache, "", async () => {
                        const [outcome] = await ensureFiles(cache, [elsewhere(url)]);
                        const expected = releaseOf("etcd", "3.6.14").sha256;
                        const because = `${fileName} has the SHA-256 ${sha256("evil")}, expected ${expected} (from ${url})`;
                        expect(outcome).toMatchObject({ from: "go", because });
                        expect(readManifest(cache)).toEqual({ [fileName]: outcome.sha256 });
                    }),
            ),
        ),
    );

    test("is the only source if that is asked for", () =>
        withFolder(async (cache) => {
            await withGo(cache, "", async (go) => {
                const attempt = ensureFiles(cache, [release], { source: "release" });
                await expect(attempt).rejects.toThrow(`${fileName} could not be obtained:\n  - the official release: `);
                await expect(attempt).rejects.not.toThrow("Go:");
                expect(go.calls).toEqual([]);
            });
            expect(names(cache)).toEqual([]);
        }));
});

test("the error for a file that could not be obtained says what to do", () =>
    withFolder(async (cache) => {
        const folder = artifactsFolder(cache);
        await expect(ensureFiles(cache, [release], { source: "release" })).rejects.toThrow(
            `Do one of these, then run this command again:\n` +
                `  - install Go 1.21 or later (https://go.dev/doc/install), with access to a Go module proxy\n` +
                `  - download ${release.url} elsewhere, and put it into ${folder}`,
        );
        await expect(ensureArtifacts(cache, { etcd: ["9.9.9"] }, { source: "release" })).rejects.toThrow(
            new RegExp(
                "the SHA-256 of version 9\\.9\\.9 is not known to this package[^]*" +
                    'and its SHA-256 into manifest\\.json there: \\{ "etcd-v9\\.9\\.9[^]*' +
                    "use a version that this package knows: .*3\\.6\\.14$",
            ),
        );
    }));

test("if Go fails, too, both reasons are reported", () =>
    withFolder((cache) =>
        withGo(cache, "echo no such module >&2; exit 1", async () => {
            await expect(ensureFiles(cache, [release])).rejects.toThrow(
                /could not be obtained:\n {2}- the official .*\n {2}- Go: go build ended with 1\n( {4}.*\n)* {4}no such module\nDo/,
            );
            expect(names(cache)).toEqual([]);
        }),
    ));

describe("several processes at once", () => {
    goTest("create each file once; the others wait, and find it", () =>
        withFolder((cache) =>
            withGo(cache, "sleep 0.3", async (go) => {
                const heard: string[] = [];
                const ensure = () =>
                    ensureFiles(cache, [release], { source: "go", onProgress: (texts) => heard.push(...texts) });
                const all = await Promise.all([ensure(), ensure(), ensure()]);
                expect(all.map(([{ from }]) => from).sort()).toEqual(["go", "mirror", "mirror"]);
                expect(new Set(all.map(([{ sha256: sum }]) => sum)).size).toBe(1);
                expect(go.builds).toHaveLength(1);
                expect(heard).toContain("waiting for another process that completes the mirror");
            }),
        ),
    );

    goTest("do not block each other after a kill -9", () =>
        withFolder(async (cache) => {
            const lock = path.join(artifactsFolder(cache), ".lock");
            put(cache, ".work-of-the-dead", "");
            const script =
                'const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);' +
                'db.exec("BEGIN EXCLUSIVE"); console.log("locked"); setInterval(() => {}, 1000);';
            const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "-e", script, lock]);
            await new Promise((resolve) => child.stdout.once("data", resolve));
            let waits = 0;
            const onWait = () => {
                if (++waits === 2) child.kill("SIGKILL");
            };
            await withLock(lock, onWait, async () => undefined);
            expect(waits).toBeGreaterThanOrEqual(2);
            await withGo(cache, "", () => ensureFiles(cache, [release], { source: "go" }));
            expect(names(cache)).toEqual([fileName, "manifest.json"]);
        }),
    );
});

test("versions are created once each, for the requested architecture", () =>
    withFolder(async (cache) => {
        const one = releaseOf("etcd", "3.5.33", "arm64").fileName;
        put(cache, one, "one");
        writeManifest(cache, { [one]: sha256("one") });
        const outcomes = await ensureArtifacts(cache, { etcd: ["3.5.33", "3.5.33"] }, { architecture: "arm64" });
        expect(outcomes.map(({ fileName: name }) => name)).toEqual([one]);
        expect(await ensureArtifacts(cache, {})).toEqual([]);
    }));
