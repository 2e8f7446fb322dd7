/**
 * The records of the cloud's state. Records are plain JSON and immutable: a change puts a new record in the table (see
 * `store.ts`), so that a transaction can be rolled back cheaply.
 *
 * Times are milliseconds since 1970 (UTC). `number` is the internal id that a few error texts of CloudStack show.
 */

export interface Row {
    readonly id: string;
}

/** An entry of the operator's catalogue. */
export interface Offer extends Row {
    readonly name: string;
    /** Withdrawn: lists omit it, but what already uses it keeps it. */
    readonly retired?: boolean;
}

/** The owner of resources: a user's account, or the account behind a project. */
export interface Account extends Row {
    readonly number: number;
    readonly name: string;
    /** CloudStack's account types: 0 user, 1 root administrator, 5 the account behind a project. */
    readonly type: 0 | 1 | 5;
    readonly created: number;
    /** Whether it may expunge and recover machines (`allow.user.expunge.recover.vm`). */
    readonly mayExpunge: boolean;
    /** The project that this account belongs to. */
    readonly projectId?: string;
    /** Limits set by the administrator, by the number of the resource type; -1 is unlimited. */
    readonly limits: Readonly<Record<number, number>>;
}

export interface User extends Row {
    readonly name: string;
    readonly accountId: string;
    readonly apiKey: string;
    readonly secretKey: string;
    readonly created: number;
}

export interface Project extends Row {
    readonly name: string;
    readonly displayText: string;
    readonly ownerId: string;
    readonly memberIds: readonly string[];
    readonly created: number;
}

export interface Zone extends Offer {
    readonly securityGroups: boolean;
    readonly token: string;
}

export interface OsCategory extends Row {
    readonly name: string;
}

export interface OsType extends Row {
    readonly name: string;
    readonly categoryId: string;
}

export interface Template extends Offer {
    readonly displayText: string;
    readonly zoneIds: readonly string[];
    readonly osTypeId: string;
    readonly created: number;
    readonly sizeGiB: number;
    readonly passwordEnabled: boolean;
}

export interface ServiceOffering extends Offer {
    readonly number: number;
    readonly created: number;
    readonly diskOfferingId: string;
    /** Absent if the machine's details define it. */
    readonly cpuNumber?: number;
    /** MHz; absent if the machine's details define it. */
    readonly cpuSpeed?: number;
    /** MiB; absent if the machine's details define it. */
    readonly memory?: number;
    /** The bounds of a custom offering; a constrained one also has a fixed speed. */
    readonly bounds?: Readonly<{ minCpu: number; maxCpu: number; minMemory: number; maxMemory: number }>;
}

export interface DiskOffering extends Offer {
    readonly displayText: string;
    readonly created: number;
    /** GiB; 0 if the volume defines it. */
    readonly sizeGiB: number;
}

export interface NetworkOffering extends Row {
    readonly name: string;
    readonly displayText: string;
    readonly created: number;
    readonly guestType: "Shared" | "Isolated" | "L2";
    /** Whether its networks have a virtual router from the beginning, and keep it without machines. */
    readonly persistent?: boolean;
    /** Whether machines may connect to the outside without an egress rule. */
    readonly egressAllowed?: boolean;
}

export interface Network extends Row {
    readonly name: string;
    readonly displayText: string;
    readonly zoneId: string;
    readonly offeringId: string;
    /** Absent for the shared network, which belongs to the domain. */
    readonly ownerId?: string;
    readonly state: "Setup" | "Allocated" | "Implemented";
    /** Internal id. */
    readonly number?: number;
    /** Empty in a network of layer 2, as are the gateway and the addresses. */
    readonly cidr: string;
    readonly gateway: string;
    /** First and last address for machines. */
    readonly start: string;
    readonly end: string;
    readonly domain: string;
    /** Its own name servers, instead of those of the zone. */
    readonly dns?: readonly string[];
    readonly vlan: number;
    readonly created: number;
    readonly removed?: number;
}

/** An address that was allocated once. Its id does not change when it is released and allocated again. */
export interface PublicAddress extends Row {
    readonly number: number;
    readonly address: string;
    readonly zoneId: string;
    /** The last owner of a free one. */
    readonly ownerId: string;
    readonly state: "Allocating" | "Allocated" | "Free";
    readonly networkId?: string;
    /** Whether it is the address of its network's connections to the outside. */
    readonly sourceNat: boolean;
    readonly allocated: number;
}

