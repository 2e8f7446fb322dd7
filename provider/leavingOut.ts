import type { AffinityGroupArgs } from "./affinityGroup";
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

const DEFAULT_AGAIN = "the default, from the next operation on";
const project: LeavingOut = {
    creation: "`cloudstack:project`, else the account's own",
    afterwards: "it stays in the project that it is in",
};
const profile: LeavingOut = {
    creation: "the stack's cloud",
    afterwards: "the stack's cloud; refused where that is another one",
};
const timeoutSeconds: LeavingOut = { creation: "the defaults", afterwards: DEFAULT_AGAIN };
const name: LeavingOut = { creation: "`<stack>-<resource name>`", afterwards: "it keeps its name" };
const zone: LeavingOut = {
    creation: "`cloudstack:zone`, else the only zone",
    afterwards: "it stays in the zone that it is in, whatever the default is by now",
};
const ingress: LeavingOut = { creation: "nothing may come in by it", afterwards: "its rules are removed" };
const egress: LeavingOut = {
    creation: "everything may go out, as far as it decides",
    afterwards: "its rules are removed",
};

const virtualMachine: Optional<VirtualMachineArgs> = {
    name,
    displayName: { creation: "the name", afterwards: "the name, in place" },
    zone,
    project,
    network: {
        creation: "the zone's shared network where security groups rule; elsewhere it has to be given",
        afterwards: "it stays in its network",
    },
    ipAddress: {
        creation: "one that CloudStack picks",
        afterwards: "it keeps its address; a machine that replaces it gets one that CloudStack picks",
    },
    securityGroups: {
        creation: "the account's group `default`",
        afterwards: "the account's group `default`: it stops, is put there and starts",
    },
    affinityGroups: { creation: "none", afterwards: "none: it stops, is taken out of them and starts" },
    sshKeyPairs: {
        creation: "none",
        afterwards: "it keeps the keys that it has, since CloudStack cannot remove keys; the preview says so",
    },
    userData: { creation: "none", afterwards: "none, by what `onUserDataChange` says" },
    userDataBase64: { creation: "none", afterwards: "none, by what `onUserDataChange` says" },
    userDataMaxLength: { creation: "32768", afterwards: DEFAULT_AGAIN },
    onUserDataChange: { creation: "`update`", afterwards: DEFAULT_AGAIN },
    onTemplateChange: { creation: "`replace`", afterwards: DEFAULT_AGAIN },
    reinstallTrigger: { creation: "none", afterwards: "nothing happens" },
    rollingGroup: { creation: "none", afterwards: "it no longer waits for the others" },
    maxUnavailable: { creation: "1", afterwards: DEFAULT_AGAIN },
    rootDiskSizeGiB: { creation: "the template's size", afterwards: "it keeps its size" },
    running: { creation: "it runs", afterwards: "it runs: one that is stopped starts" },
    allowRestart: { creation: "true", afterwards: DEFAULT_AGAIN },
    allowDataLoss: { creation: "true", afterwards: DEFAULT_AGAIN },
    deleteProtection: { creation: "off", afterwards: "off, in place" },
    group: { creation: "none", afterwards: "none, in place" },
    tags: { creation: "none", afterwards: "those that the program set are removed; tags of others stay" },
    details: {
        creation: "none",
        afterwards: "those that the program set are removed; those of others and the size of a custom offering stay",
    },
    timeoutSeconds,
    profile,
};

const volume: Optional<VolumeArgs> = {
    sizeGiB: {
        creation: "the offering's size; refused where the offering has none",
        afterwards: "it keeps its size; refused where the offering has none",
    },
    virtualMachine: { creation: "it is attached to none", afterwards: "it is detached, with its data" },
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
    exclusive: { creation: "false", afterwards: "rules of others are left alone from now on" },
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

/** The effect of leaving out each optional argument, by resource. `docs/leaving-out.md` is generated from it. */
export const LEAVING_OUT = {
    VirtualMachine: virtualMachine,
    Volume: volume,
    SecurityGroup: securityGroup,
    SecurityGroupRules: securityGroupRules,
    AffinityGroup: affinityGroup,
    SshKeyPair: sshKeyPair,
} satisfies Record<string, Record<string, LeavingOut>>;
