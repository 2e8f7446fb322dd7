import { checkEtcdCluster, type EtcdCheckArgs } from "../../../../components/etcdCluster/check";
import { etcdRules } from "../../../../components/etcdCluster/rules";
import { cluster } from "./support";

const paths = (changes: Partial<EtcdCheckArgs>) => checkEtcdCluster({ ...cluster, ...changes }).map(({ path }) => path);

test("valid arguments have no problems", () => {
    expect(checkEtcdCluster(cluster)).toEqual([]);
    expect(
        paths({
            members: { a: "10.1.1.11" },
            version: "3.5.33",
            operatorCidrs: ["203.0.113.0/24", "2001:db8::/32"],
            quotaGiB: 8,
        }),
    ).toEqual([]);
});

test("an even number of members is rejected, with a remedy", () => {
    expect(
        checkEtcdCluster({ ...cluster, members: { a: "10.1.1.1", b: "10.1.1.2", c: "10.1.1.3", d: "10.1.1.4" } }),
    ).toEqual([
        { path: "members", problem: "has 4 members, which tolerate no more failures than 3", remedy: "Use 3 or 5" },
    ]);
    expect(paths({ members: {} })).toEqual(["members"]);
    const nine = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, `10.1.1.${i + 1}`]));
    expect(paths({ members: nine })).toEqual(["members"]);
});

test("addresses and keys", () => {
    const problems = checkEtcdCluster({
        ...cluster,
        members: {
            a: "10.1.1.11",
            b: "10.1.1.11",
            c: "10.1.1.300",
            d: "fd00::1",
            e: "127.0.0.1",
            f_: "10.1.1.16",
            ["g".repeat(60)]: "10.1.1.17",
        },
    });
    expect(problems.map(({ path }) => path)).toEqual([
        "members.b",
        "members.c",
        "members.d",
        "members.e",
        "members.f_",
        `members.${"g".repeat(60)}`,
    ]);
    expect(problems[0].problem).toBe("10.1.1.11 is the address of a too");
});

test("all problems are reported together", () => {
    expect(
        paths({
            name: "Demo_1",
            members: { a: "x", b: "10.1.1.12" },
            version: "3.7.1",
            bootstrapWindowSeconds: 1.5,
            quotaGiB: 0,
            keepHourlySnapshots: 0,
            defragmentPercent: 100,
            convergeIntervalSeconds: 1,
            extraEnvironment: {
                PATH: "x",
                ETCD_NAME: "x",
                ETCD_INITIAL_CLUSTER_STATE: "new",
                ETCD_LOG_LEVEL: "$(x)",
                ETCD_SNAPSHOT_COUNT: "5",
            },
            operatorCidrs: ["10.0.0.0", "10.0.0.0/33", "0.0.0.0/0"],
            artifacts: { mirror: "x" },
            extraCloudConfig: { writeFiles: [{ path: "x", content: "" }] },
        }),
    ).toEqual([
        "members",
        "name",
        "members.a",
        "version",
        "bootstrapWindowSeconds",
        "quotaGiB",
        "keepHourlySnapshots",
        "defragmentPercent",
        "convergeIntervalSeconds",
        "extraEnvironment.PATH",
        "extraEnvironment.ETCD_NAME",
        "extraEnvironment.ETCD_INITIAL_CLUSTER_STATE",
        "extraEnvironment.ETCD_LOG_LEVEL",
        "operatorCidrs[0]",
        "operatorCidrs[1]",
        "artifacts.mirror",
        "extraCloudConfig.writeFiles[0].path",
    ]);
});

test("the problem of an unknown version lists the known ones; a manifest makes it known", () => {
    expect(checkEtcdCluster({ ...cluster, version: "3.6.1" })).toMatchObject([
        { path: "version", remedy: expect.stringContaining("3.5.33, 3.6.13, 3.6.14") },
    ]);
    const manifest = { "etcd-v3.6.1-linux-amd64.tar.gz": "f".repeat(64) };
    expect(paths({ version: "3.6.1", artifacts: { manifest } })).toEqual([]);
});

describe("rules", () => {
    const brief = (args?: Parameters<typeof etcdRules>[0]) =>
        etcdRules(args).map(({ protocol, port, icmpType, icmpCode, from }) =>
            [protocol, port ?? `${icmpType}/${icmpCode}`, "group" in from ? from.group : from.cidr].join(" "),
        );

    test("by default only members may connect to each other", () => {
        expect(brief()).toEqual(["tcp 2380 etcd", "tcp 2379 etcd", "icmp 3/4 etcd", "icmp 8/0 etcd"]);
    });

    test("clients may connect to the client port and not to the peer port; everything else needs an argument", () => {
        expect(
            brief({
                clients: true,
                operatorCidrs: ["203.0.113.7/32", "203.0.113.7/32"],
                metricsCidrs: ["10.9.0.0/16"],
                sshCidrs: ["10.8.0.0/16"],
            }),
        ).toEqual([
            "tcp 2380 etcd",
            "tcp 2379 etcd",
            "tcp 2379 clients",
            "tcp 2379 203.0.113.7/32",
            "tcp 2381 10.9.0.0/16",
            "tcp 22 10.8.0.0/16",
            "icmp 3/4 etcd",
            "icmp 8/0 etcd",
            "icmp 3/4 clients",
            "icmp 8/0 clients",
        ]);
    });

    test("each has a reason", () => {
        for (const { reason } of etcdRules({ clients: true })) expect(reason).not.toBe("");
    });
});
