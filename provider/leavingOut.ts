import type { AffinityGroupArgs } from "./affinityGroup";
import type { EgressFirewallRulesArgs, FirewallRulesArgs } from "./firewall";
import type { NetworkArgs } from "./network";
import type { PortForwardingRuleArgs } from "./portForwarding";
import type { PublicIpAddressArgs } from "./publicIpAddress";
import type { SecurityGroupArgs, SecurityGroupRulesArgs } from "./securityGroup";
import type { SshKeyPairArgs } from "./sshKeyPair";
import type { VirtualMachineArgs } from "./virtualMachine";
import type { VolumeArgs } from "./volume";

/**
 * The table of `docs/leaving-out.md`. It is here so that its types can be checked against the arguments. Documentation
 * and tests read it; it is not part of the package.
 */

/** The effect of leaving an argument out. */
export interface LeavingOut {
    /** When the resource is created. */
    readonly creation: string;
    /** When the program has set the argument before and does not set it any longer. */
    readonly afterwards: string;
}

/** The arguments that may be left out. */
type Optional<Args> = { [Name in keyof Args as undefined extends Args[Name] ? Name : never]-?: LeavingOut };

const DEFAULT_AGAIN = "the default applies again, from the next operation on";
const project: LeavingOut = {
    creation: "`cloudstack:project`, otherwise the account itself",
    afterwards: "it stays in its project",
};
const profile: LeavingOut = {
    creation: "the stack's cloud",
    afterwards: "the stack's cloud; an error if the resource is in another one",
};
const timeoutSeconds: LeavingOut = {
    creation: "the defaults",
    afterwards: "the defaults apply again, from the next operation on",
};
const name: LeavingOut = { creation: "`<stack>-<resource name>`", afterwards: "it keeps its name" };
const tags: LeavingOut = {
    creation: "none",
    afterwards: "the tags that the program set are removed; other tags are kept",
};
const zone: LeavingOut = {
    creation: "`cloudstack:zone`, otherwise the only zone",
    afterwards: "it stays in its zone, even if the default has changed",
};
const ingress: LeavingOut = { creation: "no rules: it allows no ingress", afterwards: "its rules are removed" };
const egress: LeavingOut = {
    creation: "no rules: it does not restrict egress",
    afterwards: "its rules are removed",
};

const virtualMachine: Optional<VirtualMachineArgs> = {
    name,
    displayName: { creation: "the name", afterwards: "the name, in place" },
    zone,
    project,
    network: {
        creation: "the shared network of a zone with security groups; in other zones it is required",
        afterwards: "it stays in its network",
    },
    ipAddress: {
        creation: "one that CloudStack chooses",
        afterwards: "it keeps its address; a machine that replaces it gets one that CloudStack chooses",
    },
    securityGroups: {
        creation: "the account's group `default`",
        afterwards: "the account's group `default`: it stops, its groups are changed, and it starts",
    },
    affinityGroups: { creation: "none", afterwards: "none: it stops, is removed from its groups, and starts" },
    sshKeyPairs: {
        creation: "none",
        afterwards: "it keeps its keys, since CloudStack cannot remove keys; the preview says so",
    },
    userData: { creation: "none", afterwards: "none; `onUserDataChange` decides how that is applied" },
    userDataBase64: { creation: "none", afterwards: "none; `onUserDataChange` decides how that is applied" },
    userDataMaxLength: { creation: "32768", afterwards: DEFAULT_AGAIN },
    onUserDataChange: { creation: "`update`", afterwards: DEFAULT_AGAIN },
    onTemplateChange: { creation: "`replace`", afterwards: DEFAULT_AGAIN },
    reinstallTrigger: { creation: "none", afterwards: "nothing happens" },
    rollingGroup: { creation: "none", afterwards: "it no longer waits for other machines" },
    maxUnavailable: { creation: "1", afterwards: DEFAULT_AGAIN },
    rootDiskSizeGiB: { creation: "the template's size", afterwards: "it keeps its size" },
    running: { creation: "true", afterwards: "true: a stopped machine is started" },
    allowRestart: { creation: "true", afterwards: DEFAULT_AGAIN },
    allowDataLoss: { creation: "true", afterwards: DEFAULT_AGAIN },
    deleteProtection: { creation: "false", afterwards: "false, in place" },
    group: { creation: "none", afterwards: "none, in place" },
    tags,
    details: {
        creation: "none",
        afterwards:
            "the details that the program set are removed; other details and the size of a custom offering are kept",
    },
    timeoutSeconds,
    profile,
};

