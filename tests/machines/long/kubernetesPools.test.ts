/**
 * Pools of a Kubernetes cluster on real machines, changed by `pulumi up` of a changed program, while a client watches how
 * many endpoints of a Service with a disruption budget are Ready.
 */
import { isDeepStrictEqual } from "node:util";
import { waitUntil } from "../support/lab";
import { nodeOf, type Pools, PoolsCluster, seconds } from "../support/pools";
import { withKubernetes } from "../support/possible";

jest.setTimeout(900_000);

withKubernetes("pools of a Kubernetes cluster", () => {
    let cluster: PoolsCluster;
    const up = () => cluster.kubernetes.up();
    const role = "node-role.kubernetes.io/batch";
    const batch = {
        nodes: ["x"],
        labels: { workload: "batch", [role]: "yes" },
        taints: [{ key: "dedicated", value: "batch", effect: "NoSchedule" }],
    };
    const allWorkers = [nodeOf("batch", "x"), ...[0, 1, 2].map((key) => nodeOf("worker", key))];
    /** Those that are left after the middle one was removed. */
    const workers = [nodeOf("worker", 0), nodeOf("worker", 2), nodeOf("batch", "x")];
    /** The program's pools then. */
    const usual = (worker: object = {}, other: object = {}): Pools => ({
        worker: { nodes: ["0", "2"], ...worker },
        batch: { nodes: ["x"], ...other },
    });

    beforeAll(async () => {
        cluster = await PoolsCluster.create("10.1.86.0/24", { worker: { count: 1 } });
    });
    afterAll(() => cluster?.dispose());

    test("another pool has its labels and taints, also those that a kubelet may not set; nothing else is touched", async () => {
        const before = await cluster.machines();
        const running = await cluster.containers(...Object.keys(before));
        const added = nodeOf("batch", "x");
        cluster.usePools({ worker: { count: 1 }, batch });
        let asked = NaN;
        const nodes = await cluster.watched("a pool is added", async () => {
            [asked] = await Promise.all([cluster.requested(added), up()]);
        });
        cluster.note(
            "one more worker Ready, from the request for its machine",
            seconds(nodes.when(added, "ready")! - asked),
        );
        const started = Date.now();
        const hasRole = async () => (await cluster.declared(added)).labels[role] === "yes";
        await waitUntil("labels are set", hasRole, 300);
        cluster.note("labels that a kubelet may not set, after pulumi up", seconds(Date.now() - started));
        expect(await cluster.declared(added)).toEqual({
            labels: batch.labels,
            taints: ["dedicated=batch:NoSchedule"],
        });
        const after = await cluster.machines();
        expect(Object.keys(after)).toContain(added);
        expect(after).toMatchObject(before);
        expect(await cluster.containers(...Object.keys(before))).toEqual(running);
    });

    test("a pool grows from 1 to 3; nothing else is touched", async () => {
        const before = await cluster.machines();
        cluster.usePools({ worker: { count: 3 }, batch });
        await cluster.watched("a pool grows from 1 to 3", up);
        await cluster.expectInService(...allWorkers);
        expect(await cluster.machines()).toMatchObject(before);
    });

    test("labels and taints change in place: no machine is replaced, restarted or drained", async () => {
        const before = await cluster.machines();
        const running = await cluster.containers("dev-k8s-a", ...allWorkers);
        const labels = { tier: "front", "node-role.kubernetes.io/front": "yes" };
        const soft = { key: "soft", value: "yes", effect: "PreferNoSchedule" };
        cluster.usePools({ worker: { count: 3, labels }, batch: { nodes: ["x"], taints: [soft] } });
        const nodes = await cluster.watched("labels and taints are changed", async () => {
            await up();
            const started = Date.now();
            const areDeclared = async () => {
                const found = await Promise.all(
                    [nodeOf("worker", 1), nodeOf("batch", "x")].map((name) => cluster.declared(name)),
                );
                return isDeepStrictEqual(found, [
                    { labels, taints: [] },
                    { labels: {}, taints: ["soft=yes:PreferNoSchedule"] },
                ]);
            };
            await waitUntil("labels and taints are as declared", areDeclared, 180);
            cluster.note("labels and taints on running nodes, after pulumi up", seconds(Date.now() - started));
            // Kubelets that follow their user data would do so by now.
            for (const name of ["dev-k8s-a", ...allWorkers])
                await cluster.kubernetes.cloud.exec(name, "systemctl", "start", "cs-converge.service");
        });
        expect(nodes.moments.filter(({ what }) => what !== "ready")).toEqual([]);
        expect(await cluster.machines()).toEqual(before);
        expect(await cluster.containers("dev-k8s-a", ...allWorkers)).toEqual(running);
    });

    test("the middle machine of a pool is removed: drained before, its Node object goes; the others are not touched", async () => {
        const middle = nodeOf("worker", 1);
        const { [middle]: _removed, ...before } = await cluster.machines();
        cluster.usePools(usual());
        const nodes = await cluster.watched("the middle machine of three is removed", up);
        // In between it is not Ready, if its kubelet reports the shutdown in time.
        const moments = nodes.moments.filter(({ node, what }) => node === middle && /cordoned|deleted/.test(what));
        expect(moments.map(({ what }) => what)).toEqual(["cordoned", "deleted"]);
        expect(nodes.order("cordoned")).toEqual([middle]);
        expect(await cluster.machines()).toEqual(before);
        expect(await cluster.records(middle)).toEqual([]);
    });

    test("another size reaches one machine at a time", async () => {
        const before = await cluster.machines();
        const large = { serviceOffering: "Large Instance" };
        cluster.usePools(usual(large, large));
        const nodes = await cluster.watched("another size", up);
        cluster.expectOneAtATime(nodes, workers);
        await cluster.expectInService(...workers);
        expect(await cluster.offerings(...workers)).toEqual(workers.map(() => "Large Instance"));
        const after = await cluster.machines();
        for (const [name, { id }] of Object.entries(before)) expect(after[name].id).toBe(id);
    });

    test("machines replaced on request are drained, and change one at a time", async () => {
        const before = await cluster.machines();
        const replaced = workers.slice(0, 2);
        const urns = (await cluster.kubernetes.project.exportResources())
            .filter(({ id }) => replaced.some((name) => before[name].id === id))
            .map(({ urn }) => urn);
        expect(urns).toHaveLength(2);
        const args = urns.flatMap((urn) => ["--replace", urn]);
        const nodes = await cluster.watched("two machines are replaced on request", () =>
            cluster.kubernetes.up({ args }),
        );
        const [first, second] = nodes.order("cordoned");
        expect([first, second].sort()).toEqual(replaced);
        const deleted = nodes.when(first, "deleted")!;
        const ready = nodes.moments.filter(({ node, what, at }) => node === first && what === "ready" && at > deleted);
        expect(ready).toHaveLength(1);
        expect(nodes.when(second, "cordoned")).toBeGreaterThanOrEqual(ready[0].at);
        await cluster.expectInService(...workers);
        const after = await cluster.machines();
        for (const name of replaced) expect(after[name].id).not.toBe(before[name].id);
        expect(after[workers[2]]).toEqual(before[workers[2]]);
    });

    test("another template reinstalls one machine at a time; etcd and what it stores are kept", async () => {
        const before = await cluster.machines();
        await cluster.kubernetes.kubectl("create", "configmap", "before");
        cluster.kubernetes.change((args) => ({ ...args, template: "Debian 12" }));
        const nodes = await cluster.watched("another template", up);
        cluster.expectOneAtATime(nodes, ["dev-k8s-a", ...workers]);
        await cluster.expectInService(...workers);
        const { items } = await cluster.kubernetes.get("nodes");
        for (const { status } of items) expect(status.nodeInfo.osImage).toContain("12 (bookworm)");
        const after = await cluster.machines();
        for (const [name, { id }] of Object.entries(before)) expect(after[name].id).toBe(id);
        await cluster.kubernetes.kubectl("get", "configmap", "before");
        await cluster.kubernetes.project.expectNoChanges();
    });
});
