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
 * The arguments of a machine that is a node of a cluster: `kubernetesNode`, and `kubernetesKey` with the client's key.
 * They are separate, so that names and addresses are not secrets in messages.
 */
export interface KubernetesNode extends Omit<Access, "clientKey"> {
    /** The cluster's name. */
    readonly cluster: string;
    /** The Node object's name. */
    readonly name: string;
    /** On a control plane, the URL of the machine's own API server. */
    readonly ownEndpoint?: string;
    readonly drainTimeoutSeconds: number;
    readonly waitTimeoutSeconds: number;
    /** Names of nodes that may be not Ready. */
    readonly allowNotReady: readonly string[];
    /** The machine's URN, for progress messages. */
    readonly urn?: string;
}

/** How long a change waits for an API that does not answer at all, in seconds. */
const API_PATIENCE = 120;

/** Nodes that this run has taken down, with the last report of their kubelets, by cluster and name. */
const inMaintenance = new Map<string, string | undefined>();

/** Clusters that the program of this run has, with the names of their nodes once these are known. */
const inProgram = new Map<string, readonly string[] | undefined>();

/**
 * To be called as soon as a resource of the cluster is checked: a replaced machine is deleted before others are.
 *
 * @param nodes the names of all nodes that the program has
 */
export function noteInProgram(cluster: string, nodes?: readonly string[]): void {
    inProgram.set(cluster, nodes ?? inProgram.get(cluster));
}

/**
 * Whether a cluster is being deleted as a whole: then its nodes are not drained, and their Node objects not deleted,
 * since the API is deleted as well. `pulumi destroy` calls no `check`, also when it continues an interrupted destroy,
 * and a run of a program without the cluster calls none for it.
 */
export function isClusterDeleted(of: Outputs): boolean {
    const cluster = nodeOf(of)?.cluster;
    return cluster !== undefined && !inProgram.has(cluster);
}

/** Says that a machine goes with its cluster, since `pulumi destroy --target` looks the same to this package. */
export function saySkippedDrain(of: Outputs): void {
    const cluster = nodeOf(of)?.cluster;
    if (cluster === undefined) return;
    say(
        `kubernetes ${cluster}: its machines are deleted without draining their nodes, since \`pulumi destroy\` deletes the ` +
            "cluster. To remove a node from a cluster that stays, take it out of the program and run `pulumi up`",
    );
}

/** The node that a machine is; undefined if it is not a node or must not be drained. */
export function nodeOf(of: Inputs | Outputs): KubernetesNode | undefined {
    return of.kubernetesNode === undefined || hasUnknown(of.kubernetesNode) ? undefined : of.kubernetesNode;
}

/**
 * Takes a node out of service before its machine stops: waits until every other node is Ready, then cordons and drains
 * it. If that fails, the node is restored to its previous state.
 *
 * @returns how long it took, in milliseconds, which does not count towards the machine's time-out
 */
export async function startMaintenance(of: Inputs | Outputs): Promise<number> {
    const node = nodeOf(of);
    if (node === undefined) return 0;
    const start = Date.now();
    const api = apiOfNode(of, node);
    const nodes = await othersReady(api, node);
    const own = nodes?.find(({ metadata }) => metadata.name === node.name);
    inMaintenance.set(keyOf(node), heartbeatOf(own));
    if (own === undefined) return Date.now() - start;
    try {
        await checkControllers(api, node);
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
        await cancelMaintenance(of);
        throw error;
    }
    return Date.now() - start;
}

/** Called when the machine has stopped: a later report of its kubelet was made after its start. */
export async function noteStopped(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined || !inMaintenance.has(keyOf(node))) return;
    const found = await apiOfNode(of, node, SHORT_PATIENCE)
        .get(nodePath(node.name))
        .catch(() => undefined);
    if (found !== undefined) inMaintenance.set(keyOf(node), heartbeatOf(found));
}

/**
 * Puts a node into service again: waits until it is Ready, then uncordons it if this package cordoned it, in this run
 * or an interrupted one.
 *
 * @throws Error if it does not become Ready in time; it stays cordoned then
 */
