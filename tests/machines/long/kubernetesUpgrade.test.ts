/**
 * An upgrade by one minor version on real machines, of etcd and Kubernetes at once, by one change of the program and one
 * `pulumi up`, while clients write all the time; and one whose engine is killed in the middle.
 */
import { RealKubernetes } from "../support/kubernetes";
import { waitUntil } from "../support/lab";
import { withKubernetes } from "../support/possible";
import { NEWEST } from "../support/template";
import { versionsDuring, violations } from "../support/versions";
import { WrittenCluster } from "../support/written";

// The demo's page.
const { web } = require("../../../scripts/webPage");

jest.setTimeout(1_800_000);

const BEFORE = "1.35.8";
const versions = [BEFORE, NEWEST];

/** The change of the program. */
const upgrade = (cluster: RealKubernetes) =>
    cluster.change(({ etcd, kubernetes, ...rest }) => ({
        ...rest,
        etcd: { ...etcd, version: "3.6.14" },
        kubernetes: { ...kubernetes, kubernetesVersion: NEWEST },
    }));

/** All kubelets, API servers and members of etcd have the new version. */
async function expectUpgraded(cluster: RealKubernetes, members: string): Promise<void> {
    const { items } = await cluster.get("nodes");
    expect(new Set(items.map(({ status }: any) => status.nodeInfo.kubeletVersion))).toEqual(new Set([`v${NEWEST}`]));
    const images = (await cluster.get("pods", "-n", "kube-system")).items.flatMap(({ spec }: any) =>
        spec.containers.map(({ image }: any) => image),
    );
    const ours = images.filter((image: string) => /kube-(apiserver|controller-manager|scheduler|proxy):/.test(image));
    expect(ours.filter((image: string) => !image.endsWith(`:v${NEWEST}`))).toEqual([]);
    for (const key of members)
        expect(await cluster.cloud.exec(`dev-etcd-etcd-${key}`, "/usr/local/bin/etcd", "--version")).toContain(
            "3.6.14",
        );
}

withKubernetes("an upgrade of three control planes and two workers", () => {
    let cluster: RealKubernetes;
    let written: WrittenCluster;
    const nodes = ["a", "b", "c", "worker-0", "worker-1"].map((key) => `dev-k8s-${key}`);

    beforeAll(async () => {
        cluster = await RealKubernetes.create(
            "10.1.92.0/24",
            { etcd: "abc", controlPlanes: "abc", pools: { worker: { count: 2 } } },
            { etcd: { version: "3.5.33" } },
            versions,
        );
        written = new WrittenCluster(cluster, nodes);
        await cluster.up();
        await written.allReady();
        await cluster.apply(...web("web", 3, "$(hostname)"));
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        await written.writeOutside();
    });
    afterAll(async () => {
        console.log(written?.table());
        await (written ?? cluster)?.dispose();
    });

    test("one pulumi up upgrades etcd, then control planes, then workers, and no kubelet is ever newer than its API", async () => {
        const { kubeconfigs } = await cluster.project.outputs();
        const seen = await versionsDuring(kubeconfigs, () =>
            written.event(`upgrade ${BEFORE} to ${NEWEST}, etcd 3.5.33 to 3.6.14`, async () => {
                upgrade(cluster);
                await cluster.up();
            }),
        );
        console.log(seen.map((one) => JSON.stringify(one)).join("\n"));
        expect(seen.length).toBeGreaterThan(nodes.length);
        expect(seen.flatMap(violations)).toEqual([]);
        await expectUpgraded(cluster, "abc");
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        await cluster.project.expectNoChanges();
    });

    test("no acknowledged object is lost", async () => {
        expect(await written.lost()).toEqual([]);
    });

    test("going back, and skipping a minor version, are refused at preview", async () => {
        for (const version of [BEFORE, "1.38.0"]) {
            cluster.change(({ etcd, kubernetes, ...rest }) => ({
                ...rest,
                etcd,
                kubernetes: { ...kubernetes, kubernetesVersion: version },
            }));
            const { code, errors } = await cluster.project.preview({ mayFail: true });
            expect(code).not.toBe(0);
            expect(errors.join("\n")).toContain("kubernetesVersion");
        }
    });
});

withKubernetes("an upgrade whose engine is killed", () => {
    let cluster: RealKubernetes;
    const nodes = ["a", "worker-0"].map((key) => `dev-k8s-${key}`);

    beforeAll(async () => {
        cluster = await RealKubernetes.create(
            "10.1.93.0/24",
            { etcd: "a", controlPlanes: "a", pools: { worker: { count: 1 } } },
            { etcd: { version: "3.5.33" } },
            versions,
        );
        await cluster.up();
        await new WrittenCluster(cluster, nodes).allReady();
        await cluster.kubectl("create", "configmap", "before");
    });
    afterAll(() => cluster?.dispose());

    test("pulumi cancel and pulumi up end as if it had not been", async () => {
        upgrade(cluster);
        const { kubeconfigs } = await cluster.project.outputs();
        const seen = await versionsDuring(kubeconfigs, async () => {
            const running = await cluster.project.start("up");
            const isNew = async () =>
                (await cluster.cloud.exec(nodes[0], "cat", "/etc/kubernetes/node.env")).includes(`v${NEWEST}`);
            await waitUntil("the control plane is being installed anew", isNew, 600);
            running.kill9("all");
            await running.finished;
            await cluster.project.cancel();
            await cluster.up();
        });
        expect(seen.flatMap(violations)).toEqual([]);
        await new WrittenCluster(cluster, nodes).allReady();
        await expectUpgraded(cluster, "a");
        await cluster.kubectl("get", "configmap", "before");
        await cluster.project.expectNoChanges();
    });
});
