import * as pulumi from "@pulumi/pulumi";
import { decodeUserData } from "../../../../components/cloudInit/userData";
import { EtcdCluster } from "../../../../components/etcdCluster";
import { KubernetesCluster, type KubernetesClusterArgs } from "../../../../components/kubernetesCluster";
import { type GroupKey, planRules, type RuleOptions } from "../../../../components/kubernetesCluster/rules";
import { look, problemsOf, type Run, run, unknown } from "../support";

/** An etcd that is run elsewhere. */
const elsewhere = {
    endpoints: ["https://10.9.0.1:2379"],
    caCertificate: "-----BEGIN CERTIFICATE-----\nZXRjZCBjYQ==\n-----END CERTIFICATE-----\n",
    clientCertificate: "-----BEGIN CERTIFICATE-----\nZXRjZCBjbGllbnQ=\n-----END CERTIFICATE-----\n",
    clientKey: "-----BEGIN PRIVATE KEY-----\nZXRjZCBrZXk=\n-----END PRIVATE KEY-----\n",
};
const right: KubernetesClusterArgs = {
    etcd: elsewhere,
    template: "Debian",
    controlPlane: { members: { a: "10.1.1.21", b: "10.1.1.22" }, serviceOffering: "Medium" },
    pools: {
        general: { count: 2, serviceOffering: "Large" },
        batch: {
            nodes: ["x", "y", "z"],
            serviceOffering: "Huge",
            labels: { kind: "batch" },
            taints: [{ key: "only", value: "batch", effect: "NoSchedule" }],
        },
    },
};
const cluster = (changes: Partial<KubernetesClusterArgs> = {}) => new KubernetesCluster("k", { ...right, ...changes });

/** An etcd of ours and a cluster on it, for the same people. */
function both(changes: Partial<KubernetesClusterArgs> = {}) {
    const { operatorCidrs, monitoringCidrs, sshCidrs } = changes;
    const etcd = new EtcdCluster("db", {
        members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
        serviceOffering: "Small",
        template: "Debian",
        operatorCidrs,
        sshCidrs,
        metricsCidrs: monitoringCidrs,
    });
    return cluster({ etcd, ...changes });
}

const document = ({ of }: Run<unknown>, machine: string) =>
    decodeUserData(of("VirtualMachine", machine).inputs.userDataBase64);
const nodes = [
    "k-control-plane-a",
    "k-control-plane-b",
    "k-general-0",
    "k-general-1",
    "k-batch-x",
    "k-batch-y",
    "k-batch-z",
];

/** Rules in words, a line for each source, sorted: as CloudStack holds them. */
function lines(ingress: any[], self: string): string[] {
    return ingress
        .flatMap(({ protocol = "tcp", ports, icmpType, icmpCode, cidrs = [], groups = [], self: own, ...rest }) => {
            expect(rest).toEqual({});
            const sources = [...cidrs, ...groups, ...(own ? [self] : [])];
            return sources.map((source) => `${protocol} ${ports ?? `${icmpType}/${icmpCode}`} ${source}`);
        })
        .sort();
}

const groupNames: Record<GroupKey, string> = {
    etcd: "dev-db-etcd",
    controlPlane: "dev-k-control-plane",
    workers: "dev-k-workers",
};

/** What the table says of a group, in the same words. */
function table(key: GroupKey, options: RuleOptions = {}): string[] {
    const planned = planRules(options)[key].map(({ why: _why, groups, ...rule }) => ({
        ...rule,
        groups: groups?.map((group) => groupNames[group]),
    }));
    return lines(planned, "");
}

/** What the groups let in, whichever resource says it. */
function made({ of, names }: Run<unknown>): Record<GroupKey, string[]> {
    const extra = (name: string) =>
        names("SecurityGroupRules").includes(name) ? of("SecurityGroupRules", name).inputs.ingress : [];
    for (const group of ["k-control-plane", "k-workers"])
        expect(of("SecurityGroup", group).inputs).not.toHaveProperty("ingress");
    return {
        etcd: lines([...extra("db"), ...extra("k-etcd")], groupNames.etcd),
        controlPlane: lines(extra("k-control-plane"), ""),
        workers: lines(extra("k-workers"), ""),
    };
}

