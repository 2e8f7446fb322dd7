import * as fs from "node:fs";
import * as path from "node:path";
import { architectures, resolveArtifact, supportedVersions } from "../../../../components/artifacts";
import { pinnedModules } from "../../../../simulator/artifacts/goBuild";
import { knownVersions, newestVersion, PROGRAM_NAMES, releaseOf } from "../../../../simulator/artifacts/releases";

/** The embedded cloud shares no code with the components: what both say of releases is compared here. */
describe.each(PROGRAM_NAMES)("%s", (program) => {
    test("the mirror has what nodes ask for: names, places and sums", () => {
        expect(knownVersions(program)).toEqual(supportedVersions(program));
        expect(newestVersion(program)).toBe(supportedVersions(program).at(-1));
        for (const version of [...knownVersions(program), "9.9.9"])
            for (const architecture of architectures) {
                const fileNames = [releaseOf(program, version, architecture).fileName];
                const manifest = { [fileNames[0]]: "0".repeat(64) };
                fileNames.push(resolveArtifact(program, version, architecture, { manifest }).fileName);
                expect(fileNames[0]).toBe(fileNames[1]);
                if (version === "9.9.9") continue;
                const { url, sha256 } = resolveArtifact(program, version, architecture);
                expect(releaseOf(program, version, architecture)).toMatchObject({ url, sha256 });
            }
    });
});

test("of etcd, the archive has the programs where the release has them", () => {
    expect(releaseOf("etcd", "3.6.14", "arm64").go.programs).toEqual({
        "etcd-v3.6.14-linux-arm64/etcd": "go.etcd.io/etcd/server/v3",
        "etcd-v3.6.14-linux-arm64/etcdctl": "go.etcd.io/etcd/etcdctl/v3",
        "etcd-v3.6.14-linux-arm64/etcdutl": "go.etcd.io/etcd/etcdutl/v3",
    });
});

test.each(["3.5.33", "3.6.14"])("the sums of the modules of etcd %s are the package's own", (version) => {
    const folder = pinnedModules({ program: "etcd", version });
    const module = fs.readFileSync(path.join(folder, "go.mod"), "utf8");
    for (const name of releaseOf("etcd", version).go.modules) {
        expect(module).toContain(`\t${name} v${version} `);
        expect(module).toMatch(new RegExp(`^\t${name}$`, "m"));
        expect(fs.readFileSync(path.join(folder, "go.sum"), "utf8")).toMatch(
            new RegExp(`^${name} v${version.replaceAll(".", "\\.")} h1:\\S{44}$`, "m"),
        );
    }
});
