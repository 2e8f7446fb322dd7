/** A Kubernetes cluster of several control planes that is written to all the time, while things happen to it. */
import { ApiWriter, credentialsOf, NAMESPACE, type Writes } from "./apiWriter";
import type { RealKubernetes } from "./kubernetes";
import { waitUntil } from "./lab";

/** An event of the cluster's life, as the table at the end shows it. */
interface Event {
    readonly name: string;
    readonly seconds: number;
    /** What clients noticed, by their place. */
    readonly clients: Readonly<Record<string, Writes>>;
}

export class WrittenCluster {
    readonly cluster: RealKubernetes;
    /** Names of all nodes. */
    readonly nodes: readonly string[];
    readonly events: Event[] = [];
    private readonly writers: Record<string, ApiWriter> = {};
    private readonly ended: ApiWriter[] = [];

    constructor(cluster: RealKubernetes, nodes: readonly string[]) {
        this.cluster = cluster;
        this.nodes = [...nodes].sort();
    }

    /** Lets a client in a machine write through the API balancer of its node. */
    async writeInside(machine: string): Promise<void> {
        await this.write(`in ${machine}`, ["127.0.0.1:7443"], this.cluster.cloud.entering(machine));
    }

    /** Lets a client on this computer write through the addresses of all kubeconfigs. */
    async writeOutside(): Promise<void> {
        const all = Object.values<string>((await this.cluster.project.outputs()).kubeconfigs);
        await this.write(
            "outside",
            all.map((kubeconfig) => credentialsOf(kubeconfig).server.replace("https://", "")),
        );
    }

    private async write(place: string, endpoints: string[], where: object = {}): Promise<void> {
        if (Object.keys(this.writers).length === 0 && this.ended.length === 0)
            await this.cluster.kubectl("create", "namespace", NAMESPACE);
        if (this.writers[place] !== undefined) this.ended.push(this.writers[place]);
        const { kubeconfig } = await this.cluster.project.outputs();
        this.writers[place] = await ApiWriter.start({ endpoints, ...where }, kubeconfig);
    }

    /** Something happens to the cluster; afterwards all of its nodes have to be Ready. */
    async event(name: string, action: () => Promise<unknown>): Promise<Event> {
        const start = Date.now();
        for (const writer of Object.values(this.writers)) writer.mark();
        await action();
        await this.allReady();
        const running = Object.entries(this.writers).filter(([, writer]) => writer.runs);
        const event = {
            name,
            seconds: (Date.now() - start) / 1000,
            clients: Object.fromEntries(running.map(([place, writer]) => [place, writer.mark()])),
        };
        this.events.push(event);
        console.log(lineOf(event));
        return event;
    }

    /** Comes back when the API that the kubeconfigs' first answers says that every node is Ready. */
    async allReady(seconds = 300): Promise<void> {
        let found: string[] | Error = [];
        await waitUntil(
            "all nodes are Ready",
            async () => {
                found = await this.cluster.ready().catch((error: Error) => [error.message]);
                return JSON.stringify(found) === JSON.stringify(this.nodes);
            },
            seconds,
        ).catch((error: Error) => {
            throw new Error(`${error.message}; the last answer: ${found}`);
        });
    }

    /** Ends all clients; answers the names of objects whose creation was acknowledged and that are not there. */
    async lost(): Promise<string[]> {
        await Promise.all(Object.values(this.writers).map((writer) => writer.end()));
        const all = [...this.ended, ...Object.values(this.writers)].flatMap(({ acknowledged }) => acknowledged);
        const there = (await this.cluster.kubectl("get", "configmaps", "-n", NAMESPACE, "-o", "name")).split("\n");
        const held = new Set(there.map((line) => line.replace("configmap/", "")));
        const lost = all.filter((name) => !held.has(name));
        this.summary = `${all.length} writes acknowledged, ${lost.length} of them lost`;
        return lost;
    }

    private summary = "not looked after";

    /** What happened, for whoever reads the test's output. */
    table(): string {
        return [...this.events.map(lineOf), this.summary].join("\n");
    }

    async dispose(): Promise<void> {
        await Promise.all(Object.values(this.writers).map((writer) => writer.end()));
        await this.cluster.dispose();
    }
}

function lineOf({ name, seconds, clients }: Event): string {
    const noticed = Object.entries(clients).map(
        ([place, { acknowledged, failed, longestGapMilliseconds: gap, problem }]) =>
            `${place}: longest gap ${(gap / 1000).toFixed(1)} s, ${acknowledged} writes, ${failed} failed` +
            (problem === "" ? "" : ` (last: ${problem.slice(0, 100)})`),
    );
    return [`${name.padEnd(60)} ${seconds.toFixed(0).padStart(4)} s`, ...noticed].join("\n    ");
}