test("the machines of both roles, their security groups, and the outputs", async () => {
    const all = await run(() =>
        both({ zone: "z", tags: { team: "x" }, workerVolume: { diskOffering: "Custom", sizeGiB: 7 } }),
    );
    expect(
        all
            .names("VirtualMachine")
            .filter((name) => name.startsWith("k-"))
            .sort(),
    ).toEqual([...nodes].sort());
    const {
        userDataBase64: _userData,
        affinityGroups,
        securityGroups,
        ...rest
    } = all.of("VirtualMachine", "k-control-plane-b").inputs;
    expect(rest).toEqual({
        name: "dev-k-b",
        owner: expect.stringMatching(/^team\/test\/dev\/k-control-plane-b#[0-9a-f]{8}$/),
        ipAddress: "10.1.1.22",
        serviceOffering: "Medium",
        template: "Debian",
        zone: "z",
        tags: { team: "x" },
        onTemplateChange: "reinstall",
        reinstallTrigger: "Kubernetes 1.36.4",
        rollingGroup: "control planes of dev-k",
        secretArguments: ["userDataBase64"],
    });
    const { urn, inputs } = all.of("SecurityGroupRules", "k-control-plane");
    expect([affinityGroups.length, securityGroups]).toEqual([1, [inputs.securityGroup]]);
    expect(urn).toContain("cloudstack:index:KubernetesCluster$");
    const worker = all.of("VirtualMachine", "k-batch-y").inputs;
    expect(worker).toMatchObject({ name: "dev-k-batch-y", serviceOffering: "Huge" });
    expect(worker.securityGroups).toEqual([all.of("SecurityGroupRules", "k-workers").inputs.securityGroup]);
    expect(all.of("Volume", "k-batch-y").inputs).toMatchObject({ sizeGiB: 7 });
    expect(all.names("Volume")).not.toContain("k-control-plane-a");
    const found = (await look(all.result.nodes)).value;
    expect(Object.keys(found).sort()).toEqual(
        all
            .names("VirtualMachine")
            .filter((name) => name.startsWith("k-"))
            .map((name) => all.of("VirtualMachine", name).inputs.name)
            .sort(),
    );
    expect(found["dev-k-a"]).toBe("10.1.1.21");
});

test.each<[string, RuleOptions & Partial<KubernetesClusterArgs>]>([
    ["nothing is open unasked", {}],
    ["operators", { operatorCidrs: ["192.0.2.0/24", "2001:db8::/32"] }],
    ["monitoring", { monitoringCidrs: ["192.0.2.0/24"] }],
    ["node ports", { nodePortCidrs: ["192.0.2.0/24"] }],
    ["ssh", { sshCidrs: ["192.0.2.0/24"] }],
])("rules are those of the table: %s", async (_what, options) => {
    const groups = made(await run(() => both(options as Partial<KubernetesClusterArgs>)));
    for (const key of ["etcd", "controlPlane", "workers"] as const) expect(groups[key]).toEqual(table(key, options));
});

test.each(["wireguard", "none"] as const)("rules of the pod network %s", async (backend) => {
    const groups = made(await run(() => both({ podNetwork: { backend } })));
    for (const key of ["etcd", "controlPlane", "workers"] as const)
        expect(groups[key]).toEqual(table(key, { podNetwork: backend }));
});

test("rules of the user are added, also if they are outputs", async () => {
    const extra = { ports: "443", cidrs: ["0.0.0.0/0"] };
    const groups = made(
        await run(() =>
            both({ extraRules: { workers: pulumi.output([extra]) }, operatorCidrs: pulumi.output(["192.0.2.0/24"]) }),
        ),
    );
    expect(groups.workers.filter((rule) => !table("workers").includes(rule))).toEqual(["tcp 443 0.0.0.0/0"]);
    expect(groups.controlPlane).toEqual(table("controlPlane", { operatorCidrs: ["192.0.2.0/24"] }));
});

test("an etcd managed elsewhere gets a rule only if its group is given", async () => {
    expect((await run(() => cluster())).names("SecurityGroupRules").sort()).toEqual(["k-control-plane", "k-workers"]);
    const named = await run(() =>
        cluster({ etcd: { ...elsewhere, securityGroupId: "0-0", securityGroupName: "theirs" } }),
    );
    expect(named.of("SecurityGroupRules", "k-etcd").inputs).toMatchObject({ securityGroup: "0-0" });
    expect(lines(named.of("SecurityGroupRules", "k-etcd").inputs.ingress, "")).toEqual([
        "icmp 3/4 dev-k-control-plane",
        "icmp 8/0 dev-k-control-plane",
        "tcp 2379 dev-k-control-plane",
    ]);
    expect(lines(named.of("SecurityGroupRules", "k-control-plane").inputs.ingress, "")).toContain("icmp 8/0 theirs");
});

test("no group is created if securityGroups is false", async () => {
    const { names, of } = await run(() => {
        const etcd = new EtcdCluster("db", {
            members: { a: "10.1.1.11" },
            serviceOffering: "Small",
            template: "Debian",
            securityGroups: false,
        });
        return cluster({ etcd, securityGroups: false });
    });
    expect([...names("SecurityGroup"), ...names("SecurityGroupRules")]).toEqual([]);
    for (const node of nodes) expect(of("VirtualMachine", node).inputs).not.toHaveProperty("securityGroups");
});

test("an etcd without a group gets no rules from a cluster with groups", async () => {
    const { names } = await run(() => {
        const etcd = new EtcdCluster("db", {
            members: { a: "10.1.1.11" },
            serviceOffering: "Small",
            template: "Debian",
            securityGroups: false,
        });
        return cluster({ etcd });
    });
    expect(names("SecurityGroupRules").sort()).toEqual(["k-control-plane", "k-workers"]);
});

test("etcd precedes the control planes, which precede the workers; machines of one kind are changed one at a time", async () => {
    const { resources, of } = await run(() => both());
    const order = resources.filter(({ kind }) => kind === "VirtualMachine").map(({ name }) => name);
    expect(order.slice(0, 5)).toEqual(["db-a", "db-b", "db-c", "k-control-plane-a", "k-control-plane-b"]);
    const kinds = [nodes.slice(0, 2), nodes.slice(2)].map((names) => names.map((name) => of("VirtualMachine", name)));
    for (const machines of kinds)
        for (const { dependencies } of machines)
            expect(dependencies.filter((urn) => machines.some((other) => other.urn === urn))).toEqual([]);
    const groups = kinds.map((machines) => [...new Set(machines.map(({ inputs }) => inputs.rollingGroup))]);
    expect(groups).toEqual([["control planes of dev-k"], ["workers of dev-k"]]);
});

test("the only private key of a worker is its own; secrets are marked as secret", async () => {
    const all = await run(() => both());
    const keysIn = (text: string) => text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END/g) ?? [];
    const workers = nodes.slice(2).map((name) => keysIn(document(all, name)));
    expect(workers.map((keys) => keys.length)).toEqual([1, 1, 1, 1, 1]);
    expect(new Set(workers.flat()).size).toBe(5);
    for (const plane of nodes.slice(0, 2))
        for (const key of workers.flat()) expect(document(all, plane)).not.toContain(key.split("\n")[1]);
    for (const name of all.names("VirtualMachine"))
        expect(all.of("VirtualMachine", name).secrets).toEqual(["userDataBase64"]);
    for (const output of [all.result.kubeconfig, all.result.kubeconfigs])
        expect((await look<any>(output)).secret).toBe(true);
    expect((await look(all.result.endpoint)).secret).toBe(false);
});

