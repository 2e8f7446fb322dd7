import * as pulumi from "@pulumi/pulumi";
import type { RecipeArgs } from "../../../../components/kubernetesCluster/args";
import { checkKubernetesArgs } from "../../../../components/kubernetesCluster/check";
import { kubeletMaySet } from "../../../../components/kubernetesCluster/kubelet";
import { poolNodeNames } from "../../../../components/kubernetesCluster/names";

const right: RecipeArgs = {
    controlPlane: { members: { a: "10.1.1.21", b: "10.1.1.22", c: "10.1.1.23" }, serviceOffering: "Medium" },
    pools: {
        general: { count: 3, serviceOffering: "Large" },
        batch: {
            nodes: ["x", "y"],
            serviceOffering: "Large",
            labels: { "example.org/disk": "ssd", "node-role.kubernetes.io/batch": "" },
            taints: [{ key: "dedicated", value: "batch", effect: "NoSchedule" }],
        },
    },
    networkCidr: "10.1.1.0/24",
};

/** The problems with these changes, as `path: problem`. */
function problems(changes: Partial<RecipeArgs>, cluster = "demo"): string[] {
    return checkKubernetesArgs(cluster, { ...right, ...changes }).map(({ path, problem }) => `${path}: ${problem}`);
}

test("valid arguments have no problems", () => {
    expect(problems({})).toEqual([]);
    expect(
        problems({
            kubernetesVersion: "1.35.8",
            containerdVersion: "2.2.7",
            endpoint: { mode: "external", host: "api.example.org", port: 443 },
            operatorCidrs: ["203.0.113.0/24", "2001:db8::/32"],
            podNetwork: { backend: "wireguard", mtu: 1450 },
            pools: {},
        }),
    ).toEqual([]);
});

test("values that are not known yet are not checked", () => {
    const unknown = <T>() => pulumi.output(new Promise<T>(() => {}));
    expect(
        problems({
            kubernetesVersion: unknown<string>(),
            controlPlane: { members: { a: unknown<string>() }, serviceOffering: unknown<string>() },
            pools: {
                w: {
                    count: 1,
                    serviceOffering: "x",
                    labels: unknown<any>(),
                    taints: [{ key: "a", effect: unknown<string>() }],
                },
            },
            podCidr: unknown<string>(),
            endpoint: { mode: "cloudstackLoadBalancer", host: unknown<string>() },
            operatorCidrs: [unknown<string>()],
            artifacts: {
                mirror: unknown<string>(),
                imageArchives: ["images.tar"],
                manifest: { "images.tar": unknown<string>() },
            },
        }),
    ).toEqual([]);
});

