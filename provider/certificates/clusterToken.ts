import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** Arguments of {@link ClusterToken}. */
export interface ClusterTokenArgs {
    /**
     * The keys of the members that found the cluster. Changes in later runs have no effect.
     *
     * @default none
     * @example ["a", "b", "c"]
     */
    members?: pulumi.Input<pulumi.Input<string>[]>;
    /** Any values. A change creates a new token, and so a new cluster. @default none */
    keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * The identity of a cluster, stored in the stack's state: a unique token, the time of its creation, and the founding
 * members. Only founding members may start a new cluster, and only within the bootstrap window. A member that is added
 * later, or that has lost its data, joins the existing cluster.
 *
 * @example
 * ```ts
 * const token = new ClusterToken("etcd", { members: ["a", "b", "c"] });
 * ```
 */
export class ClusterToken extends CloudStackResource {
    /** 16 hexadecimal digits. */
    declare readonly token: pulumi.Output<string>;
    /** Seconds since 1970. */
    declare readonly createdAt: pulumi.Output<number>;
    /** `members` at the creation, sorted. */
    declare readonly founders: pulumi.Output<string[]>;
    /** 2; undefined if version 0.1.0 created it, which did not record whether the cluster had machines. */
    declare readonly format: pulumi.Output<number | undefined>;

    constructor(name: string, args: ClusterTokenArgs = {}, opts?: pulumi.CustomResourceOptions) {
        super("ClusterToken", "clusterToken", name, { ...args }, ["token", "createdAt", "founders", "format"], opts);
    }
}
