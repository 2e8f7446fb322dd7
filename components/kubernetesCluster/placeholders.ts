import { defaultMaxLength, placeholder, userDataProblem } from "../cloudInit";
import type { Problem } from "../problems";
import { defaultCidrs, defaultKubernetesVersion } from "../../provider/kubernetesSettings/defaults";
import type { RecipeArgs } from "./args";
import { known, knownArtifacts, whollyKnown } from "../known";
import { controlPlaneName, poolNodeNames } from "./names";
import { renderControlPlane, renderWorker } from "./render";
import type { ClusterSpec, ControlPlaneSpec, EndpointSpec, PodNetworkSpec, TaintSpec, WorkerSpec } from "./spec";

/**
 * Checks the length of the machines' user data before anything is created. Values that are not known yet are replaced
 * by placeholders that are as long as the real values and do not compress better.
 */
export function checkUserDataLength(cluster: string, args: RecipeArgs): Problem[] {
    // If the limit is not known yet, the check is left to the machines.
    const byDefault = args.userDataMaxLength === undefined ? defaultMaxLength : Infinity;
    const maxLength = known(args.userDataMaxLength) ?? byDefault;
    return [
        userDataProblem("controlPlane", `user data of ${cluster}'s control planes`, maxLength, () =>
            renderControlPlane(placeholderControlPlane(cluster, args)),
        ),
        ...Object.keys(args.pools ?? {}).map((pool) =>
            userDataProblem(`pools.${pool}`, `user data of ${cluster}'s pool ${pool}`, maxLength, () =>
                renderWorker(placeholderWorker(cluster, pool, args)),
            ),
        ),
    ].filter((problem) => problem !== undefined);
}

/** A control plane of these arguments, with placeholders. Its user data is as long as the real one. */
export function placeholderControlPlane(cluster: string, args: RecipeArgs): ControlPlaneSpec {
    const spec = placeholderCluster(cluster, args);
    const [nodeName] = Object.keys(spec.controlPlanes);
    const certificate = (name: string) => placeholder("authority", `${cluster} ${name}`);
    const key = (name: string) => placeholder("privateKey", `${cluster} ${name}`);
    return {
        cluster: spec,
        nodeName,
        etcd: {
            // Five members, more are unusual.
            endpoints: Array.from({ length: 5 }, (_, index) => `https://255.255.255.${100 + index}:2379`),
            caCertificate: certificate("etcd"),
            clientCertificate: placeholder("certificate", `${cluster} etcd client`),
            clientKey: key("etcd client"),
        },
        caKey: key("ca"),
        frontProxyCaCertificate: certificate("front proxy"),
        frontProxyCaKey: key("front proxy"),
        serviceAccountPublicKey: key("service accounts, public"),
        serviceAccountPrivateKey: key("service accounts"),
        encryptionKey: placeholder("secret", cluster),
        podNetwork: (known(args.podNetwork?.backend) === "none"
            ? { backend: "none" }
            : {
                  backend: known(args.podNetwork?.backend) ?? "vxlan",
                  mtu: known(args.podNetwork?.mtu) ?? 1450,
              }) as PodNetworkSpec,
        pools: Object.fromEntries(
            Object.entries(args.pools ?? {}).map(([name, pool]) => [
                name,
                { nodes: Object.values(poolNodeNames(cluster, name, pool)), ...placeholderLabelsAndTaints(args, name) },
            ]),
        ),
        extraSans: strings(args.extraSans),
        extraCloudConfig: whollyKnown(args.controlPlane.extraCloudConfig),
    };
}

/** A worker of a pool of these arguments, with placeholders. Its user data is as long as the real one. */
export function placeholderWorker(cluster: string, pool: string, args: RecipeArgs): WorkerSpec {
    const names = Object.values(poolNodeNames(cluster, pool, args.pools?.[pool] ?? {}));
    return {
        cluster: placeholderCluster(cluster, args),
        nodeName: names.at(-1) ?? `${cluster}-${pool}-0`,
        clientCertificate: placeholder("certificate", `${cluster} ${pool}`),
        clientKey: placeholder("privateKey", `${cluster} ${pool}`),
        ...placeholderLabelsAndTaints(args, pool),
        extraCloudConfig: whollyKnown(args.pools?.[pool].extraCloudConfig),
    };
}

function placeholderCluster(cluster: string, args: RecipeArgs): ClusterSpec {
    return {
        name: cluster,
        kubernetesVersion: known(args.kubernetesVersion) ?? defaultKubernetesVersion,
        containerdVersion: known(args.containerdVersion),
        endpoint: placeholderEndpoint(args),
        controlPlanes: Object.fromEntries(
            Object.entries(args.controlPlane.members).map(([name, address]) => [
                controlPlaneName(cluster, name),
                known(address) ?? "255.255.255.255",
            ]),
        ),
        podCidr: known(args.podCidr) ?? defaultCidrs.podCidr,
        serviceCidr: known(args.serviceCidr) ?? defaultCidrs.serviceCidr,
        dnsDomain: known(args.dnsDomain),
        caCertificate: placeholder("authority", `${cluster} ca`),
        registryMirrors: Object.fromEntries(
            Object.entries(known(args.registryMirrors) ?? {}).map(([registry, mirrors]) => [
                registry,
                strings(mirrors),
            ]),
        ),
        timeServers: args.timeServers === undefined ? undefined : strings(args.timeServers),
        artifacts: knownArtifacts(args.artifacts),
        convergeIntervalSeconds: known(args.convergeIntervalSeconds),
    };
}

function placeholderEndpoint({ endpoint = {} }: RecipeArgs): EndpointSpec {
    const mode = (known(endpoint.mode) ?? "nodeLocal") as EndpointSpec["mode"];
    return mode === "nodeLocal"
        ? { mode }
        : { mode, host: known(endpoint.host) ?? "255.255.255.255", port: known(endpoint.port) };
}

function placeholderLabelsAndTaints(
    args: RecipeArgs,
    pool: string,
): { labels: Record<string, string>; taints: TaintSpec[] } {
    const { labels, taints } = args.pools?.[pool] ?? {};
    return {
        labels: Object.fromEntries(
            Object.entries(known(labels) ?? {}).map(([key, value]) => [key, known(value) ?? ""]),
        ),
        taints: (known(taints) ?? [])
            .map((taint) => known(taint))
            .filter((taint) => taint !== undefined)
            .map((taint) => ({
                key: known(taint.key) ?? "",
                value: known(taint.value),
                effect: known(taint.effect) as TaintSpec["effect"],
            })),
    };
}

function strings(list: Parameters<typeof known<unknown[]>>[0]): string[] {
    return (known(list) ?? []).map((item) => (known(item as string) ?? "") as string);
}
