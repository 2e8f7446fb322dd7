/**
 * Changes of the pools of a Kubernetes cluster on real machines, driven by `pulumi up` of a changed program, while a client
 * watches how many endpoints of a Service with a disruption budget are Ready.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { RealKubernetes } from "../support/kubernetes";
import { Mirror } from "../support/mirror";
import { withKubernetes } from "../support/possible";
import { EndpointsWatch, eventually, NodesWatch } from "../support/watches";

// The demo's page.
const { web } = require("../../../scripts/webPage");

const CIDR = "10.1.86.0/24";
const REPLICAS = 3;

jest.setTimeout(900_000);

type Pools = Record<string, Record<string, unknown>>;

withKubernetes("pools of a Kubernetes cluster", () => {
    let cluster: RealKubernetes;
    /** What was proved, for whoever reads the test's output. */
    const figures: string[] = [];
    const note = (what: string, figure: string | number) => figures.push(`${what.padEnd(72)} ${figure}`);
    const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
    const nodeOf = (pool: string, key: string | number) => `dev-k8s-${pool}-${key}`;

    beforeAll(async () => {
        cluster = await RealKubernetes.make(CIDR, {
            etcd: "a",
            controlPlanes: "a",
            pools: { worker: { count: 1 } },
        });
        await cluster.up();
        await cluster.apply(...web("web", REPLICAS, "$(hostname)"), budget(2));
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    });
    afterAll(async () => {
        console.log(figures.join("\n"));
        await cluster?.dispose();
    });

    /** Of the Deployment `web`. */
    const budget = (minAvailable: number) => ({
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "web", namespace: "default" },
        spec: { minAvailable, selector: { matchLabels: { app: "web" } } },
    });

    /** Changes the program's pools. */
    const usePools = (pools: Pools) =>
        cluster.change(({ kubernetes, ...rest }) => ({ ...rest, kubernetes: { ...kubernetes, pools: full(pools) } }));
    const full = (pools: Pools): Pools =>
        Object.fromEntries(
            Object.entries(pools).map(([name, pool]) => [name, { serviceOffering: "Medium Instance", ...pool }]),
        );

    /** Ids of machines, their boots and their kubelets' starts, by name: same where nothing was touched. */
    async function machines(): Promise<Record<string, object>> {
        const { items } = await cluster.get("nodes");
        const list = (await cluster.cloud.client.list("listVirtualMachines")) as any[];
        return Object.fromEntries(
            await Promise.all(
                items.map(async ({ metadata, status }: any) => {
                    const { name } = metadata;
                    const show = ["systemctl", "show", "-P", "InvocationID", "kubelet"];
                    const kubelet = await cluster.cloud.exec(name, ...show);
                    const { id } = list.find((machine) => machine.name === name);
                    return [name, { id, boot: status.nodeInfo.bootID, node: metadata.uid, kubelet: kubelet.trim() }];
                }),
            ),
        );
    }

    /** The containers of the pods on a node, and how often each was started. */
    async function pods(...nodes: string[]): Promise<string[]> {
        const { items } = await cluster.get("pods", "-A");
        return items
            .filter(({ spec }: any) => nodes.includes(spec.nodeName))
            .flatMap(({ metadata, status }: any) =>
                status.containerStatuses.map(
                    ({ name, containerID, restartCount }: any) =>
                        `${metadata.name} ${name} ${containerID} ${restartCount}`,
                ),
            )
            .sort();
    }

    /** Something happens while nodes, and the endpoints of `web`, are watched; it never has fewer than two. */
    async function watched(what: string, action: () => Promise<unknown>): Promise<NodesWatch> {
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const endpoints = new EndpointsWatch(cluster, "web");
        const nodes = new NodesWatch(cluster);
        await eventually("both watches see", () => endpoints.events > 0 && nodes.events > 0);
        const started = Date.now();
        try {
            await action();
        } finally {
            await Promise.all([endpoints.end(), nodes.end()]);
        }
        note(what, `${seconds(Date.now() - started)}, fewest Ready endpoints ${endpoints.minimum} of ${REPLICAS}`);
        expect(endpoints.minimum).toBeGreaterThanOrEqual(2);
        return nodes;
    }

    /** Labels and taints of a node, but for those that Kubernetes itself gives. */
    async function declared(node: string): Promise<{ labels: Record<string, string>; taints: string[] }> {
        const { metadata, spec } = await cluster.get("node", node);
        const own = Object.entries<string>(metadata.labels).filter(([key]) => !/^(beta\.)?kubernetes\.io\//.test(key));
        const taints = (spec.taints ?? []).map(({ key, value, effect }: any) => `${key}=${value}:${effect}`);
        return { labels: Object.fromEntries(own), taints };
    }

    /** When a machine was asked for: as soon as the cloud lists it. */
    async function requested(name: string): Promise<number> {
        for (;;) {
            if ((await cluster.cloud.client.list("listVirtualMachines", { name })).length > 0) return Date.now();
            await sleep(100);
        }
    }

    const dedicated = { key: "dedicated", value: "batch", effect: "NoSchedule" };
    const role = "node-role.kubernetes.io/batch";

    test("another pool has its labels and taints, also those that a kubelet may not set; nothing else is touched", async () => {
        const before = await machines();
        const there = await pods(...Object.keys(before));
        const batch = nodeOf("batch", "x");
        usePools({
            worker: { count: 1 },
            batch: { nodes: ["x"], labels: { workload: "batch", [role]: "yes" }, taints: [dedicated] },
        });
        let asked = NaN;
        const nodes = await watched("a pool is added", async () => {
            [asked] = await Promise.all([requested(batch), cluster.up()]);
        });
        note("one more worker Ready, from the request for its machine", seconds(nodes.when(batch, "ready")! - asked));
        const started = Date.now();
        await eventually("labels are set", async () => (await declared(batch)).labels[role] === "yes", 300);
        note("labels that a kubelet may not set, after pulumi up", seconds(Date.now() - started));
        expect(await declared(batch)).toEqual({
            labels: { workload: "batch", [role]: "yes" },
            taints: ["dedicated=batch:NoSchedule"],
        });
        const after = await machines();
        expect(Object.keys(after)).toEqual(expect.arrayContaining([batch]));
        expect(after).toMatchObject(before);
        expect(await pods(...Object.keys(before))).toEqual(there);
    });

    test("a pool grows from 1 to 3; nothing else is touched", async () => {
        const before = await machines();
        usePools({
            worker: { count: 3 },
            batch: { nodes: ["x"], labels: { workload: "batch", [role]: "yes" }, taints: [dedicated] },
        });
        await watched("a pool grows from 1 to 3", () => cluster.up());
        expect(await cluster.ready()).toEqual([
            "dev-k8s-a",
            nodeOf("batch", "x"),
            ...[0, 1, 2].map((key) => nodeOf("worker", key)),
        ]);
        expect(await machines()).toMatchObject(before);
    });

    /** The program's pools as most tests find them. */
    const usual = (worker: object = {}, batch: object = {}): Pools => ({
        worker: { nodes: ["0", "2"], ...worker },
        batch: { nodes: ["x"], ...batch },
    });
    const workers = [nodeOf("worker", 0), nodeOf("worker", 2), nodeOf("batch", "x")];

    test("labels and taints change in place: no machine is replaced, restarted or drained", async () => {
        const pools = (labels: object, taints: object[]): Pools => ({
            worker: { count: 3, labels },
            batch: { nodes: ["x"], taints },
        });
        const all = ["dev-k8s-a", nodeOf("batch", "x"), ...[0, 1, 2].map((key) => nodeOf("worker", key))];
        const before = await machines();
        const there = await pods(...all);
        const soft = { key: "soft", value: "yes", effect: "PreferNoSchedule" };
        usePools(pools({ tier: "front", "node-role.kubernetes.io/front": "yes" }, [soft]));
        const nodes = await watched("labels and taints are changed", async () => {
            await cluster.up();
            const started = Date.now();
            await eventually(
                "labels and taints are as declared",
                async () => {
                    const found = await Promise.all([declared(nodeOf("worker", 1)), declared(nodeOf("batch", "x"))]);
                    const front = { tier: "front", "node-role.kubernetes.io/front": "yes" };
                    const wanted = [
                        { labels: front, taints: [] },
                        { labels: {}, taints: ["soft=yes:PreferNoSchedule"] },
                    ];
                    return isDeepStrictEqual(found, wanted);
                },
                180,
            );
            note("labels and taints on running nodes, after pulumi up", seconds(Date.now() - started));
            // Kubelets that follow their user data would do so by now.
            for (const name of all) await cluster.cloud.exec(name, "systemctl", "start", "cs-converge.service");
        });
        expect(nodes.moments.filter(({ what }) => what !== "ready")).toEqual([]);
        expect(await machines()).toEqual(before);
        expect(await pods(...all)).toEqual(there);
    });

    test("the middle machine of a pool is removed: drained before, its Node object goes; the others are not touched", async () => {
        const { [nodeOf("worker", 1)]: _gone, ...before } = await machines();
        usePools(usual());
        const nodes = await watched("the middle machine of three is removed", () => cluster.up());
        expect(nodes.moments.map(({ node, what }) => `${node} ${what}`).slice(-2)).toEqual([
            `${nodeOf("worker", 1)} cordoned`,
            `${nodeOf("worker", 1)} deleted`,
        ]);
        expect(nodes.order("cordoned")).toEqual([nodeOf("worker", 1)]);
        expect(await machines()).toEqual(before);
        const list = (await cluster.cloud.client.list("listVirtualMachines", { name: nodeOf("worker", 1) })) as any[];
        expect(list).toEqual([]);
    });

    /** Every worker has changed, one at a time: each was Ready again before the next one was cordoned. */
    function expectOneAtATime(nodes: NodesWatch, names: readonly string[]): void {
        expect([...nodes.order("cordoned")].sort()).toEqual([...names].sort());
        expect(nodes.mostCordoned).toBe(1);
        note("    order", nodes.order("cordoned").join(", "));
    }

    async function expectAllInService(): Promise<void> {
        expect(await cluster.ready()).toEqual(["dev-k8s-a", ...[...workers].sort()]);
        const { items } = await cluster.get("nodes");
        expect(items.filter(({ spec }: any) => spec.unschedulable === true)).toEqual([]);
    }

    async function offerings(): Promise<string[]> {
        const list = (await cluster.cloud.client.list("listVirtualMachines")) as any[];
        return workers.map((name) => list.find((machine) => machine.name === name).serviceofferingname);
    }

    test("another size reaches one machine at a time", async () => {
        const before = await machines();
        usePools(usual({ serviceOffering: "Large Instance" }, { serviceOffering: "Large Instance" }));
        const nodes = await watched("another size", () => cluster.up());
        expectOneAtATime(nodes, workers);
        await expectAllInService();
        expect(await offerings()).toEqual(workers.map(() => "Large Instance"));
        const after: any = await machines();
        for (const [name, { id }] of Object.entries<any>(before)) expect(after[name].id).toBe(id);
    });

    test("machines replaced on request are drained, and change one at a time", async () => {
        const before: any = await machines();
        const urns = (await cluster.project.exportResources())
            .filter(({ id }) => workers.slice(0, 2).some((name) => before[name].id === id))
            .map(({ urn }) => urn);
        expect(urns).toHaveLength(2);
        const args = urns.flatMap((urn) => ["--replace", urn]);
        const nodes = await watched("two machines are replaced on request", () => cluster.up({ args }));
        const [first, second] = nodes.order("cordoned");
        expect([first, second].sort()).toEqual(workers.slice(0, 2));
        // The old node, and the one that takes its place.
        const ready = nodes.moments.filter(({ node, what, at }) => {
            return node === first && what === "ready" && at > nodes.when(first, "deleted")!;
        });
        expect(ready).toHaveLength(1);
        expect(nodes.when(second, "cordoned")).toBeGreaterThanOrEqual(ready[0].at);
        await expectAllInService();
        const after: any = await machines();
        for (const name of workers.slice(0, 2)) expect(after[name].id).not.toBe(before[name].id);
        expect(after[workers[2]]).toEqual(before[workers[2]]);
    });

    /** Other arguments of the cluster. */
    const useArguments = (more: object) =>
        cluster.change(({ kubernetes, ...rest }) => ({ ...rest, kubernetes: { ...kubernetes, ...more } }));
    /** The pods of `web`, one on each worker where they fit. */
    async function spread(): Promise<void> {
        await cluster.kubectl("rollout", "restart", "deployment/web");
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=180s");
    }

    test("a budget that cannot hold stops the change, which names the pod; once it can, the change goes on", async () => {
        await spread();
        await cluster.apply(budget(REPLICAS));
        const before = await machines();
        usePools(usual({ serviceOffering: "Medium Instance" }, { serviceOffering: "Large Instance" }));
        useArguments({ drainTimeoutSeconds: 15 });
        const failed = await cluster.project.up({ mayFail: true });
        expect(failed.code).not.toBe(0);
        const errors = failed.errors.join("\n");
        expect(errors).toMatch(
            /node (dev-k8s-worker-\d) could not be drained within 15 s: pod default\/web-\S+: .*disruption budget web/,
        );
        const [, name] = /node (\S+) could not be drained/.exec(errors)!;
        expect((await machines())[name]).toEqual(before[name]);
        const { metadata, spec } = await cluster.get("node", name);
        expect([spec.unschedulable, metadata.annotations["pulumi-cloudstack/cordoned"]]).toEqual([
            undefined,
            undefined,
        ]);
        await cluster.apply(budget(2));
        const nodes = await watched("after the budget was loosened", () => cluster.up());
        expect(nodes.order("cordoned")).toContain(name);
        expect(await offerings()).toEqual(["Medium Instance", "Medium Instance", "Large Instance"]);
        await expectAllInService();
        useArguments({ drainTimeoutSeconds: 600 });
    });

    test("a node that is not Ready holds up changes of others, unless allowNotReady names it", async () => {
        const [broken, , changed] = workers;
        await cluster.apply(budget(1));
        await cluster.cloud.exec(broken, "systemctl", "stop", "kubelet");
        await eventually("it is not Ready", async () => !(await cluster.ready()).includes(broken), 120);
        const before = await machinesOf(changed);
        usePools(usual());
        useArguments({ waitTimeoutSeconds: 20 });
        const preview = await cluster.project.preview();
        expect(preview.infos.join("\n")).toContain(`not every node is Ready (${broken}: `);
        const failed = await cluster.project.up({ mayFail: true });
        expect(failed.errors.join("\n")).toMatch(
            new RegExp(
                `node ${changed} was not drained and its machine not touched, .*${broken}: .*allowNotReady`,
                "s",
            ),
        );
        expect(await machinesOf(changed)).toEqual(before);
        useArguments({ waitTimeoutSeconds: 300, allowNotReady: [broken] });
        await cluster.up();
        expect(await offerings()).toEqual(workers.map(() => "Medium Instance"));
        await cluster.cloud.exec(broken, "systemctl", "start", "kubelet");
        await eventually("it is Ready again", async () => (await cluster.ready()).includes(broken), 120);
        useArguments({ waitTimeoutSeconds: 900, allowNotReady: [] });
        await cluster.up();
        await expectAllInService();
        await cluster.apply(budget(2));
    });

    /** The boot and size of one machine. */
    async function machinesOf(name: string): Promise<object> {
        const { status } = await cluster.get("node", name);
        const [{ id, state, serviceofferingname }] = await cluster.cloud.client.list("listVirtualMachines", { name });
        return { id, state, serviceofferingname, boot: status.nodeInfo.bootID };
    }

    /** Kills the engine, with all that it has started, in the middle of `pulumi up`; the next run comes to the same end. */
    async function killed(victim: "cli" | "all", isMoment: (nodes: NodesWatch) => boolean | Promise<boolean>) {
        const nodes = new NodesWatch(cluster);
        const running = await cluster.project.start("up");
        try {
            await eventually("the moment of the kill", () => isMoment(nodes), 300);
            running.kill9(victim);
            expect((await running.finished).code).not.toBe(0);
        } finally {
            running.kill9("all");
            await nodes.end();
        }
        await cluster.project.cancel();
    }
    const stateOf = async (name: string) =>
        ((await cluster.cloud.client.list("listVirtualMachines", { name })) as any[]).map(({ state }) => state);

    test("the engine killed while a pool grows: the next run finishes it, with one machine of each name", async () => {
        const added = nodeOf("worker", 3);
        const before = await machines();
        usePools({ ...usual(), worker: { nodes: ["0", "2", "3"] } });
        await killed("all", async () => (await stateOf(added)).length > 0);
        await watched("growth after a kill", () => cluster.up());
        expect(await cluster.ready()).toContain(added);
        expect(await stateOf(added)).toEqual(["Running"]);
        expect(await machines()).toMatchObject(before);
    });

    test("the engine killed while a machine is removed: the next run finishes it, and touches no other", async () => {
        const { [nodeOf("worker", 3)]: _gone, ...before } = await machines();
        usePools(usual());
        await watched("a removal, killed and run again", async () => {
            await killed("cli", (nodes) => nodes.when(nodeOf("worker", 3), "cordoned") !== undefined);
            await cluster.up();
        });
        expect(await stateOf(nodeOf("worker", 3))).toEqual([]);
        expect(await machines()).toEqual(before);
        await expectAllInService();
    });

    test("the engine killed in the middle of a rolling change: the next run goes on, and the budget holds", async () => {
        await spread();
        usePools(usual({ serviceOffering: "Large Instance" }, { serviceOffering: "Large Instance" }));
        await watched("a rolling change, killed and run again", async () => {
            // The second machine is being stopped.
            await killed("all", async (nodes) => {
                const [, second] = nodes.order("cordoned");
                return second !== undefined && !(await stateOf(second)).includes("Running");
            });
            await cluster.up();
        });
        expect(await offerings()).toEqual(workers.map(() => "Large Instance"));
        await expectAllInService();
        await cluster.project.expectNoChanges();
    });

    test("a worker joins when every token that kubeadm made has ended", async () => {
        const tokens = ["-n", "kube-system", "--field-selector", "type=bootstrap.kubernetes.io/token"];
        await cluster.kubectl("delete", "secrets", ...tokens);
        usePools({ ...usual(), worker: { nodes: ["0", "2", "late"] } });
        await cluster.up();
        expect(await cluster.ready()).toContain(nodeOf("worker", "late"));
        expect((await cluster.get("secrets", ...tokens)).items).toEqual([]);
    });

    test("a time-out names the stage, the node and its condition, and shows the end of its bootstrap log", async () => {
        const broken = nodeOf("worker", "late");
        await cluster.cloud.exec(broken, "systemctl", "stop", "containerd");
        await eventually("it is not Ready", async () => !(await cluster.ready()).includes(broken), 120);
        useArguments({ waitTimeoutSeconds: 15 });
        const failed = await cluster.project.up({ mayFail: true });
        const errors = failed.errors.join("\n");
        expect(errors).toMatch(
            new RegExp(
                `dev-k8s is not ready after 15 s, stage nodes: 4 of 5 nodes Ready; ${broken}: .*runtime.*cloud-init`,
            ),
        );
        const log = await cluster.cloud.exec(broken, "tail", "-n", "1", "/var/log/cloud-init-output.log");
        expect(errors).toContain(log.trim());
        await cluster.cloud.exec(broken, "systemctl", "start", "containerd");
        await eventually("it is Ready again", async () => (await cluster.ready()).includes(broken), 120);
        useArguments({ waitTimeoutSeconds: 900 });
        await cluster.up();
    });

    test("a bootstrap that cannot reach its mirror is named at the time-out, goes on by itself, and is resumed", async () => {
        const later = nodeOf("worker", "later");
        const mirror = await Mirror.closed((await cluster.cloud.environment()).CLOUDSTACK_LOCAL_HOST.split("/")[0]);
        try {
            cluster.change((args) => ({ ...args, mirror: mirror.url }));
            useArguments({ waitTimeoutSeconds: 30 });
            usePools({ ...usual(), worker: { nodes: ["0", "2", "later"] } });
            const failed = await cluster.project.up({ mayFail: true });
            expect(failed.errors.join("\n")).toMatch(
                new RegExp(
                    `dev-k8s is not ready after 30 s, stage nodes: 4 of 5 nodes Ready; ${later}: has not registered yet. ` +
                        "On the machine .*/var/log/cloud-init-output.log",
                ),
            );
            await mirror.open();
            useArguments({ waitTimeoutSeconds: 600 });
            await cluster.up();
            expect(await cluster.ready()).toContain(later);
            expect(mirror.served).toContainEqual(expect.stringMatching(/^kubelet-v/));
            cluster.change(({ mirror: _mirror, ...args }) => args);
        } finally {
            await mirror.close();
        }
    });
});
