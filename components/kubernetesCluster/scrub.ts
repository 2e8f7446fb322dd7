import * as pulumi from "@pulumi/pulumi";
import type { Certificate } from "../../provider/certificates";
import { KubernetesUserData } from "../../provider/kubernetes/resources";
import type { MachineGroup } from "../machineGroup";
import { known, type Report } from "../known";
import type { Problem } from "../problems";
import type { KubernetesClusterArgs, KubernetesWaitFor } from "./args";
import { accessOf, isNever, revisionOf, waitForOf } from "./gate";
import type { ClusterContext } from "./machines";

/** The problems of `scrubUserData`. */
export function checkScrub(args: Partial<KubernetesClusterArgs>): Problem[] {
    const problems: Problem[] = [];
    const report: Report = (path, problem, remedy) => problems.push({ path, problem, remedy });
    const waitFor = knownWaitFor(args);
    if (args.scrubUserData === true && waitFor !== undefined && !waitsForNodes(waitFor))
        report(
            "scrubUserData",
            `cannot be true with waitFor ${JSON.stringify(waitFor)}: secrets are removed when the nodes are Ready`,
            'Set waitFor to "nodes" or "addons"; this computer must be in operatorCidrs',
        );
    return problems;
}

/** What is waited for, as far as the program knows it. */
function knownWaitFor({ waitFor, operatorCidrs, podNetwork }: Partial<KubernetesClusterArgs>) {
    if (waitFor !== undefined) return waitFor;
    if (isNever({ operatorCidrs })) return "none";
    return known(known(podNetwork)?.backend) === "none" ? "api" : undefined;
}

/** Removes the secrets from the user data of all machines of a cluster, when it is ready. */
export function scrubUserData(
    context: ClusterContext,
    admin: Certificate,
    groups: readonly MachineGroup[],
    ready: pulumi.Resource,
): void {
    const { name, args, stubs, child } = context;
    if (args.scrubUserData === false || isNever(args)) return;
    const idOf = pulumi
        .all(groups.map(({ names, ids }) => pulumi.all([names, ids])))
        .apply((all) =>
            Object.fromEntries(all.flatMap(([names, ids]) => Object.keys(names).map((key) => [names[key], ids[key]]))),
        );
    const machines = pulumi
        .all([waitForOf(args), idOf, pulumi.all(stubs)])
        .apply(([waitFor, ids, all]) =>
            waitsForNodes(waitFor)
                ? Object.fromEntries(all.map(({ node, ...stub }) => [node, { id: ids[node], ...stub }]))
                : {},
        );
    new KubernetesUserData(
        name,
        {
            ...accessOf(context, admin),
            ...{ machines, project: args.project, profile: args.profile },
            revision: revisionOf(args, groups),
        },
        { ...child, dependsOn: [ready] },
    );
}

function waitsForNodes(waitFor: KubernetesWaitFor): boolean {
    return waitFor === "nodes" || waitFor === "addons";
}