export async function endMaintenance(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined || of.running === false) return;
    const key = keyOf(node);
    if (!inMaintenance.has(key) && !(await isLeftCordoned(of, node))) return;
    const before = inMaintenance.get(key);
    const api = apiOfNode(of, node);
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
    inMaintenance.delete(key);
    if (problem !== undefined)
        throw new Error(
            `node ${node.name} is not Ready after ${node.waitTimeoutSeconds} s: ${problem}. ${await logOf(api, node.name)} ` +
                "It stays cordoned, and no other machine was changed. Run `pulumi up` again once it is repaired: it " +
                "continues here.",
        );
    await uncordon(api, found!);
}

/** After a failed step: allows pods on a node again that this package has cordoned. */
export async function cancelMaintenance(of: Inputs | Outputs): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined) return;
    inMaintenance.delete(keyOf(node));
    const api = apiOfNode(of, node);
    // The error of the failed step is the one to report; the next run finds the annotation.
    const found = await findNode(api, node.name).catch(() => undefined);
    if (found !== undefined) await uncordon(api, found).catch(() => undefined);
}

/**
 * Deletes the Node object of a deleted machine.
 *
 * @param isReplaced whether a machine with the same name replaces it
 */
export async function deleteNode(of: Outputs, isReplaced: boolean): Promise<void> {
    const node = nodeOf(of);
    if (node === undefined) return;
    if (isReplaced) inMaintenance.set(keyOf(node), undefined);
    else inMaintenance.delete(keyOf(node));
    try {
        await apiOfNode(of, node).delete(nodePath(node.name));
    } catch (error) {
        say(
            `the machine of node ${node.name} is deleted, its Node object is not (${(error as Error).message}): ` +
                `kubectl delete node ${node.name}`,
        );
    }
}

/** Waits until all other nodes are Ready. @returns all nodes; undefined if the API does not answer and need not */
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
                `(${unavailable}). Repair it, or add the address of this computer to operatorCidrs. If this change repairs ` +
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

/**
 * Nodes that should be Ready and are not, with the reason. Nodes that this run has taken down are left to their own
 * machine, and those that the program does not have, such as a broken one that this run removes, hold up nothing.
 */
export function notReady(nodes: readonly Node[], except: readonly string[], cluster: string): string[] {
    const declared = inProgram.get(cluster);
    return nodes
        .filter(({ metadata: { name } }) => declared?.includes(name) ?? true)
        .filter(({ metadata: { name } }) => !except.includes(name) && !inMaintenance.has(keyOf({ cluster, name })))
        .flatMap((node) => {
            const problem = problemOf(node);
            return problem === undefined ? [] : [`${node.metadata.name}: ${problem}`];
        });
}

/** A pod without a controller would not be created again, and a drain must not lose it. */
async function checkControllers(api: KubernetesApi, { name }: KubernetesNode): Promise<void> {
    const alone = (await podsOn(api, name)).filter((pod) => treatmentOf(pod) === "unmanaged").map(nameOf);
    if (alone.length === 0) return;
    throw new Error(
        `node ${name} was not drained and its machine not touched: no controller would create ` +
            `${alone.length === 1 ? "the pod" : "the pods"} ${alone.join(", ")} again on another node. Delete ` +
            `${alone.length === 1 ? "it" : "them"}, or use a Deployment, then run \`pulumi up\` again.`,
    );
}

/** Whether an interrupted run has left the node cordoned; false if the API does not answer. */
async function isLeftCordoned(of: Inputs | Outputs, node: KubernetesNode): Promise<boolean> {
    const found = await findNode(apiOfNode(of, node, SHORT_PATIENCE), node.name).catch(() => undefined);
    return isCordonedByUs(found);
}

/** The Node object; undefined if it does not exist. */
async function findNode(api: KubernetesApi, name: string): Promise<Node | undefined> {
    try {
        return await api.get(nodePath(name));
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
    }
}

function apiOfNode(of: Inputs | Outputs, node: KubernetesNode, patience?: number): KubernetesApi {
    return new KubernetesApi({ ...node, clientKey: of.kubernetesKey }, patience);
}

function keyOf({ cluster, name }: Pick<KubernetesNode, "cluster" | "name">): string {
    return JSON.stringify([cluster, name]);
}
