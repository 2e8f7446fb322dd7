import {
    buildOf,
    architectures,
    artifactNames,
    type Artifacts,
    checkArtifacts,
    checkVersion,
    distributionPackages,
    fetchScript,
    renderFetch,
    renderPlan,
    resolveArtifact,
    supportedVersions,
} from "../../../../components/artifacts";

const sum = "a".repeat(64);

test("every release file has a URL, a sum and a unique name", () => {
    const all = artifactNames.flatMap((name) =>
        supportedVersions(name).flatMap((version) => architectures.map((arch) => resolveArtifact(name, version, arch))),
    );
    expect(all.length).toBeGreaterThan(60);
    for (const artifact of all) {
        expect(artifact.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(artifact.url).toMatch(/^https:\/\/(github\.com|dl\.k8s\.io)\/\S+$/);
        expect(artifact.url + artifact.fileName).not.toMatch(/[{}]/);
    }
    expect(new Set(all.map(({ fileName }) => fileName)).size).toBe(all.length);
    expect(new Set(all.map(({ url }) => url)).size).toBe(all.length);
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(all.length);
});

test("official URLs", () => {
    const urls = artifactNames.map((name) => resolveArtifact(name, supportedVersions(name).at(-1)!, "amd64").url);
    expect(urls).toMatchInlineSnapshot(`
[
  "https://github.com/etcd-io/etcd/releases/download/v3.6.14/etcd-v3.6.14-linux-amd64.tar.gz",
  "https://github.com/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-linux-amd64.tar.gz",
  "https://github.com/opencontainers/runc/releases/download/v1.4.3/runc.amd64",
  "https://github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz",
  "https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.36.0/crictl-v1.36.0-linux-amd64.tar.gz",
  "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet",
  "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubeadm",
  "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubectl",
]
`);
});

test("the default versions of clusters are included", () => {
    expect(supportedVersions("etcd")).toEqual(expect.arrayContaining(["3.5.33", "3.6.14"]));
    for (const name of ["kubelet", "kubeadm", "kubectl"] as const)
        expect(supportedVersions(name)).toEqual(expect.arrayContaining(["1.35.8", "1.36.4"]));
});

test("a mirror changes the URL, a manifest the sum", () => {
    const mirrored = resolveArtifact("kubelet", "1.36.4", "amd64", { mirror: "http://10.1.1.1/artifacts/" });
    expect(mirrored).toMatchObject({
        fileName: "kubelet-v1.36.4-linux-amd64",
        url: "http://10.1.1.1/artifacts/kubelet-v1.36.4-linux-amd64",
    });
    expect(mirrored.sha256).toBe(resolveArtifact("kubelet", "1.36.4", "amd64").sha256);
    const own = resolveArtifact("etcd", "3.6.14", "amd64", { manifest: { "etcd-v3.6.14-linux-amd64.tar.gz": sum } });
    expect(own).toMatchObject({ sha256: sum, url: expect.stringContaining("https://github.com/etcd-io/") });
});

test("the error of an unknown version lists the known ones, unless the manifest has its sum", () => {
    expect(() => resolveArtifact("etcd", "9.9.9", "arm64")).toThrow(
        "etcd 9.9.9 for arm64 is unknown. Supported versions: 3.5.32, 3.5.33, 3.6.13, 3.6.14; " +
            "for another version, put etcd-v9.9.9-linux-arm64.tar.gz",
    );
    expect(
        resolveArtifact("etcd", "9.9.9", "arm64", { manifest: { "etcd-v9.9.9-linux-arm64.tar.gz": sum } }).sha256,
    ).toBe(sum);
    expect(checkVersion("etcd", "3.6.14", {}, "version")).toEqual([]);
    expect(checkVersion("etcd", "9.9.9", { inTemplate: true }, "version")).toEqual([]);
    expect(checkVersion("etcd", "9.9.9", {}, "version")).toMatchObject([
        { path: "version", problem: "etcd 9.9.9 is unknown" },
    ]);
});

test("every problem of the arguments is reported, with its path", () => {
    const wrong: Artifacts = {
        mirror: "ftp://x",
        manifest: { ok: sum, "a/b": sum, short: "abc" },
        packages: "somewhere",
        imageArchives: ["missing.tar", "ok"],
        controlPlaneImageArchives: ["missing.tar"],
        packageFiles: ["x.deb"],
    };
    expect(checkArtifacts(wrong).map(({ path }) => path)).toEqual([
        "artifacts.mirror",
        'artifacts.manifest["a/b"]',
        'artifacts.manifest["short"]',
        "artifacts.packages",
        "artifacts.packages",
        "artifacts.imageArchives[0]",
        "artifacts.controlPlaneImageArchives[0]",
        "artifacts.packageFiles[0]",
    ]);
    expect(checkArtifacts({ packages: "mirror" })).toMatchObject([{ path: "artifacts.packageFiles" }]);
    expect(checkArtifacts({ imageArchives: ["x"] })).toMatchObject([
        { path: "artifacts.imageArchives[0]", remedy: "Set artifacts.mirror" },
    ]);
    expect(checkArtifacts({})).toEqual([]);
});

test("a build is identified by its version, and by sums that are not the official ones", () => {
    const name = "etcd-v3.6.14-linux-amd64.tar.gz";
    const official = resolveArtifact("etcd", "3.6.14", "amd64").sha256;
    expect(buildOf("etcd", "3.6.14")).toBe("3.6.14");
    expect(buildOf("etcd", "3.6.14", { manifest: { [name]: official } })).toBe("3.6.14");
    expect(buildOf("etcd", "3.6.14", { manifest: { [name]: "ab".repeat(32) } })).toBe("3.6.14 abababababababab");
    expect(buildOf("etcd", "3.6.14", { manifest: { [name]: "ab".repeat(32) }, inTemplate: true })).toBe("3.6.14");
});

test("the plan has a line per program and architecture", () => {
    expect(renderPlan({ etcd: "3.6.14", runc: "1.4.3" })).toMatchInlineSnapshot(`
"amd64 ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5 https://github.com/etcd-io/etcd/releases/download/v3.6.14/etcd-v3.6.14-linux-amd64.tar.gz tar:1 /usr/local/bin etcd etcdctl etcdutl
arm64 fa1b80565ee6fc2df1ae6f57a508b221f3ecc7d591c317c581cd8281b0842b3e https://github.com/etcd-io/etcd/releases/download/v3.6.14/etcd-v3.6.14-linux-arm64.tar.gz tar:1 /usr/local/bin etcd etcdctl etcdutl
amd64 f6ae8efc0fa40079e1475e97cbe9d1bd3f106a28d6af78a11d9f1bd565515e60 https://github.com/opencontainers/runc/releases/download/v1.4.3/runc.amd64 program /usr/local/sbin/runc
arm64 633301e2e32f8a5ad54031aab4901eb00308bec677dd15faa2751e8f9dab5ca4 https://github.com/opencontainers/runc/releases/download/v1.4.3/runc.arm64 program /usr/local/sbin/runc
"
`);
    expect(renderPlan({ etcd: "3.6.14" }, { inTemplate: true })).toBe("");
    expect(() => renderPlan({ etcd: "1" })).toThrow("etcd 1 for amd64 is unknown");
});

test("a mirror with one architecture results in a plan for this one", () => {
    const args: Artifacts = { mirror: "http://m", manifest: { "etcd-v4.0.0-linux-arm64.tar.gz": sum } };
    expect(renderPlan({ etcd: "4.0.0" }, args)).toBe(
        `arm64 ${sum} http://m/etcd-v4.0.0-linux-arm64.tar.gz tar:1 /usr/local/bin etcd etcdctl etcdutl\n`,
    );
});

test("packages and images of a mirror are fetched, packages of the distribution are installed by name", () => {
    const args: Artifacts = {
        mirror: "http://m",
        manifest: { "haproxy_3.deb": sum, "images.tar": sum },
        packages: "mirror",
        packageFiles: ["haproxy_3.deb"],
        inTemplate: true,
    };
    expect(renderPlan({}, args, ["images.tar"])).toBe(
        `any ${sum} http://m/haproxy_3.deb package /var/cache/cs/haproxy_3.deb\n` +
            `any ${sum} http://m/images.tar data /var/lib/cs/images/images.tar\n`,
    );
    expect(renderPlan({}, args)).not.toContain("images.tar");
    expect(distributionPackages(["haproxy"], args)).toEqual([]);
    expect(distributionPackages(["haproxy"], { packages: "template" })).toEqual([]);
    expect(distributionPackages(["haproxy"])).toEqual(["haproxy"]);
});

test("a machine has the script, the unit and the plan", () => {
    const files = renderFetch({ etcd: "3.6.14" });
    expect(files.map(({ path }) => path)).toEqual([
        "/usr/local/sbin/cs-fetch",
        "/etc/systemd/system/cs-fetch.service",
        "/etc/cs/artifacts",
    ]);
    expect(files[0].content).toBe(fetchScript);
});
