import { RealKubernetes } from "../machines/support/kubernetes";
import { type Figure, atMost, figure } from "./table";

/** What shows that a stage has ended on a machine: the time when this unit had started, or, for a job, succeeded. */
const UNITS: readonly (readonly [stage: string, unit: string, pattern: RegExp])[] = [
    ["machines have booted, cloud-init has read the user data", "cloud-config.service", /./],
    ["etcd runs on all members", "etcd.service", /-etcd-/],
    ["programs of the nodes are installed", "cs-fetch.service", /-k8s-/],
    ["images are imported", "kubernetes-images.service", /-k8s-/],
    ["kubelet runs on all nodes", "kubelet.service", /-k8s-/],
];

/** Deploys three etcd members, a control plane and four workers, then one more worker. */
export async function kubernetesCluster(): Promise<{ stages: Figure[]; machines: string }> {
    // The default, which tests shorten.
    const usual = { convergeIntervalSeconds: 300 };
    const cluster = await RealKubernetes.create(
        "10.1.98.0/24",
        { etcd: "abc", controlPlanes: "a", pools: { worker: { count: 4 } } },
        { etcd: usual, kubernetes: usual },
    );
    try {
        const started = Date.now();
        await cluster.up();
        const all = seconds(started, Date.now());
        const machines = await cluster.cloud.client.list("listVirtualMachines");
        const names = machines.map(({ name }) => name).sort();
        const stages: Figure[] = [];
        for (const [stage, unit, pattern] of UNITS) {
            const matching = names.filter((name) => pattern.test(name));
            const ends = await Promise.all(matching.map((name) => startOf(cluster, name, unit)));
            stages.push(figure(stage, seconds(started, Math.max(...ends)), " s"));
        }
        const nodes = await readyTimes(cluster);
        stages.push(
            figure("the control plane is Ready", seconds(started, nodes["dev-k8s-a"]), " s"),
            figure("all nodes are Ready", seconds(started, Math.max(...Object.values(nodes))), " s"),
            atMost("`pulumi up` has ended: CoreDNS, kube-proxy and Flannel run", 75, all, " s"),
        );
        const each = await usage(cluster);
        stages.push(await oneMore(cluster));
        return { stages, machines: each };
    } finally {
        await cluster.project.destroy();
        await cluster.dispose();
    }
}

/** From the request for a machine to its node's readiness. */
async function oneMore(cluster: RealKubernetes): Promise<Figure> {
    const count = 5;
    cluster.change(({ kubernetes, ...rest }) => {
        const { worker, ...others } = kubernetes.pools;
        return { ...rest, kubernetes: { ...kubernetes, pools: { ...others, worker: { ...worker, count } } } };
    });
    await cluster.up();
    const name = `dev-k8s-worker-${count - 1}`;
    const [{ created }] = await cluster.cloud.client.list("listVirtualMachines", { name });
    const ready = (await readyTimes(cluster))[name];
    return atMost(
        "one more worker: from the request for its machine to Ready",
        15,
        seconds(Date.parse(created), ready),
        " s",
    );
}

/** When each node became Ready, in milliseconds. */
async function readyTimes(cluster: RealKubernetes): Promise<Record<string, number>> {
    const { items } = await cluster.get("nodes");
    return Object.fromEntries(
        items.map((node: any) => {
            const { lastTransitionTime } = node.status.conditions.find((one: any) => one.type === "Ready");
            return [node.metadata.name, Date.parse(lastTransitionTime)];
        }),
    );
}

async function startOf(cluster: RealKubernetes, machine: string, unit: string): Promise<number> {
    const show = ["systemctl", "show", "--timestamp=us+utc", "--property=ActiveEnterTimestamp", "--value", unit];
    const text = await cluster.cloud.exec(machine, ...show);
    // Such as "Sun 2026-11-29 17:07:46.306368 UTC".
    return Date.parse(text.trim().replace(/^\S+ (\S+) (\S+) UTC$/, "$1T$2Z"));
}

/** Memory and processor time of each machine when the cluster is ready, as a table. */
async function usage(cluster: RealKubernetes): Promise<string> {
    const rows = JSON.parse(await cluster.cloud.command("ps", "--json")).map(
        ({ name, memoryBytes, processorSeconds }: any) =>
            `| ${name} | ${Math.round(memoryBytes / 2 ** 20)} MiB | ${processorSeconds.toFixed(1)} s |`,
    );
    return ["| machine | memory | processor time |", "|---|---|---|", ...rows].join("\n");
}

function seconds(from: number, to: number): number {
    return (to - from) / 1000;
}
