import { type CloudConfig, renderUserData } from "../../../../components/cloudInit";
import { etcdEnvironment, nodeEnvironment } from "../../../../components/etcdCluster/environment";
import { renderEtcdMember } from "../../../../components/etcdCluster/member";
import {
    certificateRequests,
    endpoints,
    type EtcdClusterSpec,
    memberName,
    placeholderCertificates,
} from "../../../../components/etcdCluster/spec";
import { ArgumentError } from "../../../../components/problems";
import { expectCleanScripts, expectCleanUnits, expectValidDocument } from "../../../support/documents";
import { testWithTools } from "../../../support/tools";
import { birth, cluster, member } from "./support";

const variants: Record<string, Partial<EtcdClusterSpec>> = {
    "3.6, three members": {},
    "3.5, three members": { version: "3.5.33" },
    "one member without a volume": { members: { a: "10.1.1.11" }, dataVolume: false },
    "everything set": {
        bootstrapWindowSeconds: 60,
        quotaGiB: 8,
        keepHourlySnapshots: 2,
        keepDailySnapshots: 3,
        defragmentPercent: 50,
        networkMetrics: true,
        convergeIntervalSeconds: 30,
        extraEnvironment: { ETCD_SNAPSHOT_COUNT: "5000" },
        artifacts: {
            mirror: "http://10.1.1.1/artifacts",
            manifest: { "etcd-v3.6.14-linux-amd64.tar.gz": "f".repeat(64) },
        },
        extraCloudConfig: {
            packages: ["htop"],
            writeFiles: [{ path: "/etc/motd", content: "hello\n" }],
            runcmd: ["true"],
        },
    },
};

const file = (doc: CloudConfig, path: string) => doc.writeFiles?.find((entry) => entry.path === path);

describe.each(Object.entries(variants))("%s", (_name, changes) => {
    const doc = renderEtcdMember(member(changes));

    // Scripts are the same everywhere and have tests of their own; the rest is what differs.
    test("matches the snapshot", () => {
        const short = doc.writeFiles?.map((entry) =>
            entry.permissions === "0755" || entry.path.endsWith("etcd-common.sh") || entry.path.includes("/pki/")
                ? { ...entry, content: "…" }
                : entry,
        );
        expect({ ...doc, writeFiles: short }).toMatchSnapshot();
    });

    testWithTools(["cloud-init"])("passes cloud-init's schema", () => expectValidDocument(doc));
    testWithTools(["shellcheck"])("its scripts pass shellcheck", () => expectCleanScripts(doc));
    testWithTools(["systemd-analyze"])("its units pass systemd-analyze", () => expectCleanUnits(doc));

    test("fits into user data, with room for a second authority and extra configuration", () => {
        expect(renderUserData(doc).length).toBeLessThan(25_000);
    });
});

test("the document is deterministic and differs between members", () => {
    expect(renderEtcdMember(member())).toEqual(renderEtcdMember(member()));
    expect(file(renderEtcdMember(member({}, "b")), "/etc/etcd/node.env")?.content).toContain("NAME=demo-etcd-b\n");
});

test("a member has only its own keys, and keys are not world-readable", () => {
    const doc = renderEtcdMember(member());
    const own = placeholderCertificates("a");
    const keys = (doc.writeFiles ?? []).filter(({ content }) => content.includes("PRIVATE KEY"));
    expect(keys.map(({ content }) => content).sort()).toEqual(
        [own.server, own.peer, own.client].map(({ privateKey }) => privateKey).sort(),
    );
    for (const { permissions, owner } of keys) expect([permissions, owner]).toEqual(["0640", "root:etcd"]);
    expect(file(doc, "/etc/etcd/pki/ca.crt")?.content).not.toBe(file(doc, "/etc/etcd/pki/peer-ca.crt")?.content);
});

