/** What clients of a cluster see while its machines change, from `kubectl get --watch` on this computer. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { RealKubernetes } from "./kubernetes";

/** `kubectl get --watch`, begun again where the API has gone away; each event is one line of fields. */
abstract class Watch {
    private readonly cluster: RealKubernetes;
    private readonly args: readonly string[];
    private child: ChildProcess | undefined;
    private hasEnded = false;
    private readonly running: Promise<void>;
    /** Events so far. */
    events = 0;

    /** @param fields of the object, in kubectl's jsonpath, such as `{.object.metadata.name}` */
    constructor(cluster: RealKubernetes, what: readonly string[], fields: string) {
        this.cluster = cluster;
        const output = `jsonpath={.type} ${fields}{"\\n"}`;
        this.args = ["get", ...what, "--watch", "--output-watch-events", "-o", output];
        this.running = this.run();
    }

    protected abstract see(type: string, fields: string): void;

    private async run(): Promise<void> {
        while (!this.hasEnded) {
            const child = this.cluster.startKubectl(...this.args);
            this.child = child;
            let text = "";
            child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
                const lines = (text + chunk).split("\n");
                text = lines.pop()!;
                for (const line of lines) {
                    const [type] = line.split(" ", 1);
                    this.events++;
                    this.see(type, line.slice(type.length + 1));
                }
            });
            await new Promise((resolve) => child.once("close", resolve));
            if (!this.hasEnded) await sleep(200);
        }
    }

    /** @throws Error where nothing was seen: then nothing was proved */
    async end(): Promise<void> {
        this.hasEnded = true;
        this.child?.kill();
        await this.running;
        if (this.events === 0) throw new Error("the watch has seen nothing");
    }
}

/** How many endpoints of a Service were Ready. */
export class EndpointsWatch extends Watch {
    /** The fewest that were Ready at a time. */
    minimum = Infinity;

    constructor(cluster: RealKubernetes, service: string) {
        const fields = "{range .object.endpoints[*]}{.conditions.ready} {end}";
        super(cluster, ["endpointslices", "-l", `kubernetes.io/service-name=${service}`], fields);
    }

    protected see(_type: string, fields: string): void {
        const ready = fields.split(" ").filter((each) => each === "true").length;
        this.minimum = Math.min(this.minimum, ready);
    }
}

/** A moment in a node's life. */
export interface Moment {
    readonly node: string;
    readonly what: "ready" | "not ready" | "cordoned" | "uncordoned" | "deleted";
    /** Milliseconds since 1970. */
    readonly at: number;
}

/** What happened to the Node objects, in order. */
export class NodesWatch extends Watch {
    readonly moments: Moment[] = [];
    /** The most nodes that were cordoned at the same time. */
    mostCordoned = 0;
    private readonly nodes = new Map<string, { ready: boolean; cordoned: boolean }>();

    constructor(cluster: RealKubernetes) {
        const ready = '{.object.status.conditions[?(@.type=="Ready")].status}';
        super(cluster, ["nodes"], `{.object.metadata.name} ready=${ready} {.object.spec.unschedulable}`);
    }

    protected see(type: string, fields: string): void {
        const [node, readiness, unschedulable] = fields.split(" ");
        const before = this.nodes.get(node);
        const note = (what: Moment["what"]) => this.moments.push({ node, what, at: Date.now() });
        if (type === "DELETED") {
            this.nodes.delete(node);
            note("deleted");
            return;
        }
        const now = { ready: readiness === "ready=True", cordoned: unschedulable === "true" };
        this.nodes.set(node, now);
        if (now.ready !== (before?.ready ?? false)) note(now.ready ? "ready" : "not ready");
        if (now.cordoned !== (before?.cordoned ?? false)) note(now.cordoned ? "cordoned" : "uncordoned");
        const cordoned = [...this.nodes.values()].filter((one) => one.cordoned);
        this.mostCordoned = Math.max(this.mostCordoned, cordoned.length);
    }

    /** When something happened to a node first. */
    when(node: string, what: Moment["what"]): number | undefined {
        return this.moments.find((moment) => moment.node === node && moment.what === what)?.at;
    }

    /** Nodes that this happened to, in order. */
    order(what: Moment["what"]): string[] {
        return this.moments.filter((moment) => moment.what === what).map(({ node }) => node);
    }
}