test("the key of an etcd managed elsewhere is made secret even if the program does not mark it", async () => {
    const all = await run(() => cluster());
    expect(document(all, "k-control-plane-a")).toContain("ZXRjZCBrZXk=");
    expect(document(all, "k-general-0")).not.toContain("ZXRjZCBrZXk=");
    expect(all.of("VirtualMachine", "k-control-plane-a").secrets).toEqual(["userDataBase64"]);
});

test("kubeconfigs have the URL of each control plane, or that of the endpoint", async () => {
    const { result } = await run(() => cluster());
    expect((await look(result.endpoint)).value).toBe("https://10.1.1.21:6443");
    expect((await look(result.kubeconfig)).value).toContain("server: https://10.1.1.21:6443");
    const each = (await look(result.kubeconfigs)).value;
    expect(Object.keys(each)).toEqual(["dev-k-a", "dev-k-b"]);
    expect(each["dev-k-b"]).toContain("server: https://10.1.1.22:6443");
    const named = await run(() => cluster({ endpoint: { mode: "dns", host: "api.example.org" } }));
    expect((await look(named.result.kubeconfig)).value).toContain("server: https://api.example.org:6443");
});

test("machines check for changes at the configured interval", async () => {
    const all = await run(() => cluster({ convergeIntervalSeconds: pulumi.output(77) }));
    for (const node of ["k-control-plane-a", "k-general-0"]) expect(document(all, node)).toMatch(/OnUnit\w+=77/);
});

