import * as pulumi from "@pulumi/pulumi";
import { decodeUserData } from "../../../../components/cloudInit/userData";
import { EtcdCluster, type EtcdClusterArgs } from "../../../../components/etcdCluster";
import { look, problemsOf, type Run, run, unknown } from "../support";

const right: EtcdClusterArgs = {
    members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
    serviceOffering: "Small",
    template: "Debian",
};
const cluster = (changes: Partial<EtcdClusterArgs> = {}) => new EtcdCluster("db", { ...right, ...changes });

/** The user data of a member as text. */
const document = ({ of }: Run<unknown>, key: string) =>
    decodeUserData(of("VirtualMachine", `db-${key}`).inputs.userDataBase64);

/** The rules of the members' group, a line each. */
function rules({ of }: Run<unknown>): string[] {
    const { ingress } = of("SecurityGroupRules", "db").inputs;
    return ingress.map(({ protocol, ports, icmpType, icmpCode, cidrs = [], groups = [], self, ...rest }: any) => {
        expect(rest).toEqual({});
        return [protocol, ports ?? `${icmpType}/${icmpCode}`, ...cidrs, ...groups, ...(self ? ["self"] : [])].join(" ");
    });
}

const least = ["tcp 2380 self", "tcp 2379 self", "icmp 3/4 self", "icmp 8/0 self"];

