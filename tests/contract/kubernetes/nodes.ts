/** What kubelets and a scheduler would do, by hand: Node objects whose pods run as soon as they are bound. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesApi } from "../../../provider/kubernetes/api";
import type { Pod } from "../../../provider/kubernetes/drain";

export class HandmadeNodes {
    private readonly api: KubernetesApi;
    private readonly timer: NodeJS.Timeout;
    private working: Promise<void> = Promise.resolve();
    /** By node. */
    private readonly ready = new Map<string, boolean>();
    private beats = 0;

    constructor(api: KubernetesApi) {
        this.api = api;
        this.timer = setInterval(
            () => (this.working = this.working.then(() => this.work()).catch(() => undefined)),
            200,
        );
    }

    async stop(): Promise<void> {
        clearInterval(this.timer);
        await this.working;
    }

    async add(...names: string[]): Promise<void> {
        for (const name of names) {
            await this.api.post("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name } });
            await this.report(name, true);
        }
    }

    /** A kubelet's report; each has another time. */
    async report(
        name: string,
        isReady: boolean,
        message = isReady ? "kubelet is posting ready status" : "it is broken",
    ) {
        this.ready.set(name, isReady);
        const lastHeartbeatTime = new Date(Date.UTC(2030, 0, 1) + ++this.beats * 1000).toISOString();
        const condition = { type: "Ready", status: isReady ? "True" : "False", reason: "Test", message };
        await this.api.patch(`/api/v1/nodes/${name}/status`, {
            status: { conditions: [{ ...condition, lastHeartbeatTime, lastTransitionTime: lastHeartbeatTime }] },
        });
    }

    /** One that nobody reports for: as its kubelet left it. */
    silence(name: string): void {
        this.ready.set(name, false);
    }

    async pods(): Promise<(Pod & { spec: { nodeName?: string }; status?: any })[]> {
        return (await this.api.get("/api/v1/pods")).items;
    }

    /** Pods that count as available: running, and not about to end. */
    async available(): Promise<number> {
        return (await this.pods()).filter(
            ({ metadata, status }) => metadata.deletionTimestamp === undefined && isReady(status),
        ).length;
    }

    /** Deletes everything, so that tests begin with nothing. */
    async clear(): Promise<void> {
        const at = "namespaces/default";
        for (const kind of [`/apis/apps/v1/${at}/deployments`, `/apis/apps/v1/${at}/replicasets`])
            for (const { metadata } of (await this.api.get(kind)).items)
                await this.api.delete(`${kind}/${metadata.name}?propagationPolicy=Background`);
        for (const kind of [`/apis/policy/v1/${at}/poddisruptionbudgets`, "/api/v1/nodes"])
            for (const { metadata } of (await this.api.get(kind)).items)
                await this.api.delete(`${kind}/${metadata.name}`);
        for (const { metadata } of await this.pods()) await this.end(metadata.namespace, metadata.name);
        this.ready.clear();
    }

    private end(namespace: string, name: string): Promise<void> {
        return this.api.delete(`/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`);
    }

    /** Ends what is to end, binds what is pending to the node with the fewest pods, and says that it runs. */
    private async work(): Promise<void> {
        const pods = await this.pods();
        const nodes: any[] = (await this.api.get("/api/v1/nodes")).items;
        const open = nodes
            .filter(({ metadata, spec }) => this.ready.get(metadata.name) === true && spec.unschedulable !== true)
            .map(({ metadata }) => metadata.name);
        const load = (node: string) => pods.filter(({ spec }) => spec.nodeName === node).length;
        for (const { metadata, spec, status } of pods) {
            const { namespace, name } = metadata;
            const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
            if (metadata.deletionTimestamp !== undefined) {
                if (this.ready.get(spec.nodeName ?? "") === true) await this.end(namespace, name);
            } else if (spec.nodeName === undefined) {
                const [target] = [...open].sort((a, b) => load(a) - load(b));
                if (target === undefined) continue;
                await this.api.post(`${path}/binding`, {
                    ...{ apiVersion: "v1", kind: "Binding", metadata: { name } },
                    target: { kind: "Node", name: target },
                });
                spec.nodeName = target;
            } else if (!isReady(status) && this.ready.get(spec.nodeName) === true) {
                await sleep(300);
                await this.api.patch(`${path}/status`, {
                    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
                });
            }
        }
    }
}

function isReady(status: any): boolean {
    return (status?.conditions ?? []).some(
        (condition: any) => condition.type === "Ready" && condition.status === "True",
    );
}

const podSpec = (more: object = {}) => ({
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "none" }],
    ...more,
});

/** A Deployment with a disruption budget, when all of its pods are available. */
export async function deploy(api: KubernetesApi, name: string, replicas: number, minAvailable: number): Promise<void> {
    const selector = { matchLabels: { app: name } };
    const template = { metadata: { labels: { app: name } }, spec: podSpec() };
    await api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets", {
        ...{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name } },
        spec: { minAvailable, selector },
    });
    await api.post("/apis/apps/v1/namespaces/default/deployments", {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name } },
        spec: { replicas, selector, template },
    });
}

/** A pod of its own on a node. */
export async function podOn(api: KubernetesApi, node: string, name: string, metadata: object = {}): Promise<void> {
    await api.post("/api/v1/namespaces/default/pods", {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name, ...metadata } },
        spec: podSpec({ nodeName: node }),
    });
}
