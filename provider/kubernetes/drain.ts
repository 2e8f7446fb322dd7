import type { KubernetesApi } from "./api";
import { ApiError } from "./api";
import { waitUntilRight } from "./nodes";

/** The fields of a Pod that a drain reads. */
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

/** What a drain does with a pod: it evicts it, leaves it, or stops because nothing would create it again. */
export type Treatment = "evict" | "leave" | "unmanaged";

/**
 * As `kubectl drain` does: mirror pods (of static pods), pods of a DaemonSet and pods that have ended are left on the
 * node. A pod without a controller would be lost.
 */
export function treatmentOf({ metadata, status }: Pod): Treatment {
    if (metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return "leave";
    if (status?.phase === "Succeeded" || status?.phase === "Failed") return "leave";
    const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
    if (controller?.kind === "DaemonSet") return "leave";
    if (metadata.deletionTimestamp !== undefined) return "evict";
    return controller === undefined ? "unmanaged" : "evict";
}

/** The pods on a node. */
export async function podsOn(api: KubernetesApi, node: string): Promise<Pod[]> {
    return (await api.get(`/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`)).items;
}

export function nameOf({ metadata }: Pod): string {
    return `${metadata.namespace}/${metadata.name}`;
}

/**
 * Evicts all pods of a node that can run elsewhere, and waits until they are gone. Evictions, unlike deletions, respect
 * PodDisruptionBudgets.
 *
 * @param waitsForEnd false if the node's kubelet does not answer, so that the end of a pod cannot be seen
 * @returns the pods that are left after the timeout, and why
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

/** Requests an eviction. @returns why the pod still exists */
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

/** The API names the PodDisruptionBudget only in the causes of its response. */
export function reasonOf(error: unknown): string {
    const causes: unknown = error instanceof ApiError ? error.body?.details?.causes : undefined;
    const details = Array.isArray(causes) ? causes.map((cause) => cause?.message).filter(Boolean) : [];
    return details.length > 0 ? details.join(", ") : (error as Error).message;
}

function shortened(line: string): string {
    return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}
