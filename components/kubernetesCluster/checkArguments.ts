import { artifactsShape } from "../artifacts/check";
import { cloudConfigShape } from "../cloudInit/check";
import { dataVolumeShape } from "../machineGroup/check";
import { offeringShape, placementShape } from "../placement";
import type { Problem } from "../problems";
import { ruleShape } from "../ruleShape";
import {
    atLeast,
    boolean,
    fields,
    joinProblems,
    list,
    needed,
    number,
    oneOf,
    plain,
    readArguments,
    record,
    text,
} from "../shape";
import { checkKubernetesValues } from "./check";
import type {
    ControlPlaneArgs,
    EndpointArgs,
    ExtraRulesArgs,
    KubernetesClusterArgs,
    PodNetworkArgs,
    PoolArgs,
    TaintArgs,
} from "./args";
import { checkGate } from "./gate";
import { checkScrub } from "./scrub";
import { checkUserDataLength } from "./placeholders";

const poolShape = fields<PoolArgs>({
    count: plain(number),
    nodes: plain(list(plain(text))),
    maxUnavailable: number,
    serviceOffering: offeringShape,
    labels: record(text),
    taints: list(fields<TaintArgs>({ key: needed(text), value: text, effect: needed(text) })),
    extraCloudConfig: cloudConfigShape,
});

/** The shape of {@link KubernetesClusterArgs}; `checkKubernetesArgs` checks the values. */
const clusterShape = fields<KubernetesClusterArgs>({
    etcd: needed(
        atLeast({
            endpoints: needed(list(text), "Give the client URLs of etcd, or an EtcdCluster as etcd"),
            caCertificate: needed(text, "Give the authority of etcd's servers, PEM, or an EtcdCluster as etcd"),
            clientCertificate: needed(text, "Give the API servers' certificate, PEM, or an EtcdCluster as etcd"),
            clientKey: needed(text, "Give its key, PEM, or an EtcdCluster as etcd"),
        }),
        "Give an EtcdCluster",
    ),
    controlPlane: needed(
        plain(
            fields<ControlPlaneArgs>({
                members: needed(plain(record(text)), 'Give one control plane or three, such as { a: "10.1.1.21" }'),
                serviceOffering: offeringShape,
                extraCloudConfig: cloudConfigShape,
            }),
        ),
        'Give its members and serviceOffering, such as { members: { a: "10.1.1.21" }, serviceOffering: "Medium" }',
    ),
    pools: plain(record(plain(poolShape))),
    ...placementShape,
    name: plain(text),
    extraRules: plain(fields<ExtraRulesArgs>({ controlPlane: list(ruleShape), workers: list(ruleShape) })),
    workerVolume: plain(dataVolumeShape),
    kubernetesVersion: text,
    containerdVersion: text,
    endpoint: plain(fields<EndpointArgs>({ mode: text, host: text, port: number })),
    networkCidr: text,
    podCidr: text,
    serviceCidr: text,
    dnsDomain: text,
    podNetwork: plain(fields<PodNetworkArgs>({ backend: text, mtu: number })),
    waitFor: plain(oneOf("none", "api", "nodes", "addons")),
    waitTimeoutSeconds: number,
    drainTimeoutSeconds: number,
    allowNotReady: list(text),
    scrubUserData: plain(boolean),
    operatorCidrs: list(text),
    nodePortCidrs: list(text),
    monitoringCidrs: list(text),
    sshCidrs: list(text),
    extraSans: list(text),
    registryMirrors: record(list(text)),
    timeServers: list(text),
    convergeIntervalSeconds: number,
    artifacts: artifactsShape,
    userDataMaxLength: number,
});

/** Checks the arguments as far as they are known in the program; the machines check theirs against the cloud. */
export function checkArguments(cluster: string, given: KubernetesClusterArgs): Problem[] {
    const { args, problems: ofShape } = readArguments(given, clusterShape);
    // Missing arguments are reported, and the rest is still checked.
    const controlPlane = { ...args.controlPlane, members: args.controlPlane?.members ?? {} };
    const ofValues = [
        ...checkKubernetesValues(cluster, { ...args, controlPlane }),
        ...checkGate(args),
        ...checkScrub(args),
    ];
    const problems = joinProblems(ofShape, ofValues);
    return problems.length > 0 ? problems : checkUserDataLength(cluster, args);
}