test("members have a fixed address, their name and the group, and are reinstalled for another template", async () => {
    const made = await run(() =>
        cluster({ zone: "z", project: "p", network: "n", sshKeyPairs: ["k"], spread: "strict" }),
    );
    const { inputs, secrets } = made.of("VirtualMachine", "db-b");
    const { userDataBase64, affinityGroups, securityGroups, ...rest } = inputs;
    expect(rest).toEqual({
        name: "dev-db-etcd-b",
        owner: expect.stringMatching(/^team\/test\/dev\/db-b#[0-9a-f]{8}$/),
        ipAddress: "10.1.1.12",
        serviceOffering: "Small",
        template: "Debian",
        zone: "z",
        project: "p",
        network: "n",
        sshKeyPairs: ["k"],
        onTemplateChange: "reinstall",
        reinstallTrigger: "etcd 3.6.14",
        secretArguments: ["userDataBase64"],
    });
    expect(made.of("AffinityGroup", "db").inputs.type).toBe("host anti-affinity");
    expect([affinityGroups.length, securityGroups]).toEqual([1, [(await look(made.result.securityGroupId!)).value]]);
    expect(secrets).toEqual(["userDataBase64"]);
    expect(userDataBase64.length).toBeLessThan(32_768);
    expect((await look(made.result.endpoints)).value).toEqual([
        "https://10.1.1.11:2379",
        "https://10.1.1.12:2379",
        "https://10.1.1.13:2379",
    ]);
    expect((await look(made.result.members)).value).toEqual({
        "dev-db-etcd-a": "10.1.1.11",
        "dev-db-etcd-b": "10.1.1.12",
        "dev-db-etcd-c": "10.1.1.13",
    });
});

test("members are changed one after another, including their disks", async () => {
    const made = await run(() => cluster({ dataVolume: { diskOffering: "Custom", sizeGiB: 20 } }));
    const urn = (kind: string, key: string) => made.of(kind, `db-${key}`).urn;
    for (const [before, after] of ["ab", "bc"])
        expect(made.of("VirtualMachine", `db-${after}`).dependencies).toEqual(
            expect.arrayContaining([urn("EtcdMember", before)]),
        );
    // The gate behind each, which knows when its etcd is well; one before all, and one that guards all.
    for (const key of "abc")
        expect(made.of("EtcdMember", `db-${key}`).dependencies).toEqual(
            expect.arrayContaining([urn("VirtualMachine", key), urn("Volume", key)]),
        );
    expect(made.of("VirtualMachine", "db-a").dependencies).toContain(made.of("EtcdQuorum", "db").urn);
    expect(made.of("EtcdHealth", "db").dependencies).toEqual(
        expect.arrayContaining([..."abc"].flatMap((key) => [urn("EtcdMember", key), urn("Volume", key)])),
    );
    expect(made.of("VirtualMachine", "db-a").dependencies).not.toContain(urn("VirtualMachine", "b"));
});

test("the group allows only the needed connections, and those of each argument", async () => {
    expect(rules(await run(() => cluster())).sort()).toEqual([...least].sort());
    const open = async (changes: Partial<EtcdClusterArgs>) =>
        rules(await run(() => cluster(changes))).filter((rule) => !least.includes(rule));
    expect(await open({ operatorCidrs: ["192.0.2.0/24"] })).toEqual(["tcp 2379 192.0.2.0/24"]);
    expect(await open({ metricsCidrs: ["192.0.2.0/24"] })).toEqual(["tcp 2381 192.0.2.0/24"]);
    expect(await open({ sshCidrs: ["192.0.2.7/32", "2001:db8::/32"] })).toEqual([
        "tcp 22 192.0.2.7/32",
        "tcp 22 2001:db8::/32",
    ]);
    expect(await open({ clientGroups: ["apps"] })).toEqual(["tcp 2379 apps", "icmp 3/4 apps", "icmp 8/0 apps"]);
    expect(await open({ extraRules: [{ ports: "9100", cidrs: ["192.0.2.0/24"] }] })).toEqual([" 9100 192.0.2.0/24"]);
});

test("lists may be outputs, and metrics are served on the network only if metricsCidrs is set", async () => {
    const made = await run(() =>
        cluster({ metricsCidrs: pulumi.output(["192.0.2.0/24"]), clientGroups: [pulumi.output("apps")] }),
    );
    expect(rules(made)).toEqual(expect.arrayContaining(["tcp 2381 192.0.2.0/24", "tcp 2379 apps"]));
    expect(document(made, "a")).toContain("http://10.1.1.11:2381");
    expect(document(await run(() => cluster({ metricsCidrs: [] })), "a")).not.toContain("http://10.1.1.11:2381");
});

test("no group is created or used if securityGroups is false", async () => {
    const made = await run(() => cluster({ securityGroups: false }));
    expect(made.names("SecurityGroup")).toEqual([]);
    expect(made.of("VirtualMachine", "db-a").inputs).not.toHaveProperty("securityGroups");
    expect([made.result.securityGroupId, made.result.securityGroupName]).toEqual([undefined, undefined]);
});

test("keys are secret, and each member has only its own", async () => {
    const made = await run(() => cluster());
    const { result, resources } = made;
    expect(await look(result.clientKey)).toMatchObject({
        secret: true,
        value: expect.stringMatching(/^-----BEGIN PRI/),
    });
    expect(await look(result.caCertificate)).toMatchObject({ secret: false });
    for (const { inputs, secrets } of resources.filter(({ kind }) => kind === "Certificate")) {
        expect(inputs.caPrivateKey).toMatch(/^-----BEGIN PRIVATE KEY/);
        expect(secrets).toContain("caPrivateKey");
    }
    const keys = (key: string) => document(made, key).match(/-----BEGIN PRIVATE KEY-----[\s\S]*?-----END/g)!;
    const all = ["a", "b", "c"].flatMap(keys);
    expect(all.length).toBe(9);
    expect(new Set(all).size).toBe(9);
    const authorities = resources.filter(({ kind }) => kind === "Certificate").map(({ inputs }) => inputs.caPrivateKey);
    for (const key of [...authorities, (await look(result.clientKey)).value])
        for (const member of ["a", "b", "c"]) expect(document(made, member)).not.toContain(key.split("\n")[1]);
});

test("removing a member does not change the resources of the others", async () => {
    const members = { ...right.members, d: "10.1.1.14", e: "10.1.1.15" };
    const before = (await run(() => cluster({ members }))).resources.map(({ urn }) => urn);
    const after = (await run(() => cluster())).resources.map(({ urn }) => urn);
    expect(after.filter((urn) => !before.includes(urn))).toEqual([]);
    const names = before.filter((urn) => !after.includes(urn)).map((urn) => urn.slice(urn.lastIndexOf(":") + 1));
    const own = (key: string) => ["", "", "-client", "-peer", "-server"].map((part) => `db-${key}${part}`);
    expect(names.sort()).toEqual([...own("d"), ...own("e")]);
});

test("a preview in which no output is known succeeds", async () => {
    const { result, names } = await run(
        () =>
            cluster({
                members: { a: unknown<string>() },
                serviceOffering: unknown<string>(),
                version: unknown<string>(),
                operatorCidrs: unknown<string[]>(),
                clientGroups: [unknown<string>()],
                quotaGiB: unknown<number>(),
                userDataMaxLength: unknown<number>(),
                extraEnvironment: { ETCD_SNAPSHOT_COUNT: unknown<string>() },
                extraCloudConfig: { packages: [unknown<string>()] },
                artifacts: unknown<object>(),
            }),
        { preview: true },
    );
    expect(names("VirtualMachine")).toEqual(["db-a"]);
    expect((await look(result.endpoints)).known).toBe(false);
    expect(await look(result.clientKey)).toMatchObject({ known: false });
});

test("all problems are reported together, before anything is created", async () => {
    const wrong: any = {
        members: { a: "10.1.1.11", B: "10.1.1.11", c: 7 },
        template: "Debian",
        name: "Dev",
        version: "2.3.8",
        quotaGiB: 100,
        keepDailySnapshots: "7",
        operatorCidrs: ["10.0.0.0"],
        metricsCidrs: "10.0.0.0/8",
        extraEnvironment: { ETCD_NAME: "x" },
        extraRules: [{ ports: "http", cidrs: ["everybody"] }],
        extraCloudConfig: { writeFiles: [{ path: "motd", content: "" }] },
        dataVolme: {},
        artifacts: { mirror: "ftp://x" },
    };
    const problems = await problemsOf(() => new EtcdCluster("db", wrong));
    expect(problems.sort()).toEqual(
        [
            "members.c: 7 is not a string",
            "members.B: the key cannot be part of a host name",
            "members.B: 10.1.1.11 is the address of a too",
            "serviceOffering: is missing",
            'name: "Dev" cannot be part of a host name',
            'version: "2.3.8" is not supported',
            "quotaGiB: 100 is out of range",
            'keepDailySnapshots: "7" is not a number',
            'operatorCidrs[0]: "10.0.0.0" is not a network in CIDR notation',
            'metricsCidrs: "10.0.0.0/8" is not a list',
            "extraEnvironment.ETCD_NAME: is set by the cluster itself",
            'extraRules[0].ports: "http" is not a port such as "443" or a range such as "30000-32767"',
            'extraRules[0].cidrs[0]: "everybody" is not a network such as "203.0.113.0/24"',
            'extraCloudConfig.writeFiles[0].path: "motd" is not an absolute path of a file',
            "dataVolme: is not a known argument",
            'artifacts.mirror: "ftp://x" is not an http or https URL',
        ].sort(),
    );
});

test("user data that is too long is reported before anything is created, with the largest files", async () => {
    const noise = (seed: number) =>
        Array.from({ length: 30_000 }, (_, i) => (i * seed * 2_654_435_761).toString(36)).join("");
    const content = noise(7).slice(0, 60_000);
    const [problem, ...more] = await problemsOf(() =>
        cluster({ extraCloudConfig: { writeFiles: [{ path: "/etc/large", content }] } }),
    );
    expect(more).toEqual([]);
    expect(problem).toMatch(
        /^members: user data of dev-db's members has [\d,]+ characters of base64, .* more than the 32,768/,
    );
    expect(problem).toMatch(/Largest files:\n {2}\/etc\/large: 60,000 bytes/);
    await run(() =>
        cluster({ userDataMaxLength: 500_000, extraCloudConfig: { writeFiles: [{ path: "/etc/large", content }] } }),
    );
});

test("wrong types, which JavaScript does not reject, are reported too", async () => {
    const make = (args?: any) => problemsOf(() => new EtcdCluster("db", args));
    const missing = ["members: is missing", "serviceOffering: is missing", "template: is missing"];
    expect(await make()).toEqual(missing);
    expect(await make({})).toEqual(missing);
    expect(await make("db")).toEqual(['args: "db" is not an object']);
    expect(await make({ ...right, members: {} })).toEqual(["members: is empty"]);
    expect(await make({ ...right, members: pulumi.output(right.members) })).toEqual([
        "members: is an output, and resources are named after it",
    ]);
    expect(await make({ ...right, name: pulumi.output("db") })).toEqual([
        "name: is an output, and resources are named after it",
    ]);
});

test("the health of members is checked if operatorCidrs allows it", async () => {
    const waits = async (changes: Partial<EtcdClusterArgs>) =>
        (await run(() => cluster(changes))).of("EtcdHealth", "db").inputs.waitFor;
    expect(await waits({})).toBe("none");
    expect(await waits({ operatorCidrs: [] })).toBe("none");
    expect(await waits({ operatorCidrs: ["192.0.2.7/32"] })).toBe("healthy");
    expect(await waits({ operatorCidrs: pulumi.output([pulumi.output("192.0.2.7/32")]) })).toBe("healthy");
    expect(await waits({ operatorCidrs: ["192.0.2.7/32"], waitFor: "none" })).toBe("none");
});

test("the data is guarded by a protected resource, a sibling of the cluster, unless its loss is allowed", async () => {
    const guard = (made: Run<unknown>) => made.of("EtcdDataGuard", "db-needs-allowDataLoss");
    const made = await run(() => cluster());
    expect(guard(made)).toMatchObject({ protect: true, inputs: { cluster: "dev-db", allowDataLoss: false } });
    expect(guard(made).parent).not.toBe(made.of("EtcdHealth", "db").parent);
    const all = made.resources.filter(({ kind }) => kind !== "EtcdDataGuard" && !/Cluster$|Group$|Stack$/.test(kind));
    expect(guard(made).dependencies).toEqual(expect.arrayContaining(all.map(({ urn }) => urn)));
    expect(guard(await run(() => cluster({ allowDataLoss: true }))).protect).toBe(false);
    expect(await problemsOf(() => cluster({ allowDataLoss: pulumi.output(true) as never }))).toEqual([
        "allowDataLoss: is an output, and resources are named after it",
    ]);
});
