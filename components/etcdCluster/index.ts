import * as pulumi from "@pulumi/pulumi";
import type { SecurityGroupRule } from "../../provider/securityGroup";
import { SecurityGroup, SecurityGroupRules } from "../../provider/securityGroup";
import { Certificate, CertificateAuthority, ClusterToken } from "../../provider/certificates";
import { type Ending, firstEnd } from "../../provider/certificates/expiry";
import { signedBy } from "../../provider/certificates/certificateAuthority";
import { renderUserData } from "../cloudInit";
import { clusterName, namingAuthority } from "../clusterName";
import { throwProblems } from "../problems";
import { defaultEtcdVersion, type EtcdClusterArgs, specArguments } from "./args";
import { checkArguments } from "./checkArguments";
import { guardData } from "./dataGuard";
import { EtcdFounding } from "../../provider/etcd/resources";
import { renderEtcdMember } from "./member";
import { makeMembers } from "./members";
import { etcdRules, type EtcdRule } from "./rules";
import { certificateRequests, defaultBootstrapWindowSeconds, endpoints, memberName, membersByName } from "./spec";

export { type AuthorityGenerations, defaultEtcdVersion, type EtcdClusterArgs } from "./args";

/**
 * An etcd cluster: mutual TLS with separate certificate authorities for clients and peers, whose keys are on no
 * machine; members that bootstrap, restart and replace a lost member with the same user data; hourly verified
 * snapshots.
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
 * @throws ArgumentError with every problem of the arguments
 */
export class EtcdCluster extends pulumi.ComponentResource {
    /** The client URLs of all members. */
    declare readonly endpoints: pulumi.Output<string[]>;
    /** The CA certificates for clients, PEM. */
    declare readonly caCertificate: pulumi.Output<string>;
    /** A client certificate, PEM. */
    declare readonly clientCertificate: pulumi.Output<string>;
    /** Its key, PEM. Secret. */
    declare readonly clientKey: pulumi.Output<string>;
    /** Names and addresses of the members. */
    declare readonly members: pulumi.Output<Record<string, string>>;
    /** The health of each member: `healthy`, the problem, or `unknown` if it is not checked (`waitFor`). */
    declare readonly health: pulumi.Output<Record<string, string>>;
    /** When the first of the certificates and authorities expires unless `pulumi up` renews it, in ISO 8601. */
    declare readonly certificatesExpireAt: pulumi.Output<string>;
    /** The name of the members' security group, if there is one. */
    declare readonly securityGroupName: pulumi.Output<string> | undefined;
    /** The id of the members' security group, if there is one. */
    declare readonly securityGroupId: pulumi.Output<string> | undefined;

    constructor(name: string, args: EtcdClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        const called = clusterName(args?.name, name);
        throwProblems(`EtcdCluster "${name}"`, checkArguments(called.likely, args));
        super("cloudstack:index:EtcdCluster", name, {}, opts);
        const child = { parent: this };
        const authorityOf = (kind: "clients" | "peers") =>
            namingAuthority(`${name}-${kind}`, called, ` etcd ${kind}`, { ...args.authorities }, child);
        const { authority: clients, cluster } = authorityOf("clients");
        const authorities = { client: clients, peer: authorityOf("peers").authority };
        const group = args.securityGroups === false ? undefined : makeGroup(name, cluster, args, child);
        const ending: Ending[] = Object.values(authorities);
        const birth = new ClusterToken(name, { members: Object.keys(args.members) }, child);
        const { metricsCidrs, project, profile } = args;
        const machineNames = (keys: readonly string[]) =>
            cluster.apply((prefix) => keys.filter((key) => key in args.members).map((key) => memberName(prefix, key)));
        const founding = new EtcdFounding(
            name,
            {
                cluster,
                bornAt: birth.createdAt,
                tokenFormat: birth.format,
                project,
                profile,
                machines: machineNames(Object.keys(args.members)),
                founders: birth.founders.apply(machineNames),
                windowSeconds: pulumi
                    .output(args.bootstrapWindowSeconds)
                    .apply((given) => given ?? defaultBootstrapWindowSeconds),
            },
            child,
        );
        const shared = pulumi
            .output({ ...specArguments(args), metricsCidrs, name: cluster })
            .apply(({ metricsCidrs: open, ...values }) => ({
                ...values,
                version: values.version ?? defaultEtcdVersion,
                dataVolume: args.dataVolume !== undefined,
                networkMetrics: (open ?? []).length > 0,
            }));
        const userData = (key: string) => {
            const certificates = memberCertificates(name, cluster, key, args, authorities, child, ending);
            const rendered = pulumi
                .all([shared, birth.token, founding.opensAt, birth.founders, certificates, args.userDataMaxLength])
                .apply(([spec, token, opensAt, founders, keys, maxLength]) => {
                    const document = renderEtcdMember({
                        cluster: spec,
                        key,
                        birth: { token, opensAt, founders },
                        certificates: keys,
                    });
                    return renderUserData(document, {
                        maxLength,
                        subject: `user data of ${memberName(spec.name, key)}`,
                    });
                });
            // Secret, since it contains the member's keys.
            return pulumi.secret(rendered.base64);
        };
        const client = new Certificate(
            `${name}-client`,
            {
                ...signedBy(authorities.client),
                commonName: pulumi.interpolate`${cluster}-client`,
                usages: ["client"],
                validityDays: args.certificateValidityDays,
            },
            child,
        );
        ending.push(client);
        const health = makeMembers(name, cluster, args, {
            owner: this,
            group,
            userData,
            birth,
            founding,
            authorities,
            client,
        });
        const outputs = {
            endpoints: pulumi.output(args.members).apply(endpoints),
            caCertificate: authorities.client.bundle,
            clientCertificate: client.certificate,
            clientKey: client.privateKey,
            members: pulumi.all([cluster, args.members]).apply(membersByName),
            health,
            certificatesExpireAt: firstEnd(ending),
            securityGroupName: group?.name,
            securityGroupId: group?.id,
        };
        guardData(this, name, { cluster, allowDataLoss: args.allowDataLoss ?? false }, opts);
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
    }
}

