/** What keeps a node from being drained or from becoming Ready, on real machines, and what `pulumi up` says of it. */
import { waitUntil } from "../support/lab";
import { Mirror } from "../support/mirror";
import { nodeOf, type Pools, PoolsCluster } from "../support/pools";
import { withKubernetes } from "../support/possible";

jest.setTimeout(900_000);

withKubernetes("nodes that cannot be drained or are not Ready", () => {
    let cluster: PoolsCluster;
    const workers = [nodeOf("worker", "a"), nodeOf("worker", "b"), nodeOf("batch", "x")];
    const usual = (worker: object = {}): Pools => ({
        worker: { nodes: ["a", "b"], ...worker },
        batch: { nodes: ["x"] },
    });
    const large = { serviceOffering: "Large Instance" };
    const up = () => cluster.kubernetes.up();
    const errorsOf = async () => {
        const failed = await cluster.kubernetes.project.up({ mayFail: true });
        expect(failed.code).not.toBe(0);
        return failed.errors.join("\n");
    };
    const isReady = async (name: string) => (await cluster.kubernetes.ready()).includes(name);
    const systemctl = (name: string, verb: "start" | "stop", unit: string) =>
        cluster.kubernetes.cloud.exec(name, "systemctl", verb, unit);

    beforeAll(async () => {
        cluster = await PoolsCluster.create("10.1.87.0/24", usual());
    });
    afterAll(() => cluster?.dispose());

    test("a budget that cannot hold stops the change, which names the pod; once it can, the change goes on", async () => {
        await cluster.spread();
        await cluster.allow(0);
        const before = await cluster.machines();
        cluster.usePools(usual(large));
        cluster.useArguments({ drainTimeoutSeconds: 15 });
        const errors = await errorsOf();
        expect(errors).toMatch(
            /node (dev-k8s-worker-\w) could not be drained within 15 s: pod default\/web-\S+: .*disruption budget web/,
        );
        const [, name] = /node (\S+) could not be drained/.exec(errors)!;
        expect((await cluster.machines())[name]).toEqual(before[name]);
        const { metadata, spec } = await cluster.kubernetes.get("node", name);
        expect(spec.unschedulable).toBeUndefined();
        expect(metadata.annotations).not.toHaveProperty("pulumi-cloudstack/cordoned");
        await cluster.allow(1);
        const nodes = await cluster.watched("after the budget was loosened", up);
        expect(nodes.order("cordoned")).toContain(name);
        expect(await cluster.offerings(...workers)).toEqual(["Large Instance", "Large Instance", "Medium Instance"]);
        await cluster.expectInService(...workers);
        cluster.useArguments({ drainTimeoutSeconds: 600 });
    });

    test("a node that is not Ready holds up changes of others, unless allowNotReady names it", async () => {
        const [broken, changed] = workers;
        await cluster.allow(2);
        await systemctl(broken, "stop", "kubelet");
        await waitUntil("it is not Ready", async () => !(await isReady(broken)), 120);
        const touched = async () => {
            const { status } = await cluster.kubernetes.get("node", changed);
            const [{ id, state, serviceofferingname }] = await cluster.records(changed);
            return { id, state, serviceofferingname, boot: status.nodeInfo.bootID };
        };
        const before = await touched();
        cluster.usePools(usual());
        cluster.useArguments({ waitTimeoutSeconds: 20 });
        const preview = await cluster.kubernetes.project.preview();
        expect(preview.infos.join("\n")).toContain(`not every node is Ready (${broken}: `);
        expect(await errorsOf()).toMatch(
            new RegExp(
                `node ${changed} was not drained and its machine not touched, .*${broken}: .*allowNotReady`,
                "s",
            ),
        );
        expect(await touched()).toEqual(before);
        cluster.useArguments({ waitTimeoutSeconds: 300, allowNotReady: [broken] });
        await up();
        expect(await cluster.offerings(...workers)).toEqual(workers.map(() => "Medium Instance"));
        await systemctl(broken, "start", "kubelet");
        await waitUntil("it is Ready again", () => isReady(broken), 120);
        cluster.useArguments({ waitTimeoutSeconds: 900, allowNotReady: [] });
        await up();
        await cluster.expectInService(...workers);
        await cluster.allow(1);
    });

    test("a worker joins when every token that kubeadm made has ended", async () => {
        const tokens = ["-n", "kube-system", "--field-selector", "type=bootstrap.kubernetes.io/token"];
        await cluster.kubernetes.kubectl("delete", "secrets", ...tokens);
        cluster.usePools(usual({ nodes: ["a", "b", "late"] }));
        await up();
        expect(await cluster.kubernetes.ready()).toContain(nodeOf("worker", "late"));
        expect((await cluster.kubernetes.get("secrets", ...tokens)).items).toEqual([]);
    });

    test("a time-out names the stage, the node and its condition, and shows the end of its bootstrap log", async () => {
        const broken = nodeOf("worker", "late");
        await systemctl(broken, "stop", "containerd");
        await waitUntil("it is not Ready", async () => !(await isReady(broken)), 120);
        cluster.useArguments({ waitTimeoutSeconds: 15 });
        const errors = await errorsOf();
        expect(errors).toMatch(
            new RegExp(
                `dev-k8s is not ready after 15 s, stage nodes: 4 of 5 nodes Ready; ${broken}: .*runtime.*cloud-init`,
            ),
        );
        const log = await cluster.kubernetes.cloud.exec(broken, "tail", "-n", "1", "/var/log/cloud-init-output.log");
        expect(errors).toContain(log.trim());
        await systemctl(broken, "start", "containerd");
        await waitUntil("it is Ready again", () => isReady(broken), 120);
        cluster.useArguments({ waitTimeoutSeconds: 900 });
        await up();
    });

    test("a bootstrap that cannot reach its mirror is named at the time-out, goes on by itself, and is resumed", async () => {
        const later = nodeOf("worker", "later");
        const { CLOUDSTACK_LOCAL_HOST: host } = await cluster.kubernetes.cloud.environment();
        const mirror = await Mirror.closed(host.split("/")[0]);
        try {
            cluster.kubernetes.change((args) => ({ ...args, mirror: mirror.url }));
            cluster.useArguments({ waitTimeoutSeconds: 30 });
            cluster.usePools(usual({ nodes: ["a", "b", "later"] }));
            expect(await errorsOf()).toMatch(
                new RegExp(
                    `dev-k8s is not ready after 30 s, stage nodes: 4 of 5 nodes Ready; ${later}: has not registered yet. ` +
                        "On the machine .*/var/log/cloud-init-output.log",
                ),
            );
            await mirror.open();
            cluster.useArguments({ waitTimeoutSeconds: 600 });
            await up();
            expect(await cluster.kubernetes.ready()).toContain(later);
            expect(mirror.served).toContainEqual(expect.stringMatching(/^kubelet-v/));
        } finally {
            await mirror.close();
        }
    });
});
