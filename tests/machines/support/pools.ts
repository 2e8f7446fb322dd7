/** A cluster whose pools change while a client watches the nodes, and the endpoints of a Service with a disruption budget. */
import { setTimeout as sleep } from "node:timers/promises";
import { RealKubernetes } from "./kubernetes";
import { waitUntil } from "./lab";
import { EndpointsWatch, NodesWatch } from "./watches";

// The demo's page.
const { web } = require("../../../scripts/webPage");

/** Of the Deployment `web`. */
export const REPLICAS = 3;

/** The arguments of pools, by name. */
export type Pools = Record<string, Record<string, unknown>>;

/** The name of a node. */
export const nodeOf = (pool: string, key: string | number) => `dev-k8s-${pool}-${key}`;

export const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

/** A machine as a node: the same where nothing was touched. */
export interface Identity {
    /** The machine's id. */
    readonly id: string;
    /** The id of its boot. */
    readonly boot: string;
    /** The uid of its Node object. */
    readonly node: string;
    /** The id of kubelet's start. */
    readonly kubelet: string;
}

export class PoolsCluster {
    readonly kubernetes: RealKubernetes;
    /** What was proved, printed at the end. */
    private readonly figures: string[] = [];

    private constructor(kubernetes: RealKubernetes) {
        this.kubernetes = kubernetes;
    }

    /** One etcd member, one control plane, and these pools, with the Deployment `web` of which two pods must be available. */
    static async create(cidr: string, pools: Pools): Promise<PoolsCluster> {
        const size = { etcd: "a", controlPlanes: "a", pools };
        const cluster = new PoolsCluster(await RealKubernetes.create(cidr, size));
        await cluster.kubernetes.up();
        await cluster.kubernetes.apply(...web("web", REPLICAS, "$(hostname)"));
        await cluster.allow(REPLICAS - 2);
        await cluster.rolledOut();
        return cluster;
    }

    async dispose(): Promise<void> {
        console.log(this.figures.join("\n"));
        await this.kubernetes.dispose();
    }

    note(what: string, figure: string | number): void {
        this.figures.push(`${what.padEnd(72)} ${figure}`);
    }

    /** Sets how many pods of `web` may be unavailable. */
    allow(unavailable: number): Promise<void> {
        return this.kubernetes.apply({
            apiVersion: "policy/v1",
            kind: "PodDisruptionBudget",
            metadata: { name: "web", namespace: "default" },
            spec: { minAvailable: REPLICAS - unavailable, selector: { matchLabels: { app: "web" } } },
        });
    }

    rolledOut(): Promise<string> {
        return this.kubernetes.kubectl("rollout", "status", "deployment/web", "--timeout=180s");
    }

    /** Starts the pods of `web` anew: one on each worker where they fit. */
    async spread(): Promise<void> {
        await this.kubernetes.kubectl("rollout", "restart", "deployment/web");
        await this.rolledOut();
    }

    /** Changes the program's pools. */
    usePools(pools: Pools): void {
        const full = Object.entries(pools).map(([name, pool]) => [
            name,
            { serviceOffering: "Medium Instance", ...pool },
        ]);
        this.useArguments({ pools: Object.fromEntries(full) });
    }

    /** Changes arguments of the program's cluster. */
    useArguments(more: object): void {
        this.kubernetes.change((args) => ({ ...args, kubernetes: { ...args.kubernetes, ...more } }));
    }

    /** The machines of the cluster, by the name of their node. */
    async machines(): Promise<Record<string, Identity>> {
        const { cloud } = this.kubernetes;
        const { items } = await this.kubernetes.get("nodes");
        const list = (await cloud.client.list("listVirtualMachines")) as any[];
        const entries = items.map(async ({ metadata: { name, uid }, status }: any) => {
            const kubelet = await cloud.exec(name, "systemctl", "show", "-P", "InvocationID", "kubelet");
            const { id } = list.find((machine) => machine.name === name);
            return [name, { id, boot: status.nodeInfo.bootID, node: uid, kubelet: kubelet.trim() }];
        });
        return Object.fromEntries(await Promise.all(entries));
    }

    /** The cloud's record of a machine, in a list that is empty if there is none. */
    records(name: string): Promise<any[]> {
        return this.kubernetes.cloud.client.list("listVirtualMachines", { name });
    }

    /** The containers of the pods on nodes, and how often each was started. */
    async containers(...nodes: string[]): Promise<string[]> {
        const { items } = await this.kubernetes.get("pods", "-A");
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

    /** Labels and taints of a node, but for those that Kubernetes itself gives. */
    async declared(node: string): Promise<{ labels: Record<string, string>; taints: string[] }> {
        const { metadata, spec } = await this.kubernetes.get("node", node);
        const own = Object.entries<string>(metadata.labels).filter(([key]) => !/^(beta\.)?kubernetes\.io\//.test(key));
        const taints = (spec.taints ?? []).map(({ key, value, effect }: any) => `${key}=${value}:${effect}`);
        return { labels: Object.fromEntries(own), taints };
    }

    /** When a machine was asked for: as soon as the cloud lists it. */
    async requested(name: string): Promise<number> {
        while ((await this.records(name)).length === 0) await sleep(100);
        return Date.now();
    }

    /** Does something while nodes, and the endpoints of `web`, are watched; two endpoints are always Ready. */
    async watched(what: string, action: () => Promise<unknown>): Promise<NodesWatch> {
        await this.rolledOut();
        const endpoints = new EndpointsWatch(this.kubernetes, "web");
        const nodes = new NodesWatch(this.kubernetes);
        const started = Date.now();
        try {
            await waitUntil("both watches see", () => endpoints.events > 0 && nodes.events > 0);
            await action();
        } finally {
            await Promise.all([endpoints.end(), nodes.end()]);
        }
        this.note(what, `${seconds(Date.now() - started)}, fewest Ready endpoints ${endpoints.minimum} of ${REPLICAS}`);
        expect(endpoints.minimum).toBeGreaterThanOrEqual(2);
        return nodes;
    }

    /** Expects that these nodes and the control plane are Ready and take pods, and that there are no others. */
    async expectInService(...workers: string[]): Promise<void> {
        expect(await this.kubernetes.ready()).toEqual(["dev-k8s-a", ...workers].sort());
        const { items } = await this.kubernetes.get("nodes");
        expect(items.filter(({ spec }: any) => spec.unschedulable === true)).toEqual([]);
        expect(items).toHaveLength(workers.length + 1);
    }

    /** Expects that these nodes were drained, one at a time: each was Ready again before the next one was cordoned. */
    expectOneAtATime(nodes: NodesWatch, names: readonly string[]): void {
        const order = nodes.order("cordoned");
        this.note("    order", order.join(", "));
        expect([...order].sort()).toEqual([...names].sort());
        expect(nodes.mostCordoned).toBe(1);
    }

    /** The service offerings of machines. */
    offerings(...names: string[]): Promise<string[]> {
        return Promise.all(names.map(async (name) => (await this.records(name))[0].serviceofferingname));
    }
}
