import * as pulumi from "@pulumi/pulumi";
import { defaultName } from "../../provider/resource";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import { SecurityGroup } from "../../provider/securityGroup";
import type { ArtifactsArgs } from "../artifacts";
import { Certificate, CertificateAuthority, ClusterToken } from "../certificates";
import { type CloudConfigArgs, defaultMaxLength, renderUserData, userDataProblem } from "../cloudInit";
import { known, knownArtifacts, whollyKnown } from "../known";
import { type DataVolumeArgs, MachineGroup } from "../machineGroup";
import { type PlacementArgs, placementOf } from "../placement";
import { type Problem, throwProblems } from "../problems";
import { checkEtcdCluster, type EtcdCheckArgs } from "./check";
import { renderEtcdMember } from "./member";
import { etcdRules, type EtcdRule } from "./rules";
import { certificateRequests, endpoints, memberName, placeholderCertificates } from "./spec";

/** The etcd that is installed where nothing else is said. */
export const defaultEtcdVersion = "3.6.14";

/** The arguments of an {@link EtcdCluster}. */
export interface EtcdClusterArgs extends PlacementArgs {
    /**
     * The members: a key that stays theirs, and their address (IPv4). One, three or five; add a key to grow, take one
     * out to shrink. The addresses are pinned, so that a member that is made anew changes nothing elsewhere.
     */
    members: Record<string, pulumi.Input<string>>;
    /** The size of the machines: 2 processors and 2 GiB at least for production. A change stops and starts them, one by one. */
    serviceOffering: pulumi.Input<string>;
    /** The cluster's name, a plain text: machines are named `<name>-etcd-<key>`. @default `<stack>-<resource name>` */
    name?: string;
    /** Such as `3.6.14`. @default "3.6.14" */
    version?: pulumi.Input<string>;
    /** A data disk for each member, which outlives its machine. Without one the data is on the root disk. @default none */
    dataVolume?: DataVolumeArgs;
    /** Names of security groups whose members are clients of the database: 2379. @default none */
    clientGroups?: pulumi.Input<string>[];
    /** Networks of whoever runs `pulumi up`: 2379. @default none */
    operatorCidrs?: string[];
    /** Networks that may read metrics over plain HTTP: 2381. @default none */
    metricsCidrs?: string[];
    /** Networks that may use ssh. @default none */
    sshCidrs?: string[];
    /** Further rules of the members' group. @default none */
    extraRules?: pulumi.Input<SecurityGroupRule>[];
    /** How long after the cluster was first made its members may found it, in seconds. @default 900 */
    bootstrapWindowSeconds?: pulumi.Input<number>;
    /** The most that the database may grow to, in GiB. @default 4 */
    quotaGiB?: pulumi.Input<number>;
    /** How many hourly snapshots stay. @default 24 */
    keepHourlySnapshots?: pulumi.Input<number>;
    /** Of how many days the last snapshot stays. @default 7 */
    keepDailySnapshots?: pulumi.Input<number>;
    /** From how many percent of unused space on a member is defragmented, weekly. @default 30 */
    defragmentPercent?: pulumi.Input<number>;
    /** How often a machine looks for changes of its user data, in seconds. @default 300 */
    convergeIntervalSeconds?: pulumi.Input<number>;
    /** Further settings by their environment names, such as `ETCD_SNAPSHOT_COUNT`. @default none */
    extraEnvironment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** Where machines get their programs from. @default the projects' own sites */
    artifacts?: pulumi.Input<ArtifactsArgs>;
    /** What the machines get beside it. @default none */
    extraCloudConfig?: pulumi.Input<CloudConfigArgs>;
    /** The most characters of base64 that the cloud takes as user data. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
}

/**
 * An etcd cluster: mutual TLS with separate authorities for clients and peers, no authority's key on any machine,
 * members that start, restart and replace lost predecessors by one and the same command, hourly verified snapshots.
 *
 * @example Three members
 * ```ts
 * const etcd = new cloudstack.EtcdCluster("etcd", {
 *     members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
 *     serviceOffering: "Medium Instance",
 *     template: "Debian 12",
 *     dataVolume: { diskOffering: "Custom", sizeGiB: 20 },
 * });
 * export const endpoints = etcd.endpoints;
 * ```
 */
export class EtcdCluster extends pulumi.ComponentResource {
    /** The client URLs of all members. */
    declare readonly endpoints: pulumi.Output<string[]>;
    /** The authorities that clients trust, PEM. */
    declare readonly caCertificate: pulumi.Output<string>;
    /** A certificate for clients, PEM. */
    declare readonly clientCertificate: pulumi.Output<string>;
    /** Its key, PEM. Secret. */
    declare readonly clientKey: pulumi.Output<string>;
    /** Names and addresses of the members. */
    declare readonly members: pulumi.Output<Record<string, string>>;
    /** The name of the members' security group; empty without one. */
    declare readonly securityGroupName: pulumi.Output<string>;
    /** The id of the members' security group; empty without one. */
    declare readonly securityGroupId: pulumi.Output<string>;

