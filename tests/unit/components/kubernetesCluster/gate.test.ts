import { decodeUserData } from "../../../../components/cloudInit/userData";
import { KubernetesCluster, type KubernetesClusterArgs } from "../../../../components/kubernetesCluster";
import { userDataHash } from "../../../../provider/virtualMachine/userData";
import { problemsOf, run, unknown } from "../support";

const operators = ["10.9.9.0/24"];
const right: KubernetesClusterArgs = {
    etcd: {
        endpoints: ["https://10.9.0.1:2379"],
        caCertificate: "-----BEGIN CERTIFICATE-----\nZXRjZCBjYQ==\n-----END CERTIFICATE-----\n",
        clientCertificate: "-----BEGIN CERTIFICATE-----\nZXRjZCBjbGllbnQ=\n-----END CERTIFICATE-----\n",
        clientKey: "-----BEGIN PRIVATE KEY-----\nZXRjZCBrZXk=\n-----END PRIVATE KEY-----\n",
    },
    template: "Debian",
    controlPlane: { members: { a: "10.1.1.21", b: "10.1.1.22" }, serviceOffering: "Medium" },
    pools: { general: { count: 1, serviceOffering: "Large" }, batch: { nodes: ["x"], serviceOffering: "Huge" } },
};
const make = (changes: Partial<KubernetesClusterArgs> = {}, preview = false) =>
    run(() => new KubernetesCluster("k", { ...right, ...changes }), { preview });
const gateOf = async (changes: Partial<KubernetesClusterArgs>) =>
    (await make(changes)).of("KubernetesReady", "k").inputs;

test("what is waited for follows from who may ask the API, and from whose pod network it is", async () => {
    const network = { backend: "none" };
    const cases: [Partial<KubernetesClusterArgs>, string][] = [
        [{}, "none"],
        [{ operatorCidrs: [] }, "none"],
        [{ operatorCidrs: operators }, "addons"],
        // Nodes become Ready with the network plugin that the user installs through an API that is ready before.
        [{ operatorCidrs: operators, podNetwork: network }, "api"],
        [{ operatorCidrs: operators, waitFor: "nodes" }, "nodes"],
        [{ waitFor: "api" }, "api"],
        [{ operatorCidrs: operators, waitFor: "none" }, "none"],
    ];
    for (const [changes, waitFor] of cases)
        expect([changes, (await gateOf(changes)).waitFor]).toEqual([changes, waitFor]);
    const flannel = "DaemonSet kube-flannel/flannel";
    expect((await gateOf({ operatorCidrs: operators })).addons).toContain(flannel);
    expect((await gateOf({ operatorCidrs: operators, podNetwork: network })).addons).not.toContain(flannel);
});

test("a machine knows its node, how to ask every API server, and on a control plane which one is its own", async () => {
    const { of } = await make({ operatorCidrs: operators, allowNotReady: ["dev-k-b"], drainTimeoutSeconds: 5 });
    const endpoints = ["https://10.1.1.21:6443", "https://10.1.1.22:6443"];
    const shared = { cluster: "dev-k", endpoints, allowNotReady: ["dev-k-b"] };
    const times = { drainTimeoutSeconds: 5, waitTimeoutSeconds: 900 };
    const expected: Record<string, object> = {
        "k-control-plane-b": { ...shared, ...times, name: "dev-k-b", ownEndpoint: endpoints[1] },
        "k-general-0": { ...shared, ...times, name: "dev-k-general-0" },
        "k-batch-x": { ...shared, ...times, name: "dev-k-batch-x" },
    };
    for (const [name, node] of Object.entries(expected)) {
        const { inputs, secrets } = of("VirtualMachine", name);
        expect(inputs.kubernetesNode).toMatchObject(node);
        expect(inputs.kubernetesNode.ownEndpoint).toBe((node as any).ownEndpoint);
        expect(inputs.kubernetesKey).toContain("PRIVATE KEY");
        // Names are shown, the key is not.
        expect([secrets.includes("kubernetesNode"), secrets.includes("kubernetesKey")]).toEqual([false, true]);
    }
});

test("where nobody asks the API, machines are told nothing of it", async () => {
    for (const changes of [{}, { operatorCidrs: operators, waitFor: "none" as const }]) {
        const { names, of } = await make(changes);
        for (const name of names("VirtualMachine")) {
            const { kubernetesNode, kubernetesKey } = of("VirtualMachine", name).inputs;
            expect([kubernetesNode, kubernetesKey]).toEqual([undefined, undefined]);
        }
    }
    // Who may ask is known later: nothing is promised before.
    const { of } = await make({ operatorCidrs: unknown() }, true);
    expect(of("VirtualMachine", "k-general-0").inputs.kubernetesNode).toBeUndefined();
});

