import * as pulumi from "@pulumi/pulumi";
import type { Certificate } from "../../provider/certificates";
import { KubernetesUserData, type NodeArguments } from "../../provider/kubernetes/resources";
import type { VirtualMachineArgs } from "../../provider/virtualMachine";
import type { MachineGroup } from "../machineGroup";
import { known, type Report } from "../known";
import type { Problem } from "../problems";
import type { KubernetesClusterArgs } from "./args";
import { accessOf, isNever, revisionOf, waitForOf } from "./gate";
import type { ClusterContext, NodeMachine } from "./machines";

/** The problems of `scrubUserData`. */
export function checkScrub(args: Partial<KubernetesClusterArgs>): Problem[] {
    const problems: Problem[] = [];
    const report: Report = (path, problem, remedy) => problems.push({ path, problem, remedy });
    const { waitFor, operatorCidrs } = args;
    const isAsked = waitFor === undefined ? known(operatorCidrs)?.length !== 0 && operatorCidrs !== undefined : false;
    if (args.scrubUserData === true && !isAsked && waitFor !== "nodes" && waitFor !== "addons")
        report(
            "scrubUserData",
            "cannot be true where nobody waits for the nodes: secrets are removed when a machine has joined",
            'Set waitFor to "nodes" or "addons", and operatorCidrs to networks with the address of this host',
        );
    return problems;
}

/** Whether the machines' user data is scrubbed, as far as it is known in the program. */
function isScrubbed(args: KubernetesClusterArgs): boolean {
    return args.scrubUserData !== false && !isNever(args) && args.waitFor !== "api";
}

/** Whether it is. */
function scrubs(args: KubernetesClusterArgs): pulumi.Output<boolean> {
    return waitForOf(args).apply((what) => what === "nodes" || what === "addons");
}

/** Tells the machines of a group what stays of their user data. */
export function stubbing(
    args: KubernetesClusterArgs,
    machines: Record<string, NodeMachine>,
): (machine: VirtualMachineArgs, key: string) => VirtualMachineArgs & NodeArguments {
    if (!isScrubbed(args)) return (machine) => machine;
    return (machine, key) => {
        const stub = pulumi.all([scrubs(args), machines[key].stub]).apply(([is, known]) => (is ? known : undefined));
        return {
            ...machine,
            userDataStub: stub.apply((one) => one && { hash: one.hash, secrets: one.secrets }),
            userDataStubBase64: stub.apply((one) => one?.base64),
        };
    };
}

/** A group of machines, and what they were created from. */
export interface NodeGroup {
    readonly group: MachineGroup;
    readonly machines: Record<string, NodeMachine>;
}

/** Scrubs the user data of all machines behind the gate. */
export function scrubBehind(
    context: ClusterContext,
    admin: Certificate,
    groups: readonly NodeGroup[],
    ready: pulumi.Resource,
): void {
    const { name, cluster, args, child } = context;
    if (!isScrubbed(args)) return;
    const each = groups.map(({ group, machines }) =>
        pulumi
            .all([group.ids, group.names, pulumi.all(Object.fromEntries(stubsOf(machines)))])
            .apply(([ids, names, stubs]) =>
                Object.entries(stubs).map(([key, stub]) => [names[key], { id: ids[key], ...stub }] as const),
            ),
    );
    const machines = pulumi
        .all([scrubs(args), pulumi.all(each)])
        .apply(([is, all]) => (is ? Object.fromEntries(all.flat()) : {}));
    const ids = groups.map(({ group }) => group.ids.apply((all) => Object.values(all).join(" ")));
    new KubernetesUserData(
        name,
        {
            ...{ cluster, machines, project: args.project, profile: args.profile },
            ...accessOf(context, admin),
            revision: revisionOf(args, ids),
        },
        { ...child, dependsOn: [ready] },
    );
}

function stubsOf(machines: Record<string, NodeMachine>) {
    return Object.entries(machines).map(([key, { stub }]) => [key, stub] as const);
}
