import { hasUnknown, type Inputs, type Outputs } from "../handler";
import { say } from "../lifecycle";
import { status } from "../status";
import { type Access, ApiError, ApiUnavailable, KubernetesApi, SHORT_PATIENCE } from "./api";
import { evictAll, nameOf, podsOn, treatmentOf } from "./drain";
import { logOf } from "./logs";
import {
    cordon,
    heartbeatOf,
    isCordonedByUs,
    listNodes,
    type Node,
    nodePath,
    problemOf,
    uncordon,
    waitUntilRight,
} from "./nodes";

/**
 * What a machine is told that is a node of a cluster: `kubernetesNode`, and `kubernetesKey` with the client's key. Two
 * arguments, so that names and addresses are no secrets in messages.
 */
export interface KubernetesNode extends Omit<Access, "clientKey"> {
    /** The cluster's name. */
    readonly cluster: string;
    /** The Node object's name. */
    readonly name: string;
    /** The URL of the machine's own API server, on a control plane. */
    readonly ownEndpoint?: string;
    readonly drainTimeoutSeconds: number;
    readonly waitTimeoutSeconds: number;
    /** Names of nodes that may be not Ready. */
    readonly allowNotReady: readonly string[];
    /** Of the machine, for messages of progress. */
    readonly urn?: string;
}

/** How long a change waits for an API that does not answer at all, in seconds. */
const API_PATIENCE = 120;

/** Nodes that this run has taken down, and what their kubelets had reported last, by cluster and name. */
const away = new Map<string, string | undefined>();

/** Clusters that the program of this run has: see {@link isGoing}. */
const wanted = new Set<string>();

/** To be called as soon as a resource of the cluster is checked: a replaced machine is deleted before others are. */
export function noteWanted(cluster: string): void {
    wanted.add(cluster);
}

/**
 * Whether a cluster is being deleted as a whole: its nodes are neither drained nor removed from an API that goes as
 * well. `pulumi destroy` checks no resource, also where it continues one that was interrupted, and a program without
 * the cluster does not check it.
 */
export function isGoing(of: Outputs): boolean {
    const cluster = nodeOf(of)?.cluster;
    return cluster !== undefined && !wanted.has(cluster);
}

/** Says that a machine goes with its cluster, since `pulumi destroy --target` looks the same to this package. */
export function sayGoing(of: Outputs): void {
    const cluster = nodeOf(of)?.cluster;
    if (cluster === undefined) return;
    say(
        `kubernetes ${cluster}: its machines are deleted without draining their nodes, since \`pulumi destroy\` deletes the ` +
            "cluster. To remove a node from a cluster that stays, take it out of the program and run `pulumi up`",
    );
}

/** The node that a machine is; undefined where it is none, or is not to be drained. */
export function nodeOf(of: Inputs | Outputs): KubernetesNode | undefined {
    return of.kubernetesNode === undefined || hasUnknown(of.kubernetesNode) ? undefined : of.kubernetesNode;
}

/**
 * Takes a node out of service before its machine stops: waits until every other node is Ready, then cordons and drains
 * it. Where that fails, the node is as it was.
 *
 * @returns how long it took, in milliseconds, which is no part of the machine's own time-out
 */
export async function leave(of: Inputs | Outputs): Promise<number> {
    const node = nodeOf(of);
    if (node === undefined) return 0;
    const start = Date.now();
    const api = apiOf(of, node);
    const nodes = await othersReady(api, node);
    const own = nodes?.find(({ metadata }) => metadata.name === node.name);
    away.set(keyOf(node), heartbeatOf(own));
    if (own === undefined) return Date.now() - start;
    try {
        await refuseUnmanaged(api, node);
        status(node.urn, `node ${node.name}: cordoned`);
        await cordon(api, own);
        const left = await evictAll(api, node.name, node.drainTimeoutSeconds, problemOf(own) === undefined, (line) =>
            status(node.urn, `draining node ${node.name}: ${line}`),
        );
        if (left !== undefined)
            throw new Error(
                `node ${node.name} could not be drained within ${node.drainTimeoutSeconds} s: ${left}. Its machine was not ` +
                    "touched, and the node is uncordoned again. Where a disruption budget forbids the eviction: add " +
                    "replicas, or nodes on which they fit; then run `pulumi up` again. drainTimeoutSeconds gives pods more " +
                    "time to end.",
            );
    } catch (error) {
        await stay(of);
        throw error;
    }
    return Date.now() - start;
}

/** To be called when the machine has stopped: what its kubelet reports from now on, it reports after its start. */
export async function noteStopped(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined || !away.has(keyOf(node))) return;
    const found = await apiOf(of, node, SHORT_PATIENCE)
        .get(nodePath(node.name))
        .catch(() => undefined);
    if (found !== undefined) away.set(keyOf(node), heartbeatOf(found));
}

/**
 * Puts a node into service again: waits until it is Ready, then uncordons it, if this package has cordoned it, in this
 * run or in one that was interrupted.
 *
 * @throws where it does not become Ready in time; it stays cordoned then
 */
