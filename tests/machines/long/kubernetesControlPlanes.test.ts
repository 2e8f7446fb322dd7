/**
 * What three control planes survive, on real machines: each is lost, the first included, and made again by `pulumi up`, while
 * a client on a worker and one outside write all the time. Not one acknowledged object may be lost.
 */
import { RealKubernetes } from "../support/kubernetes";
import { waitUntil } from "../support/lab";
import { withKubernetes } from "../support/possible";
import { WrittenCluster } from "../support/written";

jest.setTimeout(900_000);

/** A client may wait no longer when a control plane is lost. */
const GAP = 5_000;

withKubernetes("what three control planes survive", () => {
    let cluster: RealKubernetes;
    let written: WrittenCluster;
    const client = () => cluster.cloud.client;
    const worker = "dev-k8s-worker-0";
    const planes = ["a", "b", "c"].map((key) => `dev-k8s-${key}`);
    const machine = async (name: string) => (await client().list("listVirtualMachines", { name }))[0];
    const expunge = async (name: string) =>
        client().done("destroyVirtualMachine", { id: (await machine(name)).id, expunge: true });
    const repair = () => cluster.up({ args: ["--refresh"] });
    const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

    beforeAll(async () => {
        cluster = await RealKubernetes.create("10.1.91.0/24", {
            etcd: "abc",
            controlPlanes: "abc",
            pools: { worker: { count: 1 } },
        });
        written = new WrittenCluster(cluster, [...planes, worker]);
        const started = Date.now();
        await cluster.up();
        console.log(`pulumi up of 3 etcd, 3 control planes, 1 worker: ${((Date.now() - started) / 1000).toFixed(0)} s`);
        await written.allReady();
        await written.writeInside(worker);
        await written.writeOutside();
    });
    afterAll(async () => {
        console.log(written?.table());
        await (written ?? cluster)?.dispose();
    });

    test.each(planes)("%s is lost: the API stays, and the next pulumi up replaces the machine", async (plane) => {
        const lost = await written.event(`${plane} is expunged and replaced`, async () => {
            await expunge(plane);
            // As long as nobody notices: what clients wait for is not pulumi.
            await sleep(20);
            await repair();
        });
        for (const [place, { longestGapMilliseconds: gap }] of Object.entries(lost.clients))
            expect(`${place}: ${gap < GAP ? "short" : `${gap} ms`}`).toBe(`${place}: short`);
        await cluster.project.expectNoChanges();
    });

    test("an etcd member and a control plane lost at the same time are replaced by one pulumi up", async () => {
        await written.event("etcd member b and dev-k8s-b are expunged and replaced", async () => {
            await Promise.all([expunge("dev-etcd-etcd-b"), expunge("dev-k8s-b")]);
            await repair();
        });
        await cluster.project.expectNoChanges();
    });

    test("the engine is killed during a replacement: pulumi cancel and pulumi up end as if it had not been", async () => {
        await written.event("dev-k8s-c is replaced, with kill -9 of the engine", async () => {
            await expunge("dev-k8s-c");
            const running = await cluster.project.start("up", { args: ["--refresh"] });
            await waitUntil("the new machine runs", async () => (await machine("dev-k8s-c"))?.state === "Running", 120);
            running.kill9("all");
            await running.finished;
            await cluster.project.cancel();
            await cluster.up();
        });
        await cluster.project.expectNoChanges();
    });

    test("a power cut of everything: all nodes are Ready again when the machines have started, without pulumi", async () => {
        await written.event("power cut and cold start of all machines", async () => {
            const all = (await client().list("listVirtualMachines")) as { id: string; name: string }[];
            await Promise.all(all.map(({ name }) => cluster.cloud.killMachine(name)));
            await waitUntil("all machines are stopped", async () =>
                (await client().list("listVirtualMachines")).every(({ state }: any) => state === "Stopped"),
            );
            await Promise.all(all.map(({ id }) => client().done("startVirtualMachine", { id })));
        });
        await cluster.project.expectNoChanges();
    });

    test("no acknowledged object is lost", async () => {
        expect(await written.lost()).toEqual([]);
    });

    test("is destroyed, and nothing is left in the cloud", async () => {
        await cluster.project.destroy();
        expect(await client().list("listVirtualMachines")).toEqual([]);
    });
});
