/**
 * The commands whose parameter `projectid` selects the project that they work in. Source: the parameters that
 * `listApis` of CloudStack 4.22 returns to a user, without the commands that manage projects (`addAccountToProject`,
 * `…ProjectRole…`), whose `projectid` is the project to change. Commands that take an id need no project and are not
 * listed.
 */
const IN_PROJECT: Record<string, string> = {
    add: "VpnUser",
    associate: "IpAddress",
    authorize: "SecurityGroupEgress SecurityGroupIngress",
    create:
        "AffinityGroup AutoScaleVmProfile Bucket Condition InstanceGroup KubernetesCluster Network SSHKeyPair " +
        "SecurityGroup SharedFileSystem Template VMFromBackup VPC Volume VpnCustomerGateway Webhook",
    delete: "AffinityGroup CniConfiguration SSHKeyPair SecurityGroup UserData",
    deploy: "VirtualMachine VnfAppliance",
    get: "UploadParamsForIso UploadParamsForTemplate UploadParamsForVolume",
    list:
        "AffinityGroups AutoScalePolicies AutoScaleVmGroups AutoScaleVmProfiles BackupSchedule Backups Buckets " +
        "CniConfiguration Conditions DiskOfferings EgressFirewallRules Events FirewallRules " +
        "GlobalLoadBalancerRules InstanceGroups IpForwardingRules Ipv6FirewallRules Isos KubernetesClusters " +
        "LoadBalancerRules LoadBalancers NetworkACLLists NetworkACLs Networks PortForwardingRules PrivateGateways " +
        "PublicIpAddresses RemoteAccessVpns ResourceDetails ResourceLimits RoutingFirewallRules SSHKeyPairs " +
        "SecurityGroups ServiceOfferings SharedFileSystems SnapshotPolicies Snapshots SslCerts StaticRoutes Tags " +
        "Templates UserData VMSnapshot VPCs VirtualMachines VirtualMachinesMetrics VnfAppliances VnfTemplates " +
        "Volumes VolumesMetrics VpnConnections VpnCustomerGateways VpnGateways VpnUsers Webhooks",
    register: "CniConfiguration Iso SSHKeyPair Template UserData VnfTemplate",
    remove: "VpnUser",
    reserve: "IpAddress",
    reset: "SSHKeyForVirtualMachine",
    upload: "SslCert Volume",
};

const COMMANDS = new Set(
    Object.entries(IN_PROJECT).flatMap(([verb, subjects]) => subjects.split(" ").map((subject) => verb + subject)),
);

export function takesProject(command: string): boolean {
    return COMMANDS.has(command);
}
