/**
 * A release file whose checksum differs from the manifest: the machine does not install it, and the user learns which
 * file it is.
 */
import { readFileSync } from "node:fs";
import { RealCluster } from "../support/cluster";
import { withMachines } from "../support/possible";

const WRONG = "0".repeat(64);

withMachines("a release file with a wrong checksum", () => {
    let cluster: RealCluster;

    beforeAll(async () => {
        cluster = await RealCluster.create("10.1.73.0/24", { waitForTimeoutSeconds: 20 }, "a");
    });
    afterAll(() => cluster.dispose());

    /** As many rows as etcd has files in the manifest, with this checksum in place of theirs. */
    async function artifacts(sum?: string): Promise<object> {
        const { CLOUDSTACK_LOCAL_MIRROR: mirror, CLOUDSTACK_LOCAL_MANIFEST: file } = await cluster.cloud.environment();
        const manifest: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));
        const entries = Object.entries(manifest).map(([name, right]) => [name, sum ?? right]);
        return { mirror, manifest: Object.fromEntries(entries) };
    }

    test("is not installed: the machine's console names the file, and pulumi up names the member", async () => {
        cluster.change({ artifacts: await artifacts(WRONG) });
        const { code, errors } = await cluster.up({ mayFail: true });
        expect(code).not.toBe(0);
        expect(errors.join("\n")).toContain("dev-db-etcd-a");
        const consoleText = await cluster.cloud.command("console", cluster.machine("a"), "--lines", "2000");
        const named = new RegExp(`(etcd-v\\S+\\.tar\\.gz) has the wrong SHA-256: expected ${WRONG}, got [0-9a-f]{64}`);
        expect(consoleText).toMatch(named);
        const programs = await cluster.cloud.exec(cluster.machine("a"), "find", "/usr/local/bin", "-name", "etcd*");
        expect(programs).toBe("");
    });

    test("is installed after its checksum was corrected, by a reinstallation", async () => {
        cluster.change({ artifacts: await artifacts(), waitForTimeoutSeconds: 120 });
        // No member is healthy, and an update that takes one down would wait for that without this argument.
        const refused = await cluster.up({ mayFail: true });
        expect(refused.errors.join("\n")).toMatch(/dev-db-etcd-a.*allowUnhealthy/s);
        cluster.change({ allowUnhealthy: ["a"] });
        await cluster.up();
        await cluster.waitForHealth();
    });
});
