import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesApi } from "./api";

/** What gates read of a Node object. */
export interface Node {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly spec?: { readonly unschedulable?: boolean };
    readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastHeartbeatTime?: string;
}

/** On a node that this package has cordoned: only such a one is uncordoned again. */
const CORDONED = "pulumi-cloudstack/cordoned";

/** What is asked for long enough to fill a table of nodes once a second. */
export async function listNodes(api: KubernetesApi): Promise<Node[]> {
    return (await api.get("/api/v1/nodes")).items;
}

export function nodePath(name: string): string {
    return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

/** Why a node is not Ready; undefined where it is. */
export function problemOf(node: Node | undefined): string | undefined {
    if (node === undefined) return "has not registered yet";
    const ready = readyCondition(node);
    if (ready === undefined) return "has not reported a status yet";
    if (ready.status === "True") return undefined;
    const text = ready.message ?? "";
    // kubelet's sentence is a list of its runtime's conditions.
    if (/NetworkPluginNotReady|cni plugin not initialized/i.test(text)) return "network plugin is not ready";
    const said = text.trim().split("\n")[0].slice(0, 200).replace(/\.$/, "");
    return said === "" ? `not Ready (${ready.reason ?? "no reason given"})` : lowerFirst(said);
}

/** When kubelet last reported, by its own clock; a node that starts again reports at once. */
export function heartbeatOf(node: Node | undefined): string | undefined {
    return node === undefined ? undefined : readyCondition(node)?.lastHeartbeatTime;
}

export function isCordonedByUs(node: Node | undefined): boolean {
    return node?.metadata.annotations?.[CORDONED] !== undefined;
}

/** Cordons a node, and notes that; one that somebody else has cordoned stays theirs. */
export async function cordon(api: KubernetesApi, node: Node): Promise<void> {
    if (node.spec?.unschedulable === true) return;
    const annotations = { [CORDONED]: new Date().toISOString() };
    await api.patch(nodePath(node.metadata.name), { metadata: { annotations }, spec: { unschedulable: true } });
}

/** Uncordons a node that this package has cordoned. */
export async function uncordon(api: KubernetesApi, node: Node): Promise<void> {
    if (!isCordonedByUs(node)) return;
    const annotations = { [CORDONED]: null };
    await api.patch(nodePath(node.metadata.name), { metadata: { annotations }, spec: { unschedulable: null } });
}

/** Waits between two looks, in milliseconds. */
const INTERVAL = 1_000;

/**
 * Looks again and again until nothing is wrong, or the time is over.
 *
 * @param look says what is wrong; undefined where nothing is
 * @param progress hears it whenever it changes
 * @returns what was wrong last
 */
export async function waitUntilRight(
    seconds: number,
    look: () => Promise<string | undefined>,
    progress: (problem: string) => void,
): Promise<string | undefined> {
    const end = Date.now() + seconds * 1000;
    let said: string | undefined;
    for (;;) {
        const problem = await look().catch((error: Error) => `the API does not answer: ${error.message}`);
        if (problem === undefined || Date.now() >= end) return problem;
        if (problem !== said) progress(problem);
        said = problem;
        await sleep(Math.min(INTERVAL, Math.max(0, end - Date.now())));
    }
}

function readyCondition(node: Node): Condition | undefined {
    return node.status?.conditions?.find(({ type }) => type === "Ready");
}

function lowerFirst(text: string): string {
    return /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}
