import type { KubernetesApi } from "./api";
import { ApiError } from "./api";
import { waitUntilRight } from "./nodes";

/** What a drain reads of a Pod. */
export interface Pod {
    readonly metadata: {
        readonly name: string;
        readonly namespace: string;
        readonly uid?: string;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
        readonly deletionTimestamp?: string;
        readonly deletionGracePeriodSeconds?: number;
    };
    readonly status?: { readonly phase?: string };
}

/** What a pod is to a drain: evicted, left alone, or in the way since nothing would make it again. */
export type Treatment = "evict" | "leave" | "unmanaged";

/**
 * As `kubectl drain` treats it: mirror pods (of static pods) and those of a DaemonSet belong to the node and stay, and
 * so do pods that have ended. A pod without a controller would be lost.
 */
export function treatmentOf({ metadata, status }: Pod): Treatment {
    if (metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return "leave";
    if (status?.phase === "Succeeded" || status?.phase === "Failed") return "leave";
    const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
    if (controller?.kind === "DaemonSet") return "leave";
    if (metadata.deletionTimestamp !== undefined) return "evict";
    return controller === undefined ? "unmanaged" : "evict";
}

/** The pods of a node. */
export async function podsOn(api: KubernetesApi, node: string): Promise<Pod[]> {
    return (await api.get(`/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`)).items;
}

export function nameOf({ metadata }: Pod): string {
    return `${metadata.namespace}/${metadata.name}`;
}

/**
 * Evicts all pods of a node that can run elsewhere, and waits until they are gone. It asks for evictions instead of
 * deleting pods, so the API keeps every disruption budget.
 *
 * @param waitsForEnd false where nobody can tell that a pod has ended, since the node's kubelet does not answer
 * @returns what is left and why, where the time is over
 */
export async function evictAll(
    api: KubernetesApi,
    node: string,
    seconds: number,
    waitsForEnd: boolean,
    progress: (line: string) => void,
): Promise<string | undefined> {
    const look = async () => {
        const pods = (await podsOn(api, node)).filter((pod) => treatmentOf(pod) !== "leave");
        const left = waitsForEnd ? pods : pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        const problems = await Promise.all(left.map((pod) => evict(api, pod)));
        const open = left.map((pod, index) => `pod ${nameOf(pod)}: ${problems[index]}`);
        return open.length === 0 ? undefined : open.join("; ");
    };
    return waitUntilRight(seconds, look, (problem) => progress(shortened(problem)));
}

/** Asks for an eviction. @returns why the pod is still there */
async function evict(api: KubernetesApi, { metadata }: Pod): Promise<string> {
    const { name, namespace, deletionGracePeriodSeconds: grace } = metadata;
    if (metadata.deletionTimestamp !== undefined)
        return `is terminating${grace === undefined ? "" : ` (grace period ${grace} s)`}`;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    try {
        await api.post(path, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } });
        return "is being evicted";
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return "is gone";
        return reasonOf(error);
    }
}

/** The API's reason names the budget in its causes alone. */
export function reasonOf(error: unknown): string {
    const causes: unknown = error instanceof ApiError ? error.body?.details?.causes : undefined;
    const details = Array.isArray(causes) ? causes.map((cause) => cause?.message).filter(Boolean) : [];
    return details.length > 0 ? details.join(", ") : (error as Error).message;
}

function shortened(line: string): string {
    return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}