    constructor(name: string, args: EtcdClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        const cluster = args.name ?? defaultName(pulumi.getStack(), name);
        throwProblems(`EtcdCluster "${name}"`, checkArguments(cluster, args));
        super("cloudstack:index:EtcdCluster", name, {}, opts);
        const child = { parent: this };
        const group = args.securityGroups === false ? undefined : makeGroup(name, cluster, args, child);
        const authorities = {
            client: new CertificateAuthority(`${name}-clients`, { commonName: `${cluster} etcd clients` }, child),
            peer: new CertificateAuthority(`${name}-peers`, { commonName: `${cluster} etcd peers` }, child),
        };
        const birth = new ClusterToken(name, { members: Object.keys(args.members) }, child);
        const shared = pulumi.output(specArguments(args)).apply((values) => ({
            ...values,
            name: cluster,
            version: values.version ?? defaultEtcdVersion,
            dataVolume: args.dataVolume !== undefined,
            networkMetrics: (args.metricsCidrs ?? []).length > 0,
        }));
        const userData = (key: string) => {
            const certificates = memberCertificates(name, cluster, key, args.members[key], authorities, child);
            return pulumi
                .all([shared, birth.token, birth.createdAt, birth.founders, certificates, args.userDataMaxLength])
                .apply(([spec, token, createdAt, founders, keys, maxLength]) => {
                    const document = renderEtcdMember({ cluster: spec, key, birth: { token, createdAt, founders }, certificates: keys });
                    return renderUserData(document, { maxLength, subject: `user data of ${memberName(cluster, key)}` }).base64;
                });
        };
        new MachineGroup(
            name,
            {
                ...placementOf(args),
                machines: Object.fromEntries(
                    Object.entries(args.members).map(([key, ipAddress]) => [
                        key,
                        { name: memberName(cluster, key), ipAddress, userDataBase64: userData(key) },
                    ]),
                ),
                serviceOffering: args.serviceOffering,
                dataVolume: args.dataVolume,
                userDataMaxLength: args.userDataMaxLength,
                onTemplateChange: "reinstall",
                ordered: true,
                ...(group === undefined ? {} : { securityGroups: [group.id] }),
            },
            child,
        );
        const client = new Certificate(`${name}-client`, { ...signedBy(authorities.client), commonName: `${cluster}-client`, usages: ["client"] }, child);
        const outputs = {
            endpoints: pulumi.output(args.members).apply(endpoints),
            caCertificate: authorities.client.bundle,
            clientCertificate: client.certificate,
            clientKey: client.privateKey,
            members: pulumi.output(args.members).apply((members) =>
                Object.fromEntries(Object.entries(members).map(([key, address]) => [memberName(cluster, key), address])),
            ),
            securityGroupName: group?.name ?? pulumi.output(""),
            securityGroupId: group?.id ?? pulumi.output(""),
        };
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
    }
}

/** The arguments that the renderer takes as they are. */
function specArguments(args: EtcdClusterArgs) {
    const { members, version, bootstrapWindowSeconds, quotaGiB, keepHourlySnapshots, keepDailySnapshots } = args;
    const { defragmentPercent, convergeIntervalSeconds, extraEnvironment, artifacts, extraCloudConfig } = args;
    return {
        ...{ members, version, bootstrapWindowSeconds, quotaGiB, keepHourlySnapshots, keepDailySnapshots },
        ...{ defragmentPercent, convergeIntervalSeconds, extraEnvironment, artifacts, extraCloudConfig },
    };
}

function makeGroup(name: string, cluster: string, args: EtcdClusterArgs, opts: pulumi.CustomResourceOptions): SecurityGroup {
    const clients = args.clientGroups ?? [];
    const rules = etcdRules({ ...args, clients: clients.length > 0 }).map((rule) => groupRule(rule, clients));
    return new SecurityGroup(
        name,
        {
            name: `${cluster}-etcd`,
            description: `Members of etcd ${cluster}`,
            ingress: [...rules, ...(args.extraRules ?? [])],
            project: args.project,
            profile: args.profile,
        },
        opts,
    );
}

function groupRule(rule: EtcdRule, clients: pulumi.Input<string>[]): SecurityGroupRule {
    const { protocol, port, icmpType, icmpCode, from } = rule;
    return {
        protocol,
        ...(port === undefined ? { icmpType, icmpCode } : { ports: String(port) }),
        ...("cidr" in from ? { cidrs: [from.cidr] } : from.group === "etcd" ? { self: true } : { groups: clients }),
    };
}

function signedBy(authority: CertificateAuthority) {
    return { caCertificate: authority.certificate, caPrivateKey: authority.privateKey };
}

/** A member's three certificates. The addresses among their names have to be known before there is a machine: that is why they are pinned. */
function memberCertificates(
    name: string,
    cluster: string,
    key: string,
    address: pulumi.Input<string>,
    authorities: { client: CertificateAuthority; peer: CertificateAuthority },
    opts: pulumi.CustomResourceOptions,
) {
    const requests = pulumi.output(address).apply((known) => certificateRequests(cluster, key, known));
    const make = (kind: "server" | "peer" | "client") => {
        const request = requests.apply((all) => all[kind]);
        const { commonName, dnsNames, ipAddresses, usages } = request;
        const authority = kind === "peer" ? authorities.peer : authorities.client;
        const made = new Certificate(`${name}-${key}-${kind}`, { ...signedBy(authority), commonName, dnsNames, ipAddresses, usages }, opts);
        return { certificate: made.certificate, privateKey: made.privateKey };
    };
    return pulumi.output({
        clientAuthorities: authorities.client.bundle,
        peerAuthorities: authorities.peer.bundle,
        server: make("server"),
        peer: make("peer"),
        client: make("client"),
    });
}

/** Everything about the arguments that is known in the program; the rest the machines check themselves. */
function checkArguments(cluster: string, args: EtcdClusterArgs): Problem[] {
    if (typeof args.members !== "object" || args.members === null) {
        return [{ path: "members", problem: "is no record of addresses by key", remedy: 'Give them such as { a: "10.1.1.11" }' }];
    }
    const missing = (["serviceOffering", "template"] as const)
        .filter((property) => args[property] === undefined)
        .map((path) => ({ path, problem: "is missing", remedy: "Give its name or id" }));
    const spec = knownSpec(cluster, args);
    const problems = [...missing, ...checkEtcdCluster(spec)];
    const [key] = Object.keys(args.members);
    if (problems.length > 0 || key === undefined) return problems;
    const most = known(args.userDataMaxLength) ?? defaultMaxLength;
    const length = userDataProblem("members", `user data of ${cluster}'s members`, most, () =>
        renderEtcdMember({
            cluster: spec,
            key,
            birth: { token: "0123456789abcdef", createdAt: 2_000_000_000, founders: Object.keys(args.members) },
            certificates: placeholderCertificates(cluster),
        }),
    );
    return length === undefined ? [] : [length];
}

/** The arguments as far as they are known; addresses that are not yet are stood in for by ones that nobody has. */
function knownSpec(cluster: string, args: EtcdClusterArgs): EtcdCheckArgs {
    const members = Object.entries(args.members).map(([key, address], index) => [key, known(address) ?? `192.0.2.${index + 1}`]);
    const plain = Object.fromEntries(
        Object.entries(specArguments(args))
            .filter(([key]) => !["members", "artifacts", "extraEnvironment", "extraCloudConfig"].includes(key))
            .map(([key, value]) => [key, known(value)]),
    );
    return {
        ...plain,
        name: cluster,
        version: known(args.version) ?? defaultEtcdVersion,
        members: Object.fromEntries(members),
        artifacts: knownArtifacts(args.artifacts),
        extraEnvironment: whollyKnown(args.extraEnvironment),
        extraCloudConfig: whollyKnown(args.extraCloudConfig),
        dataVolume: args.dataVolume !== undefined,
        operatorCidrs: args.operatorCidrs,
        metricsCidrs: args.metricsCidrs,
        sshCidrs: args.sshCidrs,
    };
}
