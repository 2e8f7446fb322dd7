import { ApiError, type KubernetesApi } from "./api";
import { isCordonedByUs, listNodes, problemOf, uncordon } from "./nodes";

/** What a gate waits for, in this order; each stage includes the stages before it. */
export const STAGES = ["api", "nodes", "addons"] as const;
export type Stage = (typeof STAGES)[number];

/** The result of a check. */
export interface Finding {
    /** Such as `4 of 5 nodes Ready; k8s-worker-3: network plugin is not ready`; undefined if there is no problem. */
    readonly problem?: string;
    /** A node that is not Ready, whose log the error quotes. */
    readonly node?: string;
}

/** The expected parts of the cluster. */
export interface Expected {
    /** The URL of each control plane's API server, by node name. */
    readonly controlPlanes: Readonly<Record<string, string>>;
    /** Names of all nodes. */
    readonly nodes: readonly string[];
    /**
     * Every Deployment and DaemonSet in these namespaces must be available, and the named ones must exist, such as
     * `DaemonSet kube-system/kube-proxy`.
     */
    readonly addons: readonly string[];
    readonly allowNotReady: readonly string[];
}

/** Checks one stage. */
export function lookAt(stage: Stage, api: KubernetesApi, expected: Expected): Promise<Finding> {
    if (stage === "api") return lookAtApi(api, expected);
    return stage === "nodes" ? lookAtNodes(api, expected) : lookAtAddons(api, expected);
}

async function lookAtApi(api: KubernetesApi, { controlPlanes, allowNotReady }: Expected): Promise<Finding> {
    const needed = Object.entries(controlPlanes).filter(([name]) => !allowNotReady.includes(name));
    const found = await Promise.all(needed.map(async ([name, url]) => [name, await api.problemAt(url)] as const));
    return finding("API servers ready", found);
}

/** Nodes that an interrupted run left cordoned are uncordoned here. */
async function lookAtNodes(api: KubernetesApi, { nodes, allowNotReady }: Expected): Promise<Finding> {
    const list = await listNodes(api);
    const found = await Promise.all(
        nodes
            .filter((name) => !allowNotReady.includes(name))
            .map(async (name) => {
                const node = list.find(({ metadata }) => metadata.name === name);
                const problem = problemOf(node);
                if (problem === undefined && isCordonedByUs(node)) await uncordon(api, node!);
                return [name, problem] as const;
            }),
    );
    return { ...finding("nodes Ready", found), node: found.find(([, problem]) => problem !== undefined)?.[0] };
}

async function lookAtAddons(api: KubernetesApi, expected: Expected): Promise<Finding> {
    const missing = (await listNodes(api)).filter(
        (node) => expected.allowNotReady.includes(node.metadata.name) && problemOf(node) !== undefined,
    ).length;
    const found = await Promise.all(
        expected.addons.map(async (addon) => {
            const [kind, namespace, name] = addon.split(/[ /]/);
            const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
            try {
                return [name, workloadProblem(kind, await api.get(path), missing)] as const;
            } catch (error) {
                if (error instanceof ApiError && error.status === 404) return [name, "does not exist yet"] as const;
                throw error;
            }
        }),
    );
    return finding("addons available", found);
}

/**
 * Why a Deployment or DaemonSet is not available; undefined if it is.
 *
 * @param missing on how many nodes a DaemonSet may lack its pod
 */
export function workloadProblem(kind: string, { metadata, spec, status = {} }: any, missing = 0): string | undefined {
    const [wanted, updated, available] =
        kind === "DaemonSet"
            ? [status.desiredNumberScheduled ?? 0, status.updatedNumberScheduled ?? 0, status.numberAvailable ?? 0]
            : [spec?.replicas ?? 1, status.updatedReplicas ?? 0, status.availableReplicas ?? 0];
    const may = kind === "DaemonSet" ? missing : 0;
    if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return "its change has not been taken up yet";
    if (updated + may < wanted) return `${updated} of ${wanted} pods are of its newest template`;
    if (available + may < wanted) return `${available} of ${wanted} pods are available`;
    // Before the first node, pods cannot run.
    return wanted === 0 ? "has no pods yet" : undefined;
}

function finding(what: string, found: readonly (readonly [name: string, problem: string | undefined])[]): Finding {
    const wrong = found.filter(([, problem]) => problem !== undefined);
    if (wrong.length === 0) return {};
    const list = wrong.map(([name, problem]) => `${name}: ${problem}`).join("; ");
    return { problem: `${found.length - wrong.length} of ${found.length} ${what}; ${list}` };
}
