import type * as pulumi from "@pulumi/pulumi";
import type { OperationTimeouts } from "../../provider/timeouts";
import type {
    OnTemplateChange,
    OnUserDataChange,
    VirtualMachine,
    VirtualMachineArgs,
} from "../../provider/virtualMachine";
import type { Volume } from "../../provider/volume";

/** The arguments of one machine of a group; each overrides the group's. */
export interface GroupMachineArgs {
    /** The machine's name, which is also its host name. @default `<stack>-<group>-<key>` */
    name?: pulumi.Input<string>;
    /** A fixed address. @default assigned by CloudStack @example "10.1.1.21" */
    ipAddress?: pulumi.Input<string>;
    /** User data as plain text. @default the group's */
    userData?: pulumi.Input<string>;
    /** User data as base64. @default the group's */
    userDataBase64?: pulumi.Input<string>;
    /** The service offering of this machine. @default the group's */
    serviceOffering?: pulumi.Input<string>;
}

/** A data disk for each machine of a group. It survives the replacement of its machine. */
export interface DataVolumeArgs {
    /** The name or id of a disk offering. @example "Custom" */
    diskOffering: pulumi.Input<string>;
    /**
     * The size in GiB, for disk offerings with a custom size. It can be increased in place.
     *
     * @default the offering's
     * @example 20
     */
    sizeGiB?: pulumi.Input<number>;
    /** Whether the engine refuses to delete the disk (Pulumi's `protect`). @default false */
    protect?: boolean;
    /**
     * Whether a change of zone or project may replace the disk with an empty one; see {@link VolumeArgs.allowDataLoss}.
     *
     * @default false
     */
    allowDataLoss?: pulumi.Input<boolean>;
}

/** Resources that the machines of a group wait for, when they are created and when they change. */
export interface MachineGateArgs {
    /** Resources that all machines wait for. @default none */
    before?: pulumi.Resource[];
    /**
     * Returns the resources that the next machine of an `ordered` group waits for. It is called once for each machine,
     * in the order of the keys.
     *
     * @default the machine and its data disk
     */
    after?: (key: string, machine: VirtualMachine, volume?: Volume) => pulumi.Resource[];
}

/** How the machines of a group are spread over the cloud's hosts. */
export type Spread = "preferred" | "strict" | "none";

/** The arguments of a {@link MachineGroup}. */
export interface MachineGroupArgs {
    /**
     * The machines, by a permanent key: a letter or digit, then letters, digits and hyphens. Removing a key deletes
     * that machine and changes no other. `machineKeys(3)` returns the keys "0", "1" and "2".
     *
     * @example { a: { ipAddress: "10.1.1.21" }, b: { ipAddress: "10.1.1.22" } }
     */
    machines: Record<string, GroupMachineArgs>;
    /** The service offering of the machines. A change stops and starts them. */
    serviceOffering: pulumi.Input<string>;
    /** The template of the machines. */
    template: pulumi.Input<string>;
    /** The name or id of the zone. @default `cloudstack:zone` */
    zone?: pulumi.Input<string>;
    /** The name or id of the project. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /** The name or id of the network. @default the zone's only network */
    network?: pulumi.Input<string>;
    /** Ids of security groups. @default the account's `default` group @example [web.id] */
    securityGroups?: pulumi.Input<pulumi.Input<string>[]>;
    /** Names of SSH key pairs. @default none @example [key.name] */
    sshKeyPairs?: pulumi.Input<pulumi.Input<string>[]>;
    /** User data as plain text, for machines without their own. @default none */
    userData?: pulumi.Input<string>;
    /** What a change of user data does; see {@link VirtualMachineArgs.onUserDataChange}. @default "update" */
    onUserDataChange?: pulumi.Input<OnUserDataChange>;
    /** What a change of the template does. @default "replace" */
    onTemplateChange?: pulumi.Input<OnTemplateChange>;
    /**
     * Any string; a change reinstalls the machines. See {@link VirtualMachineArgs.reinstallTrigger}.
     *
     * @default none
     * @example "nginx 1.28"
     */
    reinstallTrigger?: pulumi.Input<string>;
    /** The longest user data that the cloud accepts, in characters of base64. @default 32768 */
    userDataMaxLength?: pulumi.Input<number>;
    /** The root disk's size in GiB. @default the template's */
    rootDiskSizeGiB?: pulumi.Input<number>;
    /** A data disk for each machine. @default none @example { diskOffering: "Custom", sizeGiB: 100 } */
    dataVolume?: DataVolumeArgs;
    /**
     * Host anti-affinity of the machines: with `strict` a machine fails to start if there are too few hosts, with
     * `preferred` it shares a host. A change stops and starts the machines, so a group of one machine has it too: it
     * may grow.
     *
     * @default "preferred"
     */
    spread?: Spread;
    /**
     * Whether machines are created and changed one after another, in the order of the keys, instead of in parallel.
     *
     * @default false
     */
    ordered?: boolean;
    /**
     * Any string: machines with the same string are changed one at a time, but created and deleted in parallel. See
     * {@link VirtualMachineArgs.rollingGroup}. @default none: all in parallel
     * @example "database"
     */
    rollingGroup?: pulumi.Input<string>;
    /**
     * How many machines of the `rollingGroup` may be down at once; see {@link VirtualMachineArgs.maxUnavailable}.
     *
     * @default 1
     * @example 2
     */
    maxUnavailable?: pulumi.Input<number>;
    /** Whether a change may stop running machines; see {@link VirtualMachineArgs.allowRestart}. @default true */
    allowRestart?: pulumi.Input<boolean>;
    /**
     * Whether a change may erase root disks; see {@link VirtualMachineArgs.allowDataLoss}. Data disks are kept in any
     * case.
     *
     * @default true; false in a group that is not `ordered` and has no `rollingGroup`, where all machines would be
     * erased at once
     */
    allowDataLoss?: pulumi.Input<boolean>;
    /** Tags of every machine. @default none @example { team: "payments" } */
    tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** How long each operation on a machine may take, in seconds. @default create 900, update 900, delete 600 */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
    /** What the machines wait for. @default each machine of an `ordered` group for the one before it */
    gate?: MachineGateArgs;
    /**
     * Changes the final arguments of a machine, for what the group has no argument for.
     *
     * @default none
     * @example (args, key) => ({ ...args, displayName: "Database " + key })
     */
    transform?: (args: VirtualMachineArgs, key: string) => VirtualMachineArgs;
}
