/** Kubernetes' own conformance tests, all of them, on a cluster of real machines: `npm run test:conformance`. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { RealKubernetes } from "../machines/support/kubernetes";
import { withConformance } from "../machines/support/possible";
import { tableOf } from "./report";
import { conformanceCluster, runSuite } from "./suite";

/** The fewest that have to run for the result to mean anything. */
const FEWEST = 300;

/** Not `console.log`, which Jest shows only when the test has ended. */
const say = (text: string) => fs.writeSync(2, `${text}\n`);

withConformance("Kubernetes' conformance tests", () => {
    let cluster: RealKubernetes;

    beforeAll(async () => {
        cluster = await conformanceCluster("10.1.96.0/24");
        await cluster.up();
    });
    afterAll(() => cluster?.dispose());

    test("pass", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-conformance-"));
        say(`report and log: ${folder}`);
        const outcome = await runSuite(cluster, { folder, onProgress: say });
        say(tableOf(outcome));
        expect({ failed: outcome.failed, broken: outcome.broken }).toEqual({ failed: [], broken: [] });
        expect(outcome.passed.length).toBeGreaterThanOrEqual(FEWEST);
    });
});
