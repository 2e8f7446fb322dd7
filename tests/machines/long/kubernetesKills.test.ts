/** `kill -9` of the engine in the middle of changes of pools on real machines: the next `pulumi up` comes to the same end. */
import { waitUntil } from "../support/lab";
import { nodeOf, type Pools, PoolsCluster } from "../support/pools";
import { withKubernetes } from "../support/possible";
import { NodesWatch } from "../support/watches";

jest.setTimeout(900_000);

withKubernetes("changes of pools whose engine is killed", () => {
    let cluster: PoolsCluster;
    const workers = [nodeOf("worker", "a"), nodeOf("worker", "b"), nodeOf("batch", "x")];
    const usual = (worker: object = {}, batch: object = {}): Pools => ({
        worker: { nodes: ["a", "b"], ...worker },
        batch: { nodes: ["x"], ...batch },
    });
    const added = nodeOf("worker", "c");
    const up = () => cluster.kubernetes.up();

    /** Kills the engine, or all that it has started as well, at a moment of `pulumi up`. */
    async function killed(victim: "cli" | "all", isMoment: (nodes: NodesWatch) => boolean | Promise<boolean>) {
        const { project } = cluster.kubernetes;
        const nodes = new NodesWatch(cluster.kubernetes);
        const running = await project.start("up");
        try {
            await waitUntil("the moment of the kill", () => isMoment(nodes), 300);
            running.kill9(victim);
            expect((await running.finished).code).not.toBe(0);
        } finally {
            running.kill9("all");
            await nodes.end();
        }
        await project.cancel();
    }

    const statesOf = async (name: string) => (await cluster.records(name)).map(({ state }) => state);

    beforeAll(async () => {
        cluster = await PoolsCluster.create("10.1.88.0/24", usual());
    });
    afterAll(() => cluster?.dispose());

    test("while a pool grows: the next run finishes it, with one machine of each name", async () => {
        const before = await cluster.machines();
        cluster.usePools(usual({ nodes: ["a", "b", "c"] }));
        await killed("all", async () => (await statesOf(added)).length > 0);
        await cluster.watched("growth after a kill", up);
        await cluster.expectInService(...workers, added);
        expect(await statesOf(added)).toEqual(["Running"]);
        expect(await cluster.machines()).toMatchObject(before);
    });

    test("while a machine is removed: the next run finishes it, and touches no other", async () => {
        const { [added]: _removed, ...before } = await cluster.machines();
        cluster.usePools(usual());
        await cluster.watched("a removal, killed and run again", async () => {
            await killed("cli", (nodes) => nodes.when(added, "cordoned") !== undefined);
            await up();
        });
        expect(await statesOf(added)).toEqual([]);
        expect(await cluster.machines()).toEqual(before);
        await cluster.expectInService(...workers);
    });

    test("in the middle of a rolling change: the next run goes on, and the budget holds", async () => {
        await cluster.spread();
        const large = { serviceOffering: "Large Instance" };
        cluster.usePools(usual(large, large));
        await cluster.watched("a rolling change, killed and run again", async () => {
            // The second machine is being stopped.
            await killed("all", async (nodes) => {
                const [, second] = nodes.order("cordoned");
                return second !== undefined && !(await statesOf(second)).includes("Running");
            });
            await up();
        });
        expect(await cluster.offerings(...workers)).toEqual(workers.map(() => "Large Instance"));
        await cluster.expectInService(...workers);
        await cluster.kubernetes.project.expectNoChanges();
    });
});
