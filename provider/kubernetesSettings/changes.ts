import { hasUnknown, type Inputs, isUnknown, same } from "../handler";

/** The effect of changing an argument of a running cluster. */
export interface Change {
    /**
     * `never`: refused at preview; `stepwise`: a running cluster can be upgraded to the next minor version, other
     * changes are refused; `later`: applies to machines that are created or reinstalled from then on, as the preview
     * says; `yes`: applied to the running cluster.
     */
    readonly may: "never" | "stepwise" | "later" | "yes";
    readonly why: string;
}

/**
 * Every argument of a `KubernetesCluster`, and whether it can be changed for a running cluster. Those that cannot are
 * inputs of `KubernetesSettings`, which compares them before anything else of the cluster is changed.
 */
export const changes: Readonly<Record<string, Change>> = {
    name: { may: "never", why: "its machines, certificates and marks in etcd contain it" },
    kubernetesVersion: { may: "stepwise", why: "control planes, then workers are reinstalled one after another" },
    endpoint: { may: "never", why: "the certificates and kubeconfigs of its nodes contain it" },
    podCidr: { may: "never", why: "its nodes and pods have addresses from it" },
    serviceCidr: { may: "never", why: "its services have addresses from it" },
    dnsDomain: { may: "never", why: "its services, pods and certificates have names in it" },
    "podNetwork.backend": { may: "never", why: "pods on changed nodes could not reach those on other nodes" },
    "etcd.endpoints": { may: "never", why: "all objects of the cluster are in the etcd that it has" },
    containerdVersion: { may: "later", why: "programs are installed once" },
    artifacts: { may: "later", why: "programs are installed once" },
    "podNetwork.mtu": { may: "later", why: "a pod keeps the network interface that it was created with" },
    etcd: { may: "yes", why: "certificates and further members reach the control planes by their user data" },
    podNetwork: { may: "yes", why: "see its parts" },
    controlPlane: { may: "yes", why: "members come, go and change one after another" },
    pools: { may: "yes", why: "workers come, go and change one after another" },
    template: { may: "yes", why: "machines are reinstalled one after another" },
    zone: { may: "yes", why: "machines are replaced one after another" },
    network: { may: "yes", why: "machines are replaced one after another" },
    project: { may: "yes", why: "machines are replaced one after another" },
    profile: { may: "yes", why: "another way to the same cloud; another cloud is refused by each resource" },
    sshKeyPairs: { may: "yes", why: "machines stop and start one after another" },
    securityGroups: { may: "yes", why: "machines stop and start one after another" },
    spread: { may: "yes", why: "machines stop and start one after another" },
    allowRestart: { may: "yes", why: "of the run alone" },
    tags: { may: "yes", why: "on running machines" },
    timeoutSeconds: { may: "yes", why: "of the run alone" },
    extraRules: { may: "yes", why: "rules change in place" },
    workerVolume: { may: "yes", why: "volumes come, go and grow" },
    waitFor: { may: "yes", why: "of the run alone" },
    waitTimeoutSeconds: { may: "yes", why: "of the run alone" },
    drainTimeoutSeconds: { may: "yes", why: "of the run alone" },
    allowNotReady: { may: "yes", why: "of the run alone" },
    scrubUserData: { may: "yes", why: "user data changes in place" },
    networkCidr: { may: "yes", why: "only compared with other arguments" },
    operatorCidrs: { may: "yes", why: "rules change in place" },
    nodePortCidrs: { may: "yes", why: "rules change in place" },
    monitoringCidrs: { may: "yes", why: "rules change in place" },
    sshCidrs: { may: "yes", why: "rules change in place" },
    extraSans: { may: "yes", why: "control planes issue the certificate again, one after another" },
    registryMirrors: { may: "yes", why: "containerd reads them for every image" },
    timeServers: { may: "later", why: "they are set at the first boot" },
    convergeIntervalSeconds: { may: "yes", why: "the timer follows" },
    userDataMaxLength: { may: "yes", why: "of the run alone" },
};

/** The arguments that `KubernetesSettings` compares: all that are not applied to a running cluster. */
export const compared: readonly string[] = [
    ...new Set(
        Object.entries(changes)
            .filter(([, { may }]) => may !== "yes")
            .map(([path]) => path.split(".")[0]),
    ),
];

/** An argument that cannot be changed, and the reason. */
export interface Refusal {
    readonly property: string;
    readonly reason: string;
}

/** The refused changes of a cluster that was created with `olds`. Unknown values are accepted. */
export function refusedChanges(olds: Inputs, news: Inputs): Refusal[] {
    return Object.entries(changes).flatMap(([property, { may, why }]) => {
        if (may !== "never" && may !== "stepwise") return [];
        const [old, wanted] = [olds, news].map((inputs) => at(inputs, property));
        if (old === undefined || hasUnknown([old, wanted]) || isSame(property, old, wanted)) return [];
        const arrow = `${show(old)} -> ${show(wanted)}`;
        if (may === "stepwise") {
            const problem = versionStepProblem(String(old), String(wanted));
            return problem === undefined ? [] : [{ property, reason: `${arrow}: ${problem}` }];
        }
        const remedy = `Keep ${show(old)}, or create another cluster and migrate to it`;
        return [{ property, reason: `${arrow}: the cluster cannot change this: ${why}. ${remedy}` }];
    });
}

/**
 * Why a cluster cannot go from one version of Kubernetes to another; undefined if it can.
 *
 * Source: https://kubernetes.io/releases/version-skew-policy/
 */
function versionStepProblem(old: string, wanted: string): string | undefined {
    const [from, to] = [old, wanted].map((version) => version.split(".").map(Number));
    const difference = from.map((part, place) => to[place] - part).find((step) => step !== 0) ?? 0;
    if (difference < 0) return `Kubernetes cannot go back to an earlier version. Keep ${show(old)}`;
    if (from[0] === to[0] && to[1] - from[1] <= 1) return undefined;
    return (
        "Kubernetes cannot skip a minor version. " +
        `Upgrade to the newest ${from[0]}.${from[1] + 1} first, and go on when all nodes have it`
    );
}

/** Lines for the preview about changes that are not applied to existing machines. */
export function laterChanges(cluster: string, olds: Inputs, news: Inputs): string[] {
    return Object.entries(changes)
        .filter(([, { may }]) => may === "later")
        .flatMap(([property, { why }]) => {
            const [old, wanted] = [olds, news].map((inputs) => at(inputs, property));
            if (hasUnknown([old, wanted]) || same(old, wanted)) return [];
            return [
                `${cluster}: ${property} ${show(old)} -> ${show(wanted)} applies to a machine when it is created or ` +
                    `reinstalled (${why})`,
            ];
        });
}

/** The value at a path such as `podNetwork.backend`. */
function at(inputs: Inputs, path: string): unknown {
    return path.split(".").reduce((value: any, part) => (isUnknown(value) ? value : value?.[part]), inputs);
}

/** Compares values. The endpoints of etcd count as the same if they have a member in common, because members change. */
function isSame(property: string, old: unknown, wanted: unknown): boolean {
    if (property === "etcd.endpoints" && Array.isArray(old) && Array.isArray(wanted))
        return old.length === 0 || old.some((endpoint) => wanted.includes(endpoint));
    return same(old, wanted);
}

function show(value: unknown): string {
    if (value === undefined || isUnknown(value)) return "(none)";
    return typeof value === "string" ? value : JSON.stringify(value);
}
