import * as fs from "node:fs";
import * as path from "node:path";
import { architectures, resolveArtifact, supportedVersions } from "../../../../components/artifacts";
import { releases as kubernetesReleases } from "../../../../components/kubernetesCluster/versions";
import type { GoBuild } from "../../../../simulator/artifacts/builds";
import { buildsOf, filesOf } from "../../../../simulator/artifacts/files";
import { pinnedModules } from "../../../../simulator/artifacts/goBuild";
import {
    knownVersions,
    newestVersion,
    PROGRAM_NAMES,
    type ProgramName,
    releaseOf,
} from "../../../../simulator/artifacts/releases";

const escaped = (text: string) => text.replaceAll(".", "\\.");
const supportedKubernetes = Object.values(kubernetesReleases).map(({ latest }) => latest);

/** The embedded cloud shares no code with the components, so what both have about releases is compared here. */
describe.each(PROGRAM_NAMES)("%s", (program) => {
    test("the mirror has the files that nodes download, with the same names, paths and sums", () => {
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

test("archives have the programs at the same paths as the releases", () => {
    const members = (program: ProgramName) => releaseOf(program, newestVersion(program), "arm64").members;
    expect(members("etcd")).toEqual({
        "etcd-v3.6.14-linux-arm64/etcd": "etcd",
        "etcd-v3.6.14-linux-arm64/etcdctl": "etcdctl",
        "etcd-v3.6.14-linux-arm64/etcdutl": "etcdutl",
    });
    expect(Object.keys(members("containerd"))).toEqual(["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"]);
    // The programs of the official archive, without its licence.
    expect(Object.keys(members("cni-plugins")).sort().join(" ")).toBe(
        "bandwidth bridge dhcp dummy firewall host-device host-local ipvlan loopback macvlan portmap ptp sbr static tap " +
            "tuning vlan vrf",
    );
    expect(members("kubelet")).toEqual({ kubelet: "kubelet" });
    expect(members("runc")).toEqual({ runc: "runc" });
});

/** All builds that the newest versions, and the older ones in tests, consist of. */
const builds = filesOf({
    etcd: ["3.5.33", "3.6.14"],
    kubernetes: supportedKubernetes,
    conformance: ["1.36.4"],
}).flatMap(buildsOf);

test.each([...new Map(builds.map(({ build }) => [build.title, build])).values()].map((build) => [build.title, build]))(
    "the package has the module sums of %s",
    (_, build: GoBuild) => {
        const folder = pinnedModules(build);
        const module = fs.readFileSync(path.join(folder, "go.mod"), "utf8");
        expect(module).toMatch(/^module pulumi-cloudstack\/simulator\/artifacts\/modules\/\S+$/m);
        const sums = fs.readFileSync(path.join(folder, "go.sum"), "utf8");
        for (const name of build.modules) {
            expect(module).toMatch(new RegExp(`^(\t|require )${name} v${escaped(build.version)}( |$)`, "m"));
            expect(sums).toMatch(new RegExp(`^${name} v${escaped(build.version)} h1:\\S{44}$`, "m"));
        }
        for (const [program, source] of Object.entries(build.packages))
            if (source.startsWith("./") && program !== build.derived?.program)
                expect(fs.existsSync(path.join(folder, "..", program, "main.go"))).toBe(true);
    },
);
