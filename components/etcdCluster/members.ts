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

/** What the members are made of, and who asks them. */
interface Parts {
    readonly owner: pulumi.ComponentResource;
    readonly group?: SecurityGroup;
    readonly userData: (key: string) => pulumi.Output<string>;
    readonly birth: ClusterToken;
    readonly founding: EtcdFounding;
    readonly authorities: { client: CertificateAuthority };
    /** A client's certificate. */
    readonly client: Certificate;
}

/**
 * The machines, one after the other, with a gate before all of them, one behind each, and one behind all: what stops,
 * reinstalls or replaces them never takes down two at a time.
 *
 * @returns what etcd says of each member
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
    // A member that goes with the whole cluster leaves nothing.
    const gateOptions = { parent: owner, deletedWith: owner };
    const quorum = new EtcdQuorum(
        name,
        {
            ...{ ...gate, version, allowUnhealthy: unhealthy(cluster, args) },
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

/** What all gates are told. Their revision names all that takes a member down for a moment when it changes. */
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
            ...{ version: build, serviceOffering, template, zone, network, project, sshKeyPairs, spread },
        }),
    };
}

function unhealthy(cluster: pulumi.Output<string>, { allowUnhealthy }: EtcdClusterArgs): pulumi.Output<string[]> {
    return pulumi
        .all([cluster, allowUnhealthy])
        .apply(([called, keys]) => (keys ?? []).map((key) => memberName(called, key)));
}

/** Whoever runs `pulumi up` can ask etcd where `operatorCidrs` let somebody in. */
function waitForDefault({ operatorCidrs }: EtcdClusterArgs): pulumi.Output<string> {
    return pulumi.output(operatorCidrs).apply((cidrs) => ((cidrs ?? []).length > 0 ? "healthy" : "none"));
}