const volume: Optional<VolumeArgs> = {
    sizeGiB: {
        creation: "the offering's size; an error if the offering has none",
        afterwards: "it keeps its size; an error if the offering has none",
    },
    virtualMachine: { creation: "it is not attached", afterwards: "it is detached and keeps its data" },
    deviceId: { creation: "the first free position", afterwards: "it keeps its position" },
    allowDataLoss: { creation: "false", afterwards: DEFAULT_AGAIN },
    name,
    zone,
    project,
    timeoutSeconds,
    profile,
};

const securityGroup: Optional<SecurityGroupArgs> = {
    name,
    description: { creation: "none", afterwards: "it keeps the text, which CloudStack cannot change" },
    ingress,
    egress,
    exclusive: { creation: "false", afterwards: "false: rules that the stack does not manage are kept from now on" },
    project,
    timeoutSeconds,
    profile,
};

const securityGroupRules: Optional<SecurityGroupRulesArgs> = { ingress, egress, project, timeoutSeconds, profile };

const affinityGroup: Optional<AffinityGroupArgs> = {
    name,
    type: { creation: "`host anti-affinity`", afterwards: "it keeps its type" },
    description: { creation: "none", afterwards: "it keeps the text, which CloudStack cannot change" },
    project,
    timeoutSeconds,
    profile,
};

const sshKeyPair: Optional<SshKeyPairArgs> = {
    name,
    publicKey: {
        creation: "CloudStack generates a key pair",
        afterwards: "it is replaced by one that CloudStack generates, as the preview says",
    },
    project,
    profile,
};

const network: Optional<NetworkArgs> = {
    name,
    displayText: { creation: "none", afterwards: "none, in place" },
    networkOffering: {
        creation: "`DefaultIsolatedNetworkOfferingWithSourceNatService`",
        afterwards: "it keeps its offering",
    },
    cidr: { creation: "one that CloudStack chooses", afterwards: "it keeps its addresses" },
    gateway: { creation: "the first address of `cidr`", afterwards: "it keeps its gateway" },
    networkDomain: { creation: "one that CloudStack chooses", afterwards: "it keeps its domain" },
    dns: { creation: "the name servers of the zone", afterwards: "it keeps its name servers" },
    tags,
    zone,
    project,
    timeoutSeconds,
    profile,
};

const publicIpAddress: Optional<PublicIpAddressArgs> = {
    ipAddress: { creation: "one that CloudStack chooses", afterwards: "it keeps its address" },
    tags,
    project,
    timeoutSeconds,
    profile,
};

const firewallRules: Optional<FirewallRulesArgs> & Optional<EgressFirewallRulesArgs> = {
    exclusive: { creation: "false", afterwards: "false: rules that the stack does not manage are kept from now on" },
    project,
    timeoutSeconds,
    profile,
};

const portForwardingRule: Optional<PortForwardingRuleArgs> = {
    protocol: { creation: "`tcp`", afterwards: "`tcp`: a rule for another protocol is replaced" },
    privatePorts: { creation: "`publicPorts`", afterwards: "`publicPorts`, in place" },
    cidrs: { creation: "all networks", afterwards: "all networks, in place" },
    project,
    timeoutSeconds,
    profile,
};

/** The effect of leaving out each optional argument, by resource. `docs/leaving-out.md` is generated from it. */
export const LEAVING_OUT = {
    VirtualMachine: virtualMachine,
    Volume: volume,
    SecurityGroup: securityGroup,
    SecurityGroupRules: securityGroupRules,
    AffinityGroup: affinityGroup,
    SshKeyPair: sshKeyPair,
    Network: network,
    PublicIpAddress: publicIpAddress,
    FirewallRules: firewallRules,
    EgressFirewallRules: firewallRules,
    PortForwardingRule: portForwardingRule,
} satisfies Record<string, Record<string, LeavingOut>>;