/**
 * The members' security group. Its rules are a separate resource, as are those that a `KubernetesCluster` adds to the
 * group: each manages only its own rules.
 */
function makeGroup(
    name: string,
    cluster: pulumi.Output<string>,
    args: EtcdClusterArgs,
    opts: pulumi.CustomResourceOptions,
): SecurityGroup {
    const { clientGroups, operatorCidrs, metricsCidrs, sshCidrs, extraRules, project, profile } = args;
    const scope = { project, profile };
    const description = pulumi.interpolate`Members of etcd ${cluster}`;
    const group = new SecurityGroup(name, { name: pulumi.interpolate`${cluster}-etcd`, description, ...scope }, opts);
    const ingress = pulumi
        .output({ clientGroups, operatorCidrs, metricsCidrs, sshCidrs, extraRules })
        .apply(({ clientGroups: clients = [], extraRules: extra = [], ...cidrs }) => [
            ...etcdRules({ ...cidrs, clients: clients.length > 0 }).map((rule) => groupRule(rule, clients)),
            ...extra,
        ]);
    // Deleting the group deletes its rules.
    const ruleOptions = { ...opts, deletedWith: group };
    new SecurityGroupRules(name, { securityGroup: group.id, ingress, ...scope }, ruleOptions);
    return group;
}

function groupRule(rule: EtcdRule, clients: string[]): SecurityGroupRule {
    const { protocol, port, icmpType, icmpCode, from } = rule;
    return {
        protocol,
        ...(port === undefined ? { icmpType, icmpCode } : { ports: String(port) }),
        ...("cidr" in from ? { cidrs: [from.cidr] } : from.group === "etcd" ? { self: true } : { groups: clients }),
    };
}

/**
 * A member's three certificates; they are added to `ending`. They contain the member's address, so it must be known
 * before the machine exists: that is why addresses are fixed.
 */
function memberCertificates(
    name: string,
    cluster: pulumi.Output<string>,
    key: string,
    { members, certificateValidityDays: validityDays }: EtcdClusterArgs,
    authorities: { client: CertificateAuthority; peer: CertificateAuthority },
    opts: pulumi.CustomResourceOptions,
    ending: Ending[],
) {
    const requests = pulumi
        .all([cluster, members[key]])
        .apply(([called, address]) => certificateRequests(called, key, address));
    const make = (kind: "server" | "peer" | "client") => {
        const request = requests.apply((all) => all[kind]);
        const { commonName, dnsNames, ipAddresses, usages } = request;
        const authority = kind === "peer" ? authorities.peer : authorities.client;
        const made = new Certificate(
            `${name}-${key}-${kind}`,
            { ...signedBy(authority), commonName, dnsNames, ipAddresses, usages, validityDays },
            opts,
        );
        ending.push(made);
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
