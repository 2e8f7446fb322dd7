import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of a {@link Volume}. */
export interface VolumeArgs {
    /**
     * The kind of disk, as the name or id of a disk offering. Changed in place where CloudStack can move the data.
     *
     * @example "Custom"
     */
    diskOffering: pulumi.Input<string>;
    /**
     * The size in GiB, for offerings of custom size. It grows in place; a smaller one is refused at preview.
     *
     * @default the offering's size
     * @example 20
     */
    sizeGiB?: pulumi.Input<number>;
    /**
     * The id of the machine that has the disk. A change detaches and attaches it; without one it stays detached.
     *
     * @default none
     * @example server.id
     */
    virtualMachine?: pulumi.Input<string>;
    /**
     * The position of the disk at its machine (1 is the first after the root disk; 3 is reserved).
     *
     * @default the first free one
     * @example 1
     */
    deviceId?: pulumi.Input<number>;
    /**
     * The volume's name. A short hash of stack and resource is added to it (CloudStack keeps nothing else that identifies its owner).
     * A volume keeps the name that it was made with: CloudStack's default role may not rename one.
     *
     * @default `<stack>-<resource name>`
     */
    name?: pulumi.Input<string>;
    /** The name or id of the zone. A change replaces the volume, see `allowDataLoss`. @default `cloudstack:zone`, or the only zone */
    zone?: pulumi.Input<string>;
    /** The name or id of the project. A change replaces the volume, see `allowDataLoss`. @default `cloudstack:project` */
    project?: pulumi.Input<string>;
    /**
     * Whether a change may erase the volume's data: one of `zone` or `project` replaces it by an empty one, which is an error at preview without
     * this. All other changes keep the data. Taking the volume out of the program, and `pulumi up --replace`, delete it all the same (`protect`
     * is against that).
     *
     * @default false
     */
    allowDataLoss?: pulumi.Input<boolean>;
    /**
     * How long each operation may take, in seconds.
     *
     * @default create 900, update 900, delete 600
     * @example { update: 3600 }
     */
    timeoutSeconds?: pulumi.Input<OperationTimeouts>;
    /** A profile of cmk's or cs's configuration file. @default the stack's cloud */
    profile?: pulumi.Input<string>;
}

/**
 * A data disk that outlives its machine: when the machine is replaced, the disk is detached and attached to the new one.
 *
 * @example A disk for a database, protected against deletion by mistake
 * ```ts
 * new cloudstack.Volume("data", { diskOffering: "Custom", sizeGiB: 20, virtualMachine: machine.id }, { protect: true });
 * ```
 */
export class Volume extends CloudStackResource {
    /** The whole name. */
    declare readonly name: pulumi.Output<string>;
    /** The size in GiB: that of the offering, or what was asked for. */
    declare readonly sizeGiB: pulumi.Output<number>;
    /** The machine that has the disk. */
    declare readonly virtualMachine: pulumi.Output<string | undefined>;
    /** Which disk of its machine it is (1 is the first data disk as a rule); `undefined` while it is attached to none. */
    declare readonly deviceId: pulumi.Output<number | undefined>;
    /** CloudStack's state of the volume: Allocated until it was first attached, then Ready. */
    declare readonly state: pulumi.Output<string>;
    /** The zone that it is in. */
    declare readonly zoneId: pulumi.Output<string>;
    /** The disk offering that it has now. */
    declare readonly diskOfferingId: pulumi.Output<string>;
    /** The cloud and account that the volume lives in. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: VolumeArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "Volume",
            "volume",
            name,
            { ...args, ...namedIdentity("Volume", name, args, opts) },
            ["sizeGiB", "deviceId", "state", "zoneId", "diskOfferingId", "cloud"],
            // Its name is taken while the old one is there, also where the engine does not ask (`pulumi up --replace`).
            pulumi.mergeOptions({ deleteBeforeReplace: true }, opts),
        );
    }
}
