import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { urnOf } from "../urn";

/** The common arguments of the resources below. */
export interface GateArgs {
    /** The cluster's name. */
    readonly cluster: pulumi.Input<string>;
    /** Member name to address. */
    readonly members: pulumi.Input<Record<string, pulumi.Input<string>>>;
    readonly caCertificate: pulumi.Input<string>;
    readonly clientCertificate: pulumi.Input<string>;
    readonly clientKey: pulumi.Input<string>;
    /** `healthy`: wait until etcd is healthy; `none`: do not contact etcd. */
    readonly waitFor: pulumi.Input<string>;
    readonly timeoutSeconds: pulumi.Input<number>;
    /** A text that changes with everything that restarts, reinstalls or replaces a member. */
    readonly revision: pulumi.Input<string>;
}

/** The bootstrap window of a cluster: see `foundingHandler`. */
export class EtcdFounding extends CloudStackResource {
    /** Seconds since 1970, by the cloud's clock. */
    declare readonly opensAt: pulumi.Output<number>;

    constructor(
        name: string,
        args: {
            cluster: pulumi.Input<string>;
            /** When the cluster's token was created, in seconds since 1970. */
            bornAt: pulumi.Input<number>;
            /** The token's format; undefined if version 0.1.0 created it. */
            tokenFormat: pulumi.Input<number | undefined>;
            /** The names of all members' machines. */
            machines: pulumi.Input<string[]>;
            /** The names of the founding members' machines. */
            founders: pulumi.Input<string[]>;
            windowSeconds: pulumi.Input<number>;
            project?: pulumi.Input<string>;
            profile?: pulumi.Input<string>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        super("EtcdFounding", "etcdFounding", name, { ...args }, ["opensAt"], opts);
    }
}

/** All machines of a cluster depend on it: see `quorumHandler`. */
export class EtcdQuorum extends CloudStackResource {
    constructor(
        name: string,
        args: GateArgs & {
            version: pulumi.Input<string>;
            /** Whether the data is on data volumes. */
            hasVolumes: boolean;
            allowDataLoss: boolean;
            allowUnhealthy?: pulumi.Input<pulumi.Input<string>[]>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        super("EtcdQuorum", "etcdQuorum", name, { ...args }, [], opts);
    }
}

/** Depends on the machine of one member: see `memberHandler`. */
export class EtcdMember extends CloudStackResource {
    constructor(
        resourceName: string,
        args: GateArgs & {
            /** The member's name. */
            name: pulumi.Input<string>;
            address: pulumi.Input<string>;
            isFounder: pulumi.Input<boolean>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("EtcdMember", resourceName, opts?.parent);
        super("EtcdMember", "etcdMember", resourceName, { ...args, urn }, [], opts);
    }
}

/** Depends on all other resources of a cluster: see `healthHandler`. */
export class EtcdHealth extends CloudStackResource {
    /** `healthy`, `unknown` or the problem, by member. */
    declare readonly health: pulumi.Output<Record<string, string>>;

    constructor(
        name: string,
        args: GateArgs & { allowDataLoss: boolean; windowOpensAt: pulumi.Input<number> },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("EtcdHealth", name, opts?.parent);
        super("EtcdHealth", "etcdHealth", name, { ...args, urn }, ["health"], opts);
    }
}

/** Goes before anything else of a program that depends on a cluster's data: see `dataGuard.ts`. */
export class EtcdDataGuard extends CloudStackResource {
    constructor(
        name: string,
        args: { cluster: pulumi.Input<string>; allowDataLoss: boolean },
        opts?: pulumi.CustomResourceOptions,
    ) {
        super("EtcdDataGuard", "etcdDataGuard", name, { ...args }, [], opts);
    }
}