/** A rule of a virtual router. */
export interface NetworkRule extends Row {
    readonly number: number;
    readonly purpose: "Firewall" | "PortForwarding" | "LoadBalancing";
    /** Of firewall rules. */
    readonly trafficType?: "Ingress" | "Egress";
    readonly ownerId: string;
    readonly networkId: string;
    /** Absent for egress rules. */
    readonly addressId?: string;
    readonly protocol: string;
    /** Absent if the rule is for all ports. */
    readonly startPort?: number;
    readonly endPort?: number;
    readonly icmpType?: number;
    readonly icmpCode?: number;
    readonly cidrs: readonly string[];
    readonly destinationCidrs: readonly string[];
    /** Of forwarding rules: the machine and its ports. */
    readonly machineId?: string;
    readonly privatePort?: number;
    readonly privateEndPort?: number;
    /** Of a firewall rule that was made with another rule, and is removed with it: the id of that. */
    readonly openedFor?: string;
    readonly state: "Add" | "Active";
}

export interface Nic {
    readonly id: string;
    readonly networkId: string;
    /** Empty in a network of layer 2. */
    readonly address: string;
    readonly mac: string;
    readonly isDefault: boolean;
    readonly deviceId: number;
}

export type MachineState = "Starting" | "Running" | "Stopping" | "Stopped" | "Destroyed" | "Expunging" | "Error";

export interface Machine extends Row {
    readonly number: number;
    readonly name: string;
    readonly displayName: string;
    readonly ownerId: string;
    readonly userId: string;
    readonly zoneId: string;
    readonly templateId: string;
    readonly serviceOfferingId: string;
    readonly state: MachineState;
    readonly created: number;
    /** When its state changed last. */
    readonly updated: number;
    readonly instanceGroupId?: string;
    readonly haEnabled: boolean;
    readonly dynamicallyScalable: boolean;
    readonly deleteProtection: boolean;
    /** CPU and memory, from its offering or, if that is a custom one, from its details. */
    readonly size: Readonly<{ cpuNumber: number; cpuSpeed: number; memory: number }>;
    readonly details: Readonly<Record<string, string>>;
    /** Base64, as CloudStack stores it. */
    readonly userData?: string;
    readonly securityGroupIds: readonly string[];
    readonly affinityGroupIds: readonly string[];
    readonly nics: readonly Nic[];
    /** From when the cloud has statistics of it (CPU, network, disks). */
    readonly statisticsFrom?: number;
    readonly password?: string;
    readonly destroyed?: number;
    readonly removed?: number;
}

export interface InstanceGroup extends Row {
    readonly name: string;
    readonly ownerId: string;
    readonly created: number;
}

export interface Volume extends Row {
    readonly number: number;
    readonly name: string;
    readonly type: "ROOT" | "DATADISK";
    readonly ownerId: string;
    readonly zoneId: string;
    readonly diskOfferingId?: string;
    readonly sizeGiB: number;
    readonly state: "Allocated" | "Ready" | "Destroy";
    readonly created: number;
    readonly machineId?: string;
    readonly deviceId?: number;
    readonly attached?: number;
    readonly deleteProtection: boolean;
    readonly removed?: number;
}

export interface SecurityGroup extends Row {
    readonly name: string;
    readonly description?: string;
    readonly ownerId: string;
}

export interface SecurityGroupRule extends Row {
    readonly groupId: string;
    readonly direction: "ingress" | "egress";
    /** tcp, udp, icmp, all or a protocol number. */
    readonly protocol: string;
    /** First port, or the ICMP type; 0 if the protocol has none. */
    readonly from: number;
    /** Last port, or the ICMP code; 0 if the protocol has none. */
    readonly to: number;
    readonly cidr?: string;
    readonly sourceGroupId?: string;
}

export interface KeyPair extends Row {
    readonly name: string;
    readonly ownerId: string;
    readonly publicKey: string;
    readonly fingerprint: string;
}

export interface AffinityGroup extends Row {
    readonly name: string;
    readonly description?: string;
    readonly type: string;
    readonly ownerId: string;
}

export interface Tag extends Row {
    readonly key: string;
    readonly value: string;
    readonly resourceType: string;
    readonly resourceId: string;
    readonly ownerId: string;
}

export interface Job extends Row {
    readonly number: number;
    readonly command: string;
    readonly accountId: string;
    readonly userId: string;
    readonly arguments: Readonly<Record<string, unknown>>;
    readonly instanceType?: string;
    readonly instanceId?: string;
    /** Jobs of one queue run one after the other. */
    readonly queue: string;
    readonly created: number;
    /** When it started; `memo` is what it needs to continue after a restart of the cloud. */
    readonly started?: number;
    readonly memo?: unknown;
    readonly completed?: number;
    /** 0 pending, 1 succeeded, 2 failed. */
    readonly status: 0 | 1 | 2;
    readonly resultCode: number;
    readonly result?: unknown;
}

export interface Event extends Row {
    readonly type: string;
    readonly level: "INFO" | "ERROR";
    readonly description: string;
    readonly userId: string;
    readonly accountId: string;
    readonly created: number;
    readonly state: "Completed";
    readonly resourceId?: string;
    readonly resourceType?: string;
}

/** The latest value of a sequence; the id is its name. */
export interface Counter extends Row {
    readonly value: number;
}
