/** `pulumi up` of an etcd cluster on real machines: the part of `long/etcd.test.ts` that `npm test` runs. */
import { RealCluster } from "./support/cluster";
import { withMachines } from "./support/possible";
import { refusalOf } from "./support/tls";

withMachines("an etcd cluster on real machines", () => {
    let cluster: RealCluster;

    beforeAll(async () => void (cluster = await RealCluster.create("10.1.71.0/24", {})));
    afterAll(() => cluster.dispose());

    test("three members are healthy when pulumi up ends; a second run changes nothing", async () => {
        const started = Date.now();
        const { errors, warnings, infos, stdout } = await cluster.up();
        console.log(`from pulumi up to three healthy members: ${((Date.now() - started) / 1000).toFixed(1)} s`);
        // Progress of members that start is not kept among the messages.
        expect([errors, warnings, infos]).toEqual([[], [], []]);
        expect(stdout).not.toContain("Diagnostics:");
        const { health } = await cluster.project.outputs();
        expect(health).toEqual({ "dev-db-etcd-a": "healthy", "dev-db-etcd-b": "healthy", "dev-db-etcd-c": "healthy" });
        await cluster.project.expectNoChanges();
    });

    test("a client without a certificate of the clients' authority is refused", async () => {
        const { ca, certificate, key, endpoints } = await cluster.access();
        const files = await cluster.peerCertificate("a");
        expect(await refusalOf(endpoints[0], { ca, certificate, key })).toBeUndefined();
        expect(await refusalOf(endpoints[0], { ca })).toMatch(/certificate required|alert|ECONNRESET/i);
        expect(await refusalOf(endpoints[0], { ca, ...files })).toMatch(/alert|unknown|bad certificate|ECONNRESET/i);
    });

    test("a member changes its size with a short stop, and no write is lost", async () => {
        await cluster.startWriter();
        await cluster.recordEvent("a larger service offering", true, async () => {
            cluster.change({ serviceOffering: "Medium Instance" });
            await cluster.up();
        });
        await cluster.recordEvent("a member rebooted", true, async () => {
            await cluster.cloud.client.done("rebootVirtualMachine", { id: (await cluster.fromApi("a")).id });
        });
        console.log(cluster.table());
        const { lost, wentBack, acknowledged } = await cluster.writer!.end();
        expect({ lost, wentBack }).toEqual({ lost: [], wentBack: [] });
        expect(acknowledged).toBeGreaterThan(100);
        cluster.expectShortGaps();
    });

    test("can be destroyed, and leaves nothing on the host", async () => {
        await cluster.project.destroy();
        expect(await cluster.cloud.client.list("listVirtualMachines")).toEqual([]);
    });
});
