import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveArtifact, supportedVersions } from "../../../components/artifacts";
import { ensureReleases, manifestFile, mirrorFolder } from "../../../simulator/artifacts/mirror";
import { etcdRelease, NEWEST_ETCD } from "../../../simulator/artifacts/releases";
import { withFolder } from "../../support/tools";

/** The embedded cloud shares no code with the components: what both say of releases is compared here. */
test("the mirror has what nodes ask for: names, places and sums", () => {
    for (const version of supportedVersions("etcd"))
        for (const architecture of ["amd64", "arm64"] as const) {
            const { fileName, url, sha256 } = resolveArtifact("etcd", version, architecture);
            expect(etcdRelease(version, architecture)).toMatchObject({ fileName, url, sha256 });
        }
    expect(NEWEST_ETCD).toBe(supportedVersions("etcd").at(-1));
});

test("a file that is there with its sum stays, and stands in the manifest; a damaged one is made anew", async () => {
    await withFolder(async (cache) => {
        const release = etcdRelease("3.6.14");
        const file = path.join(mirrorFolder(cache), release.fileName);
        fs.mkdirSync(mirrorFolder(cache), { recursive: true });
        fs.writeFileSync(file, "there");
        fs.writeFileSync(`${file}.sha256`, `${"0".repeat(64)}\n`);
        // Neither the release (no such place) nor Go (not asked for): a wrong sum is not taken for the file.
        const elsewhere = { ...release, url: "http://127.0.0.1:9/nothing" };
        const attempt = ensureReleases(cache, [elsewhere], "release", () => undefined);
        await expect(attempt).rejects.toThrow(`${release.fileName} cannot be had. the official release:`);
        const real = createHash("sha256").update("there").digest("hex");
        fs.writeFileSync(`${file}.sha256`, `${real}\n`);
        const [outcome] = await ensureReleases(cache, [elsewhere], "release", () => undefined);
        expect(outcome).toMatchObject({ from: "mirror", sha256: real });
        expect(JSON.parse(fs.readFileSync(manifestFile(cache), "utf8"))).toEqual({ [release.fileName]: real });
    });
});