test("extra cloud-init configuration applies to the machines of its group only", async () => {
    const motd = (content: string) => ({ writeFiles: [{ path: "/etc/motd", content }] });
    const all = await run(() =>
        cluster({
            controlPlane: { ...right.controlPlane, extraCloudConfig: motd("control plane\n") },
            pools: {
                general: { count: 1, serviceOffering: "x", extraCloudConfig: motd("general\n") },
                batch: { count: 1, serviceOffering: "x" },
            },
        }),
    );
    expect(document(all, "k-control-plane-a")).toMatch(/path: \/etc\/motd\n\s+content: \|\n\s+control plane/);
    expect(document(all, "k-general-0")).toMatch(/path: \/etc\/motd\n\s+content: \|\n\s+general/);
    expect(document(all, "k-batch-0")).not.toContain("/etc/motd");
});

test("removing a node from the middle, or a whole pool, changes no other machine", async () => {
    const urns = async (pools: KubernetesClusterArgs["pools"]) =>
        (await run(() => cluster({ pools }))).resources.map(({ urn }) => urn);
    const { general, batch } = right.pools!;
    const before = await urns(right.pools);
    const gone = async (pools: KubernetesClusterArgs["pools"]) => {
        const after = await urns(pools);
        expect(after.filter((urn) => !before.includes(urn))).toEqual([]);
        return before
            .filter((urn) => !after.includes(urn))
            .map((urn) => urn.replace(/.*[:$](\w+)::/, "$1 "))
            .sort();
    };
    expect(await gone({ general, batch: { ...batch, nodes: ["x", "z"] } })).toEqual([
        "Certificate k-batch-y",
        "VirtualMachine k-batch-y",
    ]);
    expect(await gone({ general: { ...general, count: 1 }, batch })).toEqual([
        "Certificate k-general-1",
        "VirtualMachine k-general-1",
    ]);
    expect((await gone({ batch })).length).toBe(6);
});

test("a preview in which no output is known succeeds", async () => {
    const { result, names } = await run(
        () =>
            cluster({
                etcd: {
                    endpoints: unknown<string[]>(),
                    caCertificate: unknown<string>(),
                    clientCertificate: unknown<string>(),
                    clientKey: unknown<string>(),
                    securityGroupId: unknown<string>(),
                },
                template: unknown<string>(),
                kubernetesVersion: unknown<string>(),
                controlPlane: {
                    members: { a: unknown<string>() },
                    serviceOffering: unknown<string>(),
                    extraCloudConfig: unknown<object>(),
                },
                pools: {
                    w: {
                        count: 1,
                        serviceOffering: unknown<string>(),
                        labels: unknown<any>(),
                        taints: [unknown<any>()],
                    },
                },
                endpoint: { mode: "dns", host: unknown<string>() },
                podCidr: unknown<string>(),
                operatorCidrs: unknown<string[]>(),
                nodePortCidrs: [unknown<string>()],
                timeServers: unknown<string[]>(),
                registryMirrors: { "docker.io": unknown<string[]>() },
                artifacts: { mirror: unknown<string>() },
                userDataMaxLength: unknown<number>(),
            }),
        { preview: true },
    );
    expect(names("VirtualMachine").sort()).toEqual(["k-control-plane-a", "k-w-0"]);
    expect(await look(result.kubeconfig)).toMatchObject({ known: false, secret: true });
    expect((await look(result.nodes)).known).toBe(false);
});

