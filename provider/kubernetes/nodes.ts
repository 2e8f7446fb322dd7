import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesApi } from "./api";

/** The fields of a Node that the gates read. */
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

/** Marks a node that this package has cordoned: only such nodes are uncordoned again. */
const CORDONED = "pulumi-cloudstack/cordoned";

export async function listNodes(api: KubernetesApi): Promise<Node[]> {
    return (await api.get("/api/v1/nodes")).items;
}

export function nodePath(name: string): string {
    return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

/** Why a node is not Ready; undefined if it is. */
export function problemOf(node: Node | undefined): string | undefined {
    if (node === undefined) return "has not registered yet";
    const ready = readyCondition(node);
    if (ready === undefined) return "has not reported a status yet";
    if (ready.status === "True") return undefined;
    const text = ready.message ?? "";
    // kubelet's message is a list of its container runtime's conditions.
    if (/NetworkPluginNotReady|cni plugin not initialized/i.test(text)) return "network plugin is not ready";
    const message = text.trim().split("\n")[0].slice(0, 200).replace(/\.$/, "");
    return message === "" ? `not Ready (${ready.reason ?? "no reason given"})` : lowerFirst(message);
}

/** When kubelet last reported, by its own clock. A node reports as soon as it has started. */
export function heartbeatOf(node: Node | undefined): string | undefined {
    return node === undefined ? undefined : readyCondition(node)?.lastHeartbeatTime;
}

export function isCordonedByUs(node: Node | undefined): boolean {
    return node?.metadata.annotations?.[CORDONED] !== undefined;
}

/** Cordons a node and marks it; a node that somebody else has cordoned is not marked. */
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

/** The interval between two checks, in milliseconds. */
const INTERVAL = 1_000;

/**
 * Checks repeatedly until there is no problem, or until the timeout.
 *
 * @param look returns the problem; undefined if there is none
 * @param progress is called whenever the problem changes
 * @returns the problem at the end
 */
export async function waitUntilRight(
    seconds: number,
    look: () => Promise<string | undefined>,
    progress: (problem: string) => void,
): Promise<string | undefined> {
    const end = Date.now() + seconds * 1000;
    let reported: string | undefined;
    for (;;) {
        const problem = await look().catch((error: Error) => `the API does not answer: ${error.message}`);
        if (problem === undefined || Date.now() >= end) return problem;
        if (problem !== reported) progress(problem);
        reported = problem;
        await sleep(Math.min(INTERVAL, Math.max(0, end - Date.now())));
    }
}

function readyCondition(node: Node): Condition | undefined {
    return node.status?.conditions?.find(({ type }) => type === "Ready");
}

function lowerFirst(text: string): string {
    return /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}
