import * as pulumi from "@pulumi/pulumi";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import { SecurityGroup, SecurityGroupRules } from "../../provider/securityGroup";
import type { KubernetesClusterArgs } from "./args";
import { type GroupKey, type PlannedRule, planRules } from "./rules";

type ExtraRules = pulumi.Input<pulumi.Input<SecurityGroupRule>[]>;

/**
 * The security groups of a cluster's nodes, their rules, and the rules that etcd's group needs for the control plane.
 * The groups refer to each other, so their rules are separate resources.
 */
export function makeGroups(
    name: string,
    cluster: pulumi.Output<string>,
    args: KubernetesClusterArgs,
    opts: pulumi.CustomResourceOptions,
): { controlPlane: SecurityGroup; workers: SecurityGroup } {
    const scope = { project: args.project, profile: args.profile };
    const group = (key: string, what: string) =>
        new SecurityGroup(
            `${name}-${key}`,
            {
                name: pulumi.interpolate`${cluster}-${key}`,
                description: pulumi.interpolate`${what} of Kubernetes ${cluster}`,
                ...scope,
            },
            opts,
        );
    const controlPlane = group("control-plane", "Control plane");
    const workers = group("workers", "Workers");
    const names: Record<GroupKey, pulumi.Input<string> | undefined> = {
        etcd: args.etcd.securityGroupName,
        controlPlane: controlPlane.name,
        workers: workers.name,
    };
    const planned = pulumi
        .all([args.podNetwork, args.operatorCidrs, args.monitoringCidrs, args.nodePortCidrs, args.sshCidrs])
        .apply(([podNetwork, operatorCidrs, monitoringCidrs, nodePortCidrs, sshCidrs]) =>
            planRules({
                podNetwork: podNetwork?.backend as "vxlan" | undefined,
                operatorCidrs,
                monitoringCidrs,
                nodePortCidrs,
                sshCidrs,
            }),
        );
    const rules = (
        key: GroupKey,
        securityGroup: pulumi.Input<string>,
        extra: ExtraRules = [],
        more: pulumi.CustomResourceOptions = {},
    ) => {
        const ingress = pulumi
            .all([planned, names])
            .apply(([plan, known]) => plan[key].flatMap((rule) => groupRule(key, rule, known)));
        return new SecurityGroupRules(
            `${name}-${key === "controlPlane" ? "control-plane" : key}`,
            {
                securityGroup,
                ingress: pulumi.all([ingress, extra]).apply(([own, more]) => [...own, ...more]),
                ...scope,
            },
            { ...opts, ...more },
        );
    };
    // Deleting a group deletes its rules.
    rules("controlPlane", controlPlane.id, args.extraRules?.controlPlane, { deletedWith: controlPlane });
    rules("workers", workers.id, args.extraRules?.workers, { deletedWith: workers });
    if (args.etcd.securityGroupId !== undefined) rules("etcd", args.etcd.securityGroupId);
    return { controlPlane, workers };
}

/**
 * A planned rule with the groups' names. In etcd's group this component only adds rules for the control plane; the
 * others belong to the `EtcdCluster`. If the name of etcd's group is not known, no rules refer to it.
 */
function groupRule(key: GroupKey, rule: PlannedRule, names: Record<GroupKey, string | undefined>): SecurityGroupRule[] {
    const { protocol, ports, icmpType, icmpCode } = rule;
    const what = { protocol, ...(ports === undefined ? { icmpType, icmpCode } : { ports }) };
    if (rule.cidrs !== undefined) return key === "etcd" ? [] : [{ ...what, cidrs: rule.cidrs }];
    const from = (rule.groups ?? []).filter((source) => key !== "etcd" || source === "controlPlane");
    const groups = from
        .map((source) => names[source])
        .filter((source): source is string => source !== undefined && source !== "");
    return groups.length === 0 ? [] : [{ ...what, groups }];
}