test("all problems are reported together, before anything is created", async () => {
    const wrong: any = {
        etcd: { ...elsewhere, clientKey: undefined },
        controlPlane: { members: { a: "10.1.1.256", "general-0": "10.1.1.23" } },
        pools: {
            general: { count: 1, serviceOffering: "Large", lables: {} },
            bad: { count: "4", serviceOffering: "Large", taints: [{ key: "a" }] },
            empty: { serviceOffering: "Large" },
            "control-plane": { count: 1, serviceOffering: "Large", extraCloudConfig: { users: [{ name: "Root" }] } },
            none: null,
        },
        kubernetesVersion: "1.2.3",
        networkCidr: "10.1.1.0/24",
        podCidr: "10.1.0.0/16",
        operatorCidrs: ["everybody"],
        sshCidrs: [10],
        endpoint: { mode: "magic" },
        convergeIntervalSeconds: 5,
        extraRules: { controlPlane: [{ protocol: "gre" }], pools: [] },
        workerVolume: { sizeGiB: 5 },
        spread: "wide",
        securityGroups: "no",
    };
    const problems = await problemsOf(() => new KubernetesCluster("k", wrong));
    expect(problems.sort()).toEqual(
        [
            "etcd.clientKey: is missing",
            "template: is missing",
            "controlPlane.serviceOffering: is missing",
            'controlPlane.members.a: "10.1.1.256" is not an IPv4 address',
            "pools.general: names a node dev-k-general-0, as the control plane does",
            "pools.general.lables: is not a known argument",
            'pools.bad.count: "4" is not a number',
            "pools.bad.taints[0].effect: is missing",
            "pools.empty: has neither count nor nodes",
            "pools.control-plane: has resources with the same names as the control plane's",
            'pools.control-plane.extraCloudConfig.users[0].name: "Root" is not a user name',
            "pools.none: is missing",
            'kubernetesVersion: "1.2.3" is not supported',
            "podCidr: 10.1.0.0/16 shares addresses with networkCidr 10.1.1.0/24",
            'operatorCidrs[0]: "everybody" is not a network in CIDR notation',
            "sshCidrs[0]: 10 is not a string",
            'endpoint.mode: "magic" is unknown',
            "convergeIntervalSeconds: 5 is out of range",
            'extraRules.controlPlane[0].protocol: "gre" is not tcp, udp, icmp, all or the number of a protocol',
            "extraRules.pools: is not a known argument",
            "workerVolume.diskOffering: is missing",
            'spread: "wide" is not one of preferred, strict, none',
            'securityGroups: "no" is not true or false',
        ].sort(),
    );
});

test("user data that is too long is reported before anything is created", async () => {
    const content = Array.from({ length: 30_000 }, (_, i) => (i * 7 * 2_654_435_761).toString(36))
        .join("")
        .slice(0, 60_000);
    const extraCloudConfig = { writeFiles: [{ path: "/etc/large", content }] };
    const problems = await problemsOf(() =>
        cluster({
            controlPlane: { ...right.controlPlane, extraCloudConfig },
            pools: { ...right.pools, general: { count: 1, serviceOffering: "Large", extraCloudConfig } },
        }),
    );
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(" has")))).toEqual([
        "controlPlane: user data of dev-k's control planes",
        "pools.general: user data of dev-k's pool general",
    ]);
    for (const problem of problems) expect(problem).toMatch(/32,768[\s\S]*\/etc\/large: 60,000 bytes/);
});

test("wrong types, which JavaScript does not reject, are reported too", async () => {
    const make = (args?: any) => problemsOf(() => new KubernetesCluster("k", args));
    expect(await make()).toEqual(["etcd: is missing", "controlPlane: is missing", "template: is missing"]);
    expect(await make({ ...right, controlPlane: {} })).toEqual([
        "controlPlane.members: is missing",
        "controlPlane.serviceOffering: is missing",
    ]);
    expect(await make({ ...right, controlPlane: { members: {}, serviceOffering: "x" } })).toEqual([
        "controlPlane.members: is empty",
    ]);
    expect(await make({ ...right, pools: pulumi.output({}) })).toEqual([
        "pools: is an output, and resources are named after it",
    ]);
    expect(await make({ ...right, pools: { w: { count: pulumi.output(3), serviceOffering: "x" } } })).toEqual([
        "pools.w.count: is an output, and resources are named after it",
    ]);
});
