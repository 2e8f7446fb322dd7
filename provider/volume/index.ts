import * as pulumi from "@pulumi/pulumi";
import type { CloudIdentity } from "../session";
import { CloudStackResource, namedIdentity } from "../resource";
import type { OperationTimeouts } from "../timeouts";

/** The arguments of a {@link Volume}. */
export interface VolumeArgs {
    /**
     * The name or id of the disk offering. Changed in place if CloudStack can migrate the data.
     *
     * @example "Custom"
     */
    diskOffering: pulumi.Input<string>;
    /**
     * The size in GiB, for offerings of custom size. It grows in place; shrinking is refused at preview.
     *
     * @default the offering's size
     * @example 20
     */
    sizeGiB?: pulumi.Input<number>;
    /**
     * The id of the machine that the volume is attached to. A change detaches and attaches it; without a machine it is
     * detached.
     *
     * @default none
     * @example server.id
     */
    virtualMachine?: pulumi.Input<string>;
    /**
     * The device id of the volume at its machine (1 is the first after the root disk; 3 is reserved).
     *
     * @default the first free one
     * @example 1
     */
    deviceId?: pulumi.Input<number>;
    /**
     * The volume's name. A short hash of stack and resource is added to it, because CloudStack stores nothing else that
     * identifies the owner. A volume keeps the name that it was created with: CloudStack's default role does not allow
     * renaming.
     *
     * @default `<stack>-<resource name>`
     */
    name?: pulumi.Input<string>;
    /**
     * The name or id of the zone. A change replaces the volume, see `allowDataLoss`.
     * @default `cloudstack:zone`, or the only zone
     */
    zone?: pulumi.Input<string>;
    /**
     * The name or id of the project. A change replaces the volume, see `allowDataLoss`.
     * @default `cloudstack:project`
     */
    project?: pulumi.Input<string>;
    /**
     * Whether a change may erase the volume's data. A change of `zone` or `project` replaces the volume by an empty
     * one; with `false`, this is an error at preview. All other changes keep the data. Removing the volume from the
     * program and `pulumi up --replace` delete it regardless of this; the resource option `protect` prevents that.
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
 * A data disk that is independent of its machine: when the machine is replaced, the disk is attached to the new one.
 *
 * @example A disk for a database, protected against deletion by mistake
 * ```ts
 * new cloudstack.Volume("data", { diskOffering: "Custom", sizeGiB: 20, virtualMachine: machine.id }, { protect: true });
 * ```
 */
export class Volume extends CloudStackResource {
    /** The full name. */
    declare readonly name: pulumi.Output<string>;
    /** The size in GiB: that of the offering, or the argument. */
    declare readonly sizeGiB: pulumi.Output<number>;
    /** The id of the machine that the volume is attached to. */
    declare readonly virtualMachine: pulumi.Output<string | undefined>;
    /** The device id at its machine (usually 1 for the first data disk); `undefined` while it is detached. */
    declare readonly deviceId: pulumi.Output<number | undefined>;
    /** CloudStack's state of the volume: Allocated until it is first attached, then Ready. */
    declare readonly state: pulumi.Output<string>;
    /** The zone that it is in. */
    declare readonly zoneId: pulumi.Output<string>;
    /** Its current disk offering. */
    declare readonly diskOfferingId: pulumi.Output<string>;
    /** The cloud and account that the volume belongs to. */
    declare readonly cloud: pulumi.Output<CloudIdentity>;

    constructor(name: string, args: VolumeArgs, opts?: pulumi.CustomResourceOptions) {
        super(
            "Volume",
            "volume",
            name,
            { ...args, ...namedIdentity("Volume", name, args, opts) },
            ["sizeGiB", "deviceId", "state", "zoneId", "diskOfferingId", "cloud"],
            // The old volume is deleted first, also with `pulumi up --replace`, where `diff` is not called.
            pulumi.mergeOptions({ deleteBeforeReplace: true }, opts),
        );
    }
}