export async function comeBack(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined || of.running === false) return;
    const key = keyOf(node);
    if (!away.has(key) && !(await wasLeft(of, node))) return;
    const before = away.get(key);
    const api = apiOf(of, node);
    let found: Node | undefined;
    const look = async () => {
        const apiProblem = node.ownEndpoint === undefined ? undefined : await api.problemAt(node.ownEndpoint);
        if (apiProblem !== undefined) return `its API server is not ready: ${apiProblem}`;
        found = await findNode(api, node.name);
        if (before !== undefined && heartbeatOf(found) === before) return "kubelet has not reported since the stop";
        return problemOf(found);
    };
    const problem = await waitUntilRight(node.waitTimeoutSeconds, look, (line) =>
        status(node.urn, `node ${node.name}: ${line}`),
    );
    away.delete(key);
    if (problem !== undefined)
        throw new Error(
            `node ${node.name} is not Ready after ${node.waitTimeoutSeconds} s: ${problem}. ${await logOf(api, node.name)} ` +
                "It stays cordoned, and no other machine was changed. Run `pulumi up` again once it is repaired: it " +
                "continues here.",
        );
    await uncordon(api, found!);
}

/** After a step that failed: a node that this package has cordoned may have pods again. */
export async function stay(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined) return;
    away.delete(keyOf(node));
    const api = apiOf(of, node);
    // The error that led here is the one to report; the next run finds the annotation.
    const found = await findNode(api, node.name).catch(() => undefined);
    if (found !== undefined) await uncordon(api, found).catch(() => undefined);
}

/**
 * Deletes the Node object of a machine that is gone.
 *
 * @param comesBack whether a machine with the same name takes its place
 */
export async function forget(of: Outputs, comesBack: boolean): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined) return;
    if (comesBack) away.set(keyOf(node), undefined);
    else away.delete(keyOf(node));
    try {
        await apiOf(of, node).delete(nodePath(node.name));
    } catch (error) {
        say(
            `the machine of node ${node.name} is deleted, its Node object is not (${(error as Error).message}): ` +
                `kubectl delete node ${node.name}`,
        );
    }
}

/** All nodes, as soon as none but this one is not Ready; undefined where that cannot be told, and need not be. */
async function othersReady(api: KubernetesApi, node: KubernetesNode): Promise<Node[] | undefined> {
    const { cluster, name, allowNotReady } = node;
    let nodes: Node[] | undefined;
    let unavailable: string | undefined;
    const start = Date.now();
    const look = async () => {
        try {
            nodes = await listNodes(api);
            unavailable = undefined;
        } catch (error) {
            if (!(error instanceof ApiUnavailable)) throw error;
            unavailable = error.message;
            nodes = undefined;
            if (allowNotReady.includes(name) || Date.now() - start > API_PATIENCE * 1000) return undefined;
            return `the API does not answer: ${unavailable}`;
        }
        const problems = notReady(nodes, [name, ...allowNotReady], cluster);
        return problems.length === 0 ? undefined : problems.join("; ");
    };
    const problem = await waitUntilRight(node.waitTimeoutSeconds, look, (line) =>
        status(node.urn, `waiting before ${name} is drained: ${line}`),
    );
    if (unavailable !== undefined && !allowNotReady.includes(name))
        throw new Error(
            `node ${name} cannot be drained, so its machine was not touched: the API of ${cluster} does not answer ` +
                `(${unavailable}). Repair it, or let the address of this host in with operatorCidrs. If this change repairs ` +
                `it, allowNotReady: ["${name}"] skips the drain of that node; waitFor: "none" skips all.`,
        );
    if (problem !== undefined)
        throw new Error(
            `node ${name} was not drained and its machine not touched, since after ${node.waitTimeoutSeconds} s another node ` +
                `is not Ready: ${problem}. Repair that node first: start its machine, or take it out of the program. ` +
                "allowNotReady with its name allows changes in spite of it.",
        );
    return nodes;
}

/** Who is not Ready and should be, with the reason. What this run has taken down waits for its own machine. */
export function notReady(nodes: readonly Node[], except: readonly string[], cluster: string): string[] {
    return nodes
        .filter(({ metadata: { name } }) => !except.includes(name) && !away.has(keyOf({ cluster, name })))
        .flatMap((node) => {
            const problem = problemOf(node);
            return problem === undefined ? [] : [`${node.metadata.name}: ${problem}`];
        });
}

/** A pod that nothing makes again would be lost, which nobody has asked for. */
async function refuseUnmanaged(api: KubernetesApi, { name }: KubernetesNode): Promise<void> {
    const alone = (await podsOn(api, name)).filter((pod) => treatmentOf(pod) === "unmanaged").map(nameOf);
    if (alone.length === 0) return;
    throw new Error(
        `node ${name} was not drained and its machine not touched: no controller would create ` +
            `${alone.length === 1 ? "the pod" : "the pods"} ${alone.join(", ")} again on another node. Delete ` +
            `${alone.length === 1 ? "it" : "them"}, or use a Deployment, then run \`pulumi up\` again.`,
    );
}

/** Whether an interrupted run has left the node cordoned. Where the API does not answer, nobody can tell. */
async function wasLeft(of: Inputs | Outputs, node: KubernetesNode): Promise<boolean> {
    const found = await findNode(apiOf(of, node, SHORT_PATIENCE), node.name).catch(() => undefined);
    return isCordonedByUs(found);
}

/** The Node object; undefined where there is none. */
async function findNode(api: KubernetesApi, name: string): Promise<Node | undefined> {
    try {
        return await api.get(nodePath(name));
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
    }
}

function apiOf(of: Inputs | Outputs, node: KubernetesNode, patience?: number): KubernetesApi {
    return new KubernetesApi({ ...node, clientKey: of.kubernetesKey }, patience);
}

function keyOf({ cluster, name }: Pick<KubernetesNode, "cluster" | "name">): string {
    return JSON.stringify([cluster, name]);
}
