import * as pulumi from "@pulumi/pulumi";
import type { SecurityGroup } from "../../provider/securityGroup";
import type { VirtualMachine } from "../../provider/virtualMachine";
import type { Volume } from "../../provider/volume";
import { buildOf } from "../artifacts";
import type { Certificate, CertificateAuthority, ClusterToken } from "../../provider/certificates";
import { MachineGroup } from "../machineGroup";
import { placementOf } from "../placement";
import { defaultEtcdVersion, type EtcdClusterArgs } from "./args";
import { type EtcdFounding, EtcdHealth, EtcdMember, EtcdQuorum, type GateArgs } from "../../provider/etcd/resources";
import { defaultTimeoutSeconds } from "../../provider/etcd/names";
import { memberName, membersByName } from "./spec";

/** What the members are created from, and what is needed to check their health. */
interface Parts {
    readonly owner: pulumi.ComponentResource;
    readonly group?: SecurityGroup;
    readonly userData: (key: string) => pulumi.Output<string>;
    readonly birth: ClusterToken;
    readonly founding: EtcdFounding;
    readonly authorities: { client: CertificateAuthority };
    /** The client certificate of the health checks. */
    readonly client: Certificate;
}

/**
 * The machines, in order. `EtcdQuorum` precedes all of them, an `EtcdMember` follows each one, and `EtcdHealth` follows
 * all: a change that stops, reinstalls or replaces machines is applied to one member at a time.
 *
 * @returns the health of each member
 */
export function makeMembers(
    name: string,
    cluster: pulumi.Output<string>,
    args: EtcdClusterArgs,
    { owner, group, userData, birth, founding, authorities, client }: Parts,
): pulumi.Output<Record<string, string>> {
    const version = pulumi.output(args.version).apply((given) => given ?? defaultEtcdVersion);
    const build = pulumi
        .all([version, args.artifacts])
        .apply(([number, artifacts]) => buildOf("etcd", number, artifacts));
    const gate = gateArguments(cluster, args, build, authorities.client, client);
    // When the whole cluster is deleted, members are not removed from etcd one by one.
    const gateOptions = { parent: owner, deletedWith: owner };
    const quorum = new EtcdQuorum(
        name,
        {
            ...gate,
            version,
            allowUnhealthy: unhealthy(cluster, args),
            hasVolumes: args.dataVolume !== undefined,
            allowDataLoss: args.allowDataLoss ?? false,
        },
        { parent: owner },
    );
    const gates: EtcdMember[] = [];

    const memberGate = (key: string, machine: VirtualMachine, volume?: Volume): pulumi.Resource[] => {
        const revision = pulumi.interpolate`${machine.id} ${gate.revision}`;
        const isFounder = birth.founders.apply((founders) => founders.includes(key));
        const own = {
            name: cluster.apply((called) => memberName(called, key)),
            address: args.members[key],
            isFounder,
            revision,
        };
        const dependsOn = volume === undefined ? [machine] : [machine, volume];
        gates.push(new EtcdMember(`${name}-${key}`, { ...gate, ...own }, { ...gateOptions, dependsOn }));
        return gates.slice(-1);
    };
    const machines = new MachineGroup(
        name,
        {
            ...placementOf(args),
            machines: Object.fromEntries(
                Object.entries(args.members).map(([key, ipAddress]) => [
                    key,
                    {
                        name: cluster.apply((called) => memberName(called, key)),
                        ipAddress,
                        userDataBase64: userData(key),
                    },
                ]),
            ),
            serviceOffering: args.serviceOffering,
            dataVolume: args.dataVolume,
            userDataMaxLength: args.userDataMaxLength,
            onTemplateChange: "reinstall",
            reinstallTrigger: pulumi.interpolate`etcd ${build}`,
            ordered: true,
            gate: { before: [quorum], after: memberGate },
            ...(group === undefined ? {} : { securityGroups: [group.id] }),
        },
        { parent: owner },
    );
    const ids = machines.ids.apply((all) => Object.values(all).join(" "));
    return new EtcdHealth(
        name,
        {
            ...gate,
            revision: pulumi.interpolate`${ids} ${gate.revision}`,
            allowDataLoss: args.allowDataLoss ?? false,
            windowOpensAt: founding.opensAt,
        },
        { parent: owner, dependsOn: [machines, ...gates] },
    ).health;
}

/** The arguments that all gates share. `revision` has everything whose change interrupts a member. */
function gateArguments(
    cluster: pulumi.Output<string>,
    args: EtcdClusterArgs,
    build: pulumi.Output<string>,
    authority: CertificateAuthority,
    client: Certificate,
): GateArgs {
    const { serviceOffering, template, zone, network, project, sshKeyPairs, spread } = args;
    return {
        cluster,
        members: pulumi.all([cluster, args.members]).apply(membersByName),
        caCertificate: authority.bundle,
        clientCertificate: client.certificate,
        clientKey: client.privateKey,
        waitFor: args.waitFor ?? waitForDefault(args),
        timeoutSeconds: pulumi.output(args.waitForTimeoutSeconds).apply((given) => given ?? defaultTimeoutSeconds),
        revision: pulumi.jsonStringify({
            version: build,
            serviceOffering,
            template,
            zone,
            network,
            project,
            sshKeyPairs,
            spread,
        }),
    };
}

function unhealthy(cluster: pulumi.Output<string>, { allowUnhealthy }: EtcdClusterArgs): pulumi.Output<string[]> {
    return pulumi
        .all([cluster, allowUnhealthy])
        .apply(([called, keys]) => (keys ?? []).map((key) => memberName(called, key)));
}

/** Health can be checked if `operatorCidrs` allows connections from where `pulumi up` runs. */
function waitForDefault({ operatorCidrs }: EtcdClusterArgs): pulumi.Output<string> {
    return pulumi.output(operatorCidrs).apply((cidrs) => ((cidrs ?? []).length > 0 ? "healthy" : "none"));
}
