/** A dozen of Kubernetes' own conformance tests, of what applications use most; `tests/conformance` runs all of them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { conformanceCluster, runSuite } from "../../conformance/suite";
import { tableOf } from "../../conformance/report";
import type { RealKubernetes } from "../support/kubernetes";
import { withConformance } from "../support/possible";

/** By parts of their names, of which each is one test's. */
const DOZEN = [
    "[sig-node] Pods should be submitted and removed",
    "[sig-node] Pods should get a host IP",
    "[sig-node] Pods should contain environment variables for services",
    "[sig-network] Services should be able to change the type from ExternalName to ClusterIP",
    "[sig-network] Services should serve multiport endpoints from pods",
    "[sig-network] DNS should provide DNS for the cluster",
    "[sig-network] DNS should provide DNS for services",
    "[sig-node] Probing container should be restarted with a /healthz http liveness probe",
    '[sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe',
    "[sig-storage] Projected combined should project all components that make up the projection API",
    "[sig-storage] Projected configMap updates should be reflected in volume",
    "[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning",
] as const;

withConformance("a dozen of Kubernetes' conformance tests", () => {
    let cluster: RealKubernetes;

    beforeAll(async () => {
        cluster = await conformanceCluster("10.1.95.0/24");
        await cluster.up();
    });
    afterAll(() => cluster?.dispose());

    test("pass", async () => {
        const folder = path.join(cluster.cloud.state, "conformance");
        const outcome = await runSuite(cluster, { names: DOZEN, folder });
        const log = outcome.failed.length > 0 ? fs.readFileSync(path.join(folder, "ginkgo.log"), "utf8") : "";
        console.log(`${tableOf(outcome)}\n${log.slice(-20_000)}`);
        expect({ failed: outcome.failed, broken: outcome.broken }).toEqual({ failed: [], broken: [] });
        for (const name of DOZEN) expect(outcome.passed.filter((one) => one.includes(name))).toHaveLength(1);
    }, 1_800_000);
});