test.each<[string, Partial<RecipeArgs>, string[]]>([
    ["version", { kubernetesVersion: "1.34.1" }, ['kubernetesVersion: "1.34.1" is not supported']],
    ["version that is no version", { kubernetesVersion: "v1.36.4" }, ['kubernetesVersion: "v1.36.4" is not supported']],
    ["patch without sums", { kubernetesVersion: "1.36.99" }, ["kubernetesVersion: kubelet 1.36.99 is unknown"]],
    ["containerd", { containerdVersion: "9.9.9" }, ["containerdVersion: containerd 9.9.9 is unknown"]],
    ["no control plane", { controlPlane: { members: {}, serviceOffering: "x" } }, ["controlPlane.members: is empty"]],
    [
        "addresses",
        {
            controlPlane: {
                members: { a: "10.1.1.300", b: "10.2.1.1", c: "10.1.1.255", d: "10.1.1.9", e: "10.1.1.9" },
                serviceOffering: "x",
            },
        },
        [
            'controlPlane.members.a: "10.1.1.300" is not an IPv4 address',
            "controlPlane.members.b: 10.2.1.1 cannot be the address of a machine in 10.1.1.0/24",
            "controlPlane.members.c: 10.1.1.255 cannot be the address of a machine in 10.1.1.0/24",
            "controlPlane.members.e: 10.1.1.9 is the address of d too",
        ],
    ],
    [
        "names",
        {
            controlPlane: { members: { A_1: "10.1.1.9" }, serviceOffering: "x" },
            pools: { ["p".repeat(60)]: { count: 1, serviceOffering: "x" } },
        },
        [
            'controlPlane.members.A_1: results in the invalid host name "demo-A_1"',
            `pools.${"p".repeat(60)}: results in the invalid host name "demo-${"p".repeat(60)}-0"`,
        ],
    ],
    [
        "pools",
        {
            pools: {
                none: { serviceOffering: "x" },
                both: { count: 1, nodes: ["a"], serviceOffering: "x" },
                half: { count: 1.5, serviceOffering: "x" },
                twice: { nodes: ["a", "a"], serviceOffering: "x" },
                a: { nodes: ["b-0"], serviceOffering: "x" },
                "a-b": { count: 1, serviceOffering: "x" },
            },
        },
        [
            "pools.none: has neither count nor nodes",
            "pools.both: has both count and nodes",
            "pools.half.count: 1.5 is not a number of nodes",
            'pools.twice.nodes[1]: "a" is a duplicate',
            "pools.a-b: names a node demo-a-b-0, as pool a does",
        ],
    ],
    [
        "labels and taints",
        {
            pools: {
                w: {
                    count: 1,
                    serviceOffering: "x",
                    labels: { "-a": "b", "x.org/ok": "not ok", "UPPER.org/a": "b" },
                    taints: [
                        { key: "", effect: "NoSchedule" },
                        { key: "a", effect: "Never" },
                        { key: "b", effect: "NoExecute" },
                        { key: "b", value: "c", effect: "NoExecute" },
                    ],
                },
            },
        },
        [
            'pools.w.labels["-a"]: "-a" is not a valid key',
            'pools.w.labels["x.org/ok"]: has the invalid value "not ok"',
            'pools.w.labels["UPPER.org/a"]: "UPPER.org/a" is not a valid key',
            'pools.w.taints[0].key: "" is not a valid key',
            'pools.w.taints[1].effect: "Never" is unknown',
            "pools.w.taints[3]: b with effect NoExecute is a duplicate",
        ],
    ],
    [
        "networks",
        { networkCidr: "10.1.1.5/24", podCidr: "10.96.0.0/12", serviceCidr: "10.96.0.0/29" },
        [
            "networkCidr: 10.1.1.5/24 has host bits set",
            "serviceCidr: 10.96.0.0/29 shares addresses with podCidr 10.96.0.0/12",
            "serviceCidr: is too small for the cluster's DNS service, which has the tenth address",
        ],
    ],
    [
        "machines among pods",
        { podCidr: "10.0.0.0/8", serviceCidr: "172.20.0.0/16" },
        ["podCidr: 10.0.0.0/8 shares addresses with networkCidr 10.1.1.0/24"],
    ],
    ["pods of one node", { podCidr: "172.20.0.0/24" }, ["podCidr: has room for one node"]],
    [
        "pod network",
        { podNetwork: { backend: "host-gw", mtu: 10 } },
        ['podNetwork.backend: "host-gw" is unknown', "podNetwork.mtu: 10 is not a valid MTU"],
    ],
    ["endpoint's mode", { endpoint: { mode: "vip" } }, ['endpoint.mode: "vip" is unknown']],
    [
        "endpoint of its own with a host",
        { endpoint: { host: "a.example.org", port: 6443 } },
        [
            "endpoint.host: cannot be set if endpoint.mode is nodeLocal",
            "endpoint.port: cannot be set if endpoint.mode is nodeLocal",
        ],
    ],
    ["endpoint without host", { endpoint: { mode: "dns" } }, ["endpoint.host: is required if endpoint.mode is dns"]],
    [
        "endpoint's host and port",
        { endpoint: { mode: "external", host: "https://a", port: 0 } },
        ['endpoint.host: "https://a" is not a host name or address', "endpoint.port: 0 is not a port"],
    ],
    [
        "audiences",
        { operatorCidrs: ["203.0.113.7"], sshCidrs: ["any"], nodePortCidrs: ["203.0.113.7/24"] },
        [
            'operatorCidrs[0]: "203.0.113.7" is not a network in CIDR notation',
            "nodePortCidrs[0]: 203.0.113.7/24 has host bits set",
            'sshCidrs[0]: "any" is not a network in CIDR notation',
        ],
    ],
    ["artifacts", { artifacts: { packages: "pip" } }, ['artifacts.packages: "pip" is unknown']],
])("%s", (_, changes, expected) => {
    expect(problems(changes)).toEqual(expected);
});

test("all problems are reported together, each with a remedy", () => {
    const all = checkKubernetesArgs("Demo", {
        controlPlane: { members: { a: "x" }, serviceOffering: "" },
        kubernetesVersion: "2",
        pools: { w: { serviceOffering: "" } },
        endpoint: { mode: "?" },
    });
    expect(all.map(({ path }) => path)).toEqual([
        "name",
        "kubernetesVersion",
        "controlPlane.members.a",
        "controlPlane.members.a",
        "pools.w",
        "endpoint.mode",
    ]);
    for (const { remedy } of all) expect(remedy).toMatch(/^[A-Z].*[^.]$/);
});

test("user data that is too long is reported before anything is created, with the largest files", () => {
    const [first, ...others] = checkKubernetesArgs("demo", { ...right, userDataMaxLength: 15_600 });
    expect(first.path).toBe("controlPlane");
    expect(first.problem).toMatch(
        /^user data of demo's control planes has [\d,]+ characters of base64, [\d,]+ more than the 15,600/,
    );
    expect(first.problem).toContain("/etc/kubernetes/addons/flannel.yaml");
    expect(others).toEqual([]);
    expect(checkKubernetesArgs("demo", { ...right, userDataMaxLength: 5_000 }).map(({ path }) => path)).toEqual([
        "controlPlane",
        "pools.general",
        "pools.batch",
    ]);
});

test("nodes are named after their pool and their number or name", () => {
    expect(poolNodeNames("demo", "general", { count: 2 })).toEqual({ "0": "demo-general-0", "1": "demo-general-1" });
    expect(poolNodeNames("demo", "batch", { nodes: ["x"] })).toEqual({ x: "demo-batch-x" });
});

test.each([
    ["example.org/a", true],
    ["plain", true],
    ["node.kubernetes.io/pool", true],
    ["a.kubelet.kubernetes.io/b", true],
    ["topology.kubernetes.io/zone", true],
    ["node-role.kubernetes.io/worker", false],
    ["node-restriction.kubernetes.io/a", false],
    ["x.k8s.io/a", false],
    ["notkubernetes.io/a", true],
])("a kubelet may set %s: %s", (label, may) => {
    expect(kubeletMaySet(label)).toBe(may);
});
