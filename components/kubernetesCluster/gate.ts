import * as pulumi from "@pulumi/pulumi";
import type { Certificate } from "../../provider/certificates";
import { KubernetesReady, type NodeArguments } from "../../provider/kubernetes/resources";
import type { VirtualMachineArgs } from "../../provider/virtualMachine";
import { known, type Report } from "../known";
import type { MachineGroup } from "../machineGroup";
import type { Problem } from "../problems";
import type { KubernetesClusterArgs, KubernetesWaitFor } from "./args";
import type { ClusterContext } from "./machines";
import { controlPlaneName, nodeNames } from "./names";
import { apiPort } from "./versions";

/** How long waits may take where nothing else is said, in seconds. */
const defaults = { waitTimeoutSeconds: 900, drainTimeoutSeconds: 600 } as const;

/** What the machines of a cluster and the gate behind them are told. */
export interface Gate {
    /** Changes the arguments of a machine, so that it is drained as a node. */
    readonly drains: (args: VirtualMachineArgs) => VirtualMachineArgs;
    /** Makes the gate behind the machines of all groups. */
    readonly behind: (groups: readonly MachineGroup[]) => KubernetesReady;
}

/** The problems of the arguments that say what is waited for, and for how long. */
export function checkGate(args: Partial<KubernetesClusterArgs>): Problem[] {
    const problems: Problem[] = [];
    const report: Report = (path, problem, remedy) => problems.push({ path, problem, remedy });
    const integer = (path: string, value: unknown, most: number, remedy: string) => {
        if (value === undefined || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most)) return;
        report(path, `${JSON.stringify(value)} is out of range`, remedy);
    };
    for (const name of ["waitTimeoutSeconds", "drainTimeoutSeconds"] as const)
        integer(name, known(args[name]), 86_400, "Use a whole number from 1 to 86400");
    for (const [pool, { maxUnavailable }] of Object.entries(args.pools ?? {}))
        integer(`pools.${pool}.maxUnavailable`, known(maxUnavailable), 5_000, "Use a whole number of nodes, 1 or more");
    return problems;
}

/** How a cluster's API is asked, as its administrator, and for how long. */
export function accessOf({ cluster, args, authority }: ClusterContext, admin: Certificate) {
    const controlPlanes = pulumi
        .all([cluster, args.controlPlane.members])
        .apply(([called, members]) =>
            Object.fromEntries(
                Object.entries(members).map(([member, address]) => [
                    controlPlaneName(called, member),
                    `https://${address}:${apiPort}`,
                ]),
            ),
        );
    return {
        cluster,
        controlPlanes,
        caCertificate: authority.bundle,
        clientCertificate: admin.certificate,
        clientKey: admin.privateKey,
        timeoutSeconds: seconds(args, "waitTimeoutSeconds"),
        allowNotReady: pulumi.output(args.allowNotReady).apply((given) => given ?? []),
    };
}

function seconds(args: KubernetesClusterArgs, key: keyof typeof defaults): pulumi.Output<number> {
    return pulumi.output(args[key]).apply((given) => given ?? defaults[key]);
}

/** Lets machines, and the gate behind them, ask the API as its administrator. */
export function gateOf(context: ClusterContext, admin: Certificate): Gate {
    const { name, cluster, args, child } = context;
    const waitFor = waitForOf(args);
    const access = accessOf(context, admin);
    const { clientKey: _clientKey, timeoutSeconds: waitTimeoutSeconds, ...open } = access;
    const drainTimeoutSeconds = seconds(args, "drainTimeoutSeconds");
    const shared = pulumi.output({ ...open, waitTimeoutSeconds, drainTimeoutSeconds, waitFor });
    const drains = (machine: VirtualMachineArgs): VirtualMachineArgs & NodeArguments => ({
        ...machine,
        kubernetesNode: pulumi
            .all([shared, machine.name])
            .apply(([{ controlPlanes: urls, waitFor: what, ...known }, nodeName]) =>
                what === "none"
                    ? undefined
                    : { ...known, name: nodeName!, endpoints: Object.values(urls), ownEndpoint: urls[nodeName!] },
            ),
        kubernetesKey: pulumi
            .all([waitFor, admin.privateKey])
            .apply(([what, key]) => (what === "none" ? undefined : key)),
    });
    const behind = (groups: readonly MachineGroup[]) =>
        new KubernetesReady(
            name,
            {
                ...access,
                waitFor,
                nodes: cluster.apply((called) => nodeNames(called, args)),
                addons: pulumi.output(args.podNetwork).apply(addons),
                revision: revisionOf(args, groups),
            },
            { ...child, dependsOn: [...groups] },
        );
    return { drains: isNever(args) ? (machine) => machine : drains, behind };
}

/** Whether it is known in the program that nobody asks the API: machines are told nothing of it then. */
export function isNever({ waitFor, operatorCidrs }: Pick<KubernetesClusterArgs, "waitFor" | "operatorCidrs">): boolean {
    if (waitFor !== undefined) return waitFor === "none";
    return operatorCidrs === undefined || known(operatorCidrs)?.length === 0;
}

/** Whoever runs `pulumi up` can ask the API where `operatorCidrs` let somebody in. */
export function waitForOf({
    waitFor,
    operatorCidrs,
    podNetwork,
}: KubernetesClusterArgs): pulumi.Output<KubernetesWaitFor> {
    if (waitFor !== undefined) return pulumi.output(waitFor);
    return pulumi.all([operatorCidrs, podNetwork]).apply(([cidrs, network]) => {
        if ((cidrs ?? []).length === 0) return "none";
        // Nodes become Ready when the user has installed a network plugin, through an API that is ready before.
        return network?.backend === "none" ? "api" : "addons";
    });
}

/** What every cluster has; the rest is the user's. */
function addons(network: { backend?: string } | undefined): string[] {
    return [
        "Deployment kube-system/coredns",
        "DaemonSet kube-system/kube-proxy",
        ...(network?.backend === "none" ? [] : ["DaemonSet kube-flannel/flannel"]),
    ];
}

/** All that takes a node down for a moment when it changes. */
export function revisionOf(args: KubernetesClusterArgs, groups: readonly MachineGroup[]): pulumi.Output<string> {
    const ids = groups.map((group) => group.ids.apply((all) => Object.values(all).join(" ")));
    const { kubernetesVersion, template, zone, network, project, sshKeyPairs, spread, controlPlane, pools = {} } = args;
    const offerings = Object.fromEntries(
        Object.entries(pools).map(([pool, { serviceOffering }]) => [pool, serviceOffering]),
    );
    return pulumi.jsonStringify({
        ...{ kubernetesVersion, template, zone, network, project, sshKeyPairs, spread, ids },
        serviceOfferings: [controlPlane.serviceOffering, offerings],
    });
}
