import * as pulumi from "@pulumi/pulumi";
import { type Ending, firstEnd } from "../../provider/certificates/expiry";
import { clusterName, namingAuthority } from "../clusterName";
import { MachineGroup } from "../machineGroup";
import { placementOf } from "../placement";
import { throwProblems } from "../problems";
import { access, administrator } from "./administrator";
import type { KubernetesClusterArgs } from "./args";
import { checkArguments } from "./checkArguments";
import { gateOf } from "./gate";
import { makeGroups } from "./groups";
import { KubernetesSettings } from "../../provider/kubernetesSettings";
import { settingsOf, withSettings } from "./settings";
import { type ClusterContext, clusterSpec, controlPlaneMachines, poolMachines } from "./machines";
import { scrubUserData } from "./scrub";

export type {
    ControlPlaneArgs,
    EndpointArgs,
    EtcdConnectionArgs,
    ExtraRulesArgs,
    KubernetesClusterArgs,
    PodNetworkArgs,
    KubernetesWaitFor,
    PoolArgs,
    TaintArgs,
} from "./args";

/**
 * A Kubernetes cluster on an external etcd: a kubeadm control plane of which any node can be lost, workers that join
 * with their own certificates, an API endpoint on every node, Flannel, encryption at rest, an audit log and Pod
 * Security.
 *
 * @example One control plane and four workers
 * ```ts
 * const etcd = new cloudstack.EtcdCluster("etcd", {
 *     members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
 *     serviceOffering: "Medium Instance",
 *     template: "Debian 12",
 * });
 * const cluster = new cloudstack.KubernetesCluster("k8s", {
 *     etcd,
 *     template: "Debian 12",
 *     controlPlane: { members: { a: "10.1.1.21" }, serviceOffering: "Large Instance" },
 *     pools: { general: { count: 4, serviceOffering: "Large Instance" } },
 *     operatorCidrs: ["203.0.113.0/24"],
 * });
 * export const kubeconfig = cluster.kubeconfig;
 * ```
 * @throws ArgumentError with every problem of the arguments
 */
export class KubernetesCluster extends pulumi.ComponentResource {
    /** The URL of the API from outside the cluster: the first control plane's, or the endpoint's host. */
    declare readonly endpoint: pulumi.Output<string>;
    /** The cluster's CA certificate, PEM. */
    declare readonly caCertificate: pulumi.Output<string>;
    /** For `kubectl` and `@pulumi/kubernetes`. Secret. */
    declare readonly kubeconfig: pulumi.Output<string>;
    /** One per control plane, by name, for use when the first one does not answer. Secret. */
    declare readonly kubeconfigs: pulumi.Output<Record<string, string>>;
    /** Names and addresses of all nodes. */
    declare readonly nodes: pulumi.Output<Record<string, string>>;
    /**
     * When the first of the certificates and authorities expires unless `pulumi up` renews it, in ISO 8601.
     * Certificates of kubeadm and the kubelets are not included: the machines renew them.
     */
    declare readonly certificatesExpireAt: pulumi.Output<string>;

    constructor(name: string, given: KubernetesClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        const called = clusterName(given?.name, name);
        throwProblems(`KubernetesCluster "${name}"`, checkArguments(called.likely, given));
        super("cloudstack:index:KubernetesCluster", name, {}, opts);
        const child = { parent: this };
        const { authority, cluster } = namingAuthority(name, called, " Kubernetes", {}, child);
        // Created first: it rejects changes that a running cluster does not support before anything else is checked.
        const args = withSettings(given, new KubernetesSettings(name, settingsOf(cluster, given), child));
        const groups = args.securityGroups === false ? undefined : makeGroups(name, cluster, args, child);
        const ending: Ending[] = [authority];
        const spec = clusterSpec(cluster, args, authority);
        const context: ClusterContext = { name, cluster, args, authority, spec, ending, stubs: [], child };
        const admin = administrator(context);
        const gate = gateOf(context, admin);
        const common = {
            ...placementOf(args),
            transform: gate.drains,
            userDataMaxLength: args.userDataMaxLength,
            onTemplateChange: "reinstall" as const,
            // Nodes are not upgraded in place: a machine is installed with one version.
            reinstallTrigger: context.spec.apply(({ kubernetesVersion }) => `Kubernetes ${kubernetesVersion}`),
        };
        // Machines with fixed addresses come first: CloudStack might assign one of these addresses to another machine.
        const etcdFirst = pulumi.Resource.isInstance(args.etcd) ? [args.etcd] : [];
        const controlPlane = new MachineGroup(
            `${name}-control-plane`,
            {
                ...common,
                machines: controlPlaneMachines(context),
                serviceOffering: args.controlPlane.serviceOffering,
                rollingGroup: pulumi.interpolate`control planes of ${cluster}`,
                ...(groups === undefined ? {} : { securityGroups: [groups.controlPlane.id] }),
            },
            { ...child, dependsOn: etcdFirst },
        );
        const pools = Object.entries(args.pools ?? {}).map(
            ([pool, poolArgs]) =>
                new MachineGroup(
                    `${name}-${pool}`,
                    {
                        ...common,
                        machines: poolMachines(context, pool, poolArgs),
                        serviceOffering: poolArgs.serviceOffering,
                        dataVolume: args.workerVolume,
                        // One rolling group for all pools, since the pods of a drained node must fit on the other
                        // nodes.
                        rollingGroup: pulumi.interpolate`workers of ${cluster}`,
                        maxUnavailable: poolArgs.maxUnavailable,
                        ...(groups === undefined ? {} : { securityGroups: [groups.workers.id] }),
                    },
                    { ...child, dependsOn: [controlPlane] },
                ),
        );
        const groupsOfMachines = [controlPlane, ...pools];
        const ready = gate.behind(groupsOfMachines);
        scrubUserData(context, admin, groupsOfMachines, ready);
        const { endpoint, ...kubeconfigs } = access(context, admin);
        const outputs = {
            endpoint,
            // Whoever uses one connects: not before there is something to connect to.
            kubeconfig: behind(ready, kubeconfigs.kubeconfig),
            kubeconfigs: behind(ready, kubeconfigs.kubeconfigs),
            caCertificate: authority.bundle,
            nodes: addressesOf(groupsOfMachines),
            certificatesExpireAt: firstEnd(ending),
        };
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
    }
}

/** A value that is there when a gate has opened. */
function behind<T>(gate: pulumi.CustomResource, value: pulumi.Output<T>): pulumi.Output<T> {
    return pulumi.all([value, gate.id]).apply(([known]) => known as T);
}

function addressesOf(groups: readonly MachineGroup[]): pulumi.Output<Record<string, string>> {
    const each = groups.map(({ names, addresses }) =>
        pulumi
            .all([names, addresses])
            .apply(([nameOf, addressOf]) =>
                Object.fromEntries(Object.entries(nameOf).map(([key, name]) => [name, addressOf[key]])),
            ),
    );
    return pulumi.all(each).apply((all): Record<string, string> => Object.assign({}, ...all));
}