test("the gate stands behind all machines, and expects every node", async () => {
    const { of, names } = await make({ operatorCidrs: operators, waitTimeoutSeconds: 60 });
    const { inputs, dependencies, secrets } = of("KubernetesReady", "k");
    const nodes = ["dev-k-a", "dev-k-b", "dev-k-general-0", "dev-k-batch-x"];
    expect(inputs).toMatchObject({ nodes, timeoutSeconds: 60, cluster: "dev-k" });
    expect(Object.keys(inputs.controlPlanes)).toEqual(["dev-k-a", "dev-k-b"]);
    expect(names("VirtualMachine")).toHaveLength(nodes.length);
    for (const name of names("VirtualMachine")) expect(dependencies).toContain(of("VirtualMachine", name).urn);
    expect(secrets).toContain("clientKey");
});

test("secrets are removed from all user data behind the gate, where it waits for nodes", async () => {
    const { of, names } = await make({ operatorCidrs: operators });
    const { inputs, dependencies } = of("KubernetesUserData", "k");
    expect(dependencies).toContain(of("KubernetesReady", "k").urn);
    expect(inputs.revision).toBe(of("KubernetesReady", "k").inputs.revision);
    for (const name of names("VirtualMachine")) {
        const { name: node, userDataBase64 } = of("VirtualMachine", name).inputs;
        const { id, stub, secrets } = inputs.machines[node];
        expect(id).toMatch(/^[0-9a-f-]{36}$/);
        expect(userDataHash(stub)).toBe(userDataHash(userDataBase64));
        expect(decodeUserData(userDataBase64)).toContain("PRIVATE KEY");
        expect(decodeUserData(stub)).not.toContain("PRIVATE KEY");
        expect(decodeUserData(stub)).toContain(secrets);
    }
    const network = { backend: "none" };
    expect(
        (await make({ operatorCidrs: operators, podNetwork: network })).of("KubernetesUserData", "k").inputs,
    ).toMatchObject({
        machines: {},
    });
    for (const changes of [{}, { operatorCidrs: operators, scrubUserData: false }])
        expect((await make(changes)).names("KubernetesUserData")).toEqual([]);
});

test("scrubUserData needs a gate that waits for nodes", async () => {
    const problems = (changes: Partial<KubernetesClusterArgs>) =>
        problemsOf(() => new KubernetesCluster("k", { ...right, scrubUserData: true, ...changes }));
    const message = (waitFor: string) => [
        `scrubUserData: cannot be true with waitFor "${waitFor}": secrets are removed when the nodes are Ready`,
    ];
    expect(await problems({})).toEqual(message("none"));
    expect(await problems({ operatorCidrs: operators, waitFor: "api" })).toEqual(message("api"));
    expect(await problems({ operatorCidrs: operators, podNetwork: { backend: "none" } })).toEqual(message("api"));
    await make({ operatorCidrs: operators, scrubUserData: true });
});

test("its revision changes with what takes nodes down, and with nothing else", async () => {
    const revision = async (changes: Partial<KubernetesClusterArgs>) => {
        const { ids: _ids, ...rest } = JSON.parse((await gateOf({ operatorCidrs: operators, ...changes })).revision);
        return JSON.stringify(rest);
    };
    const pool = right.pools!.general;
    const pools = (more: object) => ({ pools: { ...right.pools, general: { ...pool, ...more } } });
    const before = await revision({});
    for (const changes of [
        { template: "Other" },
        { kubernetesVersion: "1.35.8" },
        pools({ serviceOffering: "Huge" }),
        { controlPlane: { ...right.controlPlane, serviceOffering: "Huge" } },
    ])
        expect([changes, (await revision(changes)) === before]).toEqual([changes, false]);
    for (const changes of [pools({ labels: { a: "b" } }), pools({ maxUnavailable: 2 }), { drainTimeoutSeconds: 5 }])
        expect([changes, (await revision(changes)) === before]).toEqual([changes, true]);
});

test("times and numbers out of range are found before anything is made", async () => {
    const problems = await problemsOf(
        () =>
            new KubernetesCluster("k", {
                ...right,
                waitTimeoutSeconds: 0,
                drainTimeoutSeconds: 86_401,
                pools: { general: { ...right.pools!.general, maxUnavailable: 1.5 } },
            }),
    );
    expect(problems).toEqual([
        "waitTimeoutSeconds: 0 is out of range",
        "drainTimeoutSeconds: 86401 is out of range",
        "pools.general.maxUnavailable: 1.5 is out of range",
    ]);
});