test("a running machine applies all changes except the version, and restarts etcd only for files that are read at start", () => {
    const rules = (changes: Partial<EtcdClusterSpec>) =>
        file(renderEtcdMember(member(changes)), "/etc/cs/converge")?.content ?? "";
    const lines = rules({ extraCloudConfig: { writeFiles: [{ path: "/etc/motd", content: "x" }] } }).split("\n");
    const paths = (renderEtcdMember(member()).writeFiles ?? []).map(({ path }) => path);
    const followed = lines.map((line) => line.split(" ")[0]);
    // The machinery that follows is itself part of a reinstallation, as is the version.
    expect(paths.filter((path) => !followed.includes(path))).toEqual([
        "/etc/cs/artifacts",
        "/usr/local/sbin/cs-converge",
        "/etc/systemd/system/cs-converge.service",
        "/etc/systemd/system/cs-converge.timer",
    ]);
    expect(lines).toContain("/etc/motd");
    expect(lines).toContain("/etc/etcd/pki/server.crt");
    expect(lines).toContain("/etc/etcd/node.env");
    expect(
        lines
            .filter((line) => line.endsWith("etcd-safely restart"))
            .map((line) => line.split(" ")[0])
            .sort(),
    ).toEqual([
        "/etc/etcd/etcd.env",
        "/etc/etcd/pki/ca.crt",
        "/etc/etcd/pki/peer-ca.crt",
        "/etc/systemd/system/etcd.service",
    ]);
});

test("settings have the names of their version", () => {
    expect(etcdEnvironment(member({ version: "3.6.14" }))).toContain("ETCD_FEATURE_GATES=");
    expect(etcdEnvironment(member({ version: "3.6.14" }))).not.toContain("EXPERIMENTAL");
    expect(etcdEnvironment(member({ version: "3.5.33" }))).toContain("ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK=true");
    expect(etcdEnvironment(member({ version: "3.5.33" }))).not.toContain("FEATURE_GATES");
    expect(() => etcdEnvironment(member({ version: "3.4.1" }))).toThrow("etcd 3.4.1 is not one of 3.5, 3.6");
});

test("only founders may bootstrap the cluster, and removed founders are not listed", () => {
    const grown = { members: { ...cluster.members, d: "10.1.1.14", e: "10.1.1.15" } };
    const value = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1];
    const founders =
        "demo-etcd-a=https://10.1.1.11:2380,demo-etcd-b=https://10.1.1.12:2380,demo-etcd-c=https://10.1.1.13:2380";
    expect(value(nodeEnvironment(member(grown, "a")), "FOUNDERS")).toBe(founders);
    expect(value(nodeEnvironment(member(grown, "d")), "FOUNDERS")).toBe("");
    expect(value(nodeEnvironment(member(grown, "d")), "OTHERS")).toBe(
        '"https://10.1.1.11:2379 https://10.1.1.12:2379 https://10.1.1.13:2379 https://10.1.1.15:2379"',
    );
    const shrunk = { members: { a: "10.1.1.11" } };
    expect(value(nodeEnvironment(member(shrunk, "a")), "FOUNDERS")).toBe("demo-etcd-a=https://10.1.1.11:2380");
    expect(value(nodeEnvironment(member()), "WINDOW_END")).toBe(String(birth.opensAt + 900));
});

test("extra configuration must not replace files of the component", () => {
    const extraCloudConfig = { writeFiles: [{ path: "/etc/etcd/etcd.env", content: "" }] };
    expect(() => renderEtcdMember(member({ extraCloudConfig }))).toThrow(ArgumentError);
});

test("names, endpoints and certificates", () => {
    expect(memberName("demo", "a")).toBe("demo-etcd-a");
    expect(endpoints({ b: "10.1.1.12", a: "10.1.1.11" })).toEqual(["https://10.1.1.11:2379", "https://10.1.1.12:2379"]);
    expect(certificateRequests("demo", "a", "10.1.1.11")).toEqual({
        server: {
            commonName: "demo-etcd-a",
            dnsNames: ["demo-etcd-a", "localhost"],
            ipAddresses: ["10.1.1.11", "127.0.0.1"],
            usages: ["peer"],
        },
        peer: { commonName: "demo-etcd-a", dnsNames: ["demo-etcd-a"], ipAddresses: ["10.1.1.11"], usages: ["peer"] },
        client: { commonName: "demo-etcd-a-scripts", dnsNames: [], ipAddresses: [], usages: ["client"] },
    });
});
