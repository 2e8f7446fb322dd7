import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import { urnOf } from "../urn";

/** What all gates of a cluster are told. */
export interface GateArgs {
    /** The cluster's name. */
    readonly cluster: pulumi.Input<string>;
    /** Member name to address. */
    readonly members: pulumi.Input<Record<string, pulumi.Input<string>>>;
    readonly caCertificate: pulumi.Input<string>;
    readonly clientCertificate: pulumi.Input<string>;
    readonly clientKey: pulumi.Input<string>;
    /** `healthy`: etcd is asked; `none`: etcd is not asked. */
    readonly waitFor: pulumi.Input<string>;
    readonly timeoutSeconds: pulumi.Input<number>;
    /** A text that changes with whatever may take a member down. */
    readonly revision: pulumi.Input<string>;
}

/** From when on founders may found a cluster: see `foundingHandler`. */
export class EtcdFounding extends CloudStackResource {
    /** Seconds since 1970, by the cloud's clock. */
    declare readonly opensAt: pulumi.Output<number>;

    constructor(
        name: string,
        args: {
            cluster: pulumi.Input<string>;
            /** When its token was made, in seconds since 1970. */
            bornAt: pulumi.Input<number>;
            /** Of the token; undefined where 0.1.0 made it. */
            tokenFormat: pulumi.Input<number | undefined>;
            /** Names of its members' machines. */
            machines: pulumi.Input<string[]>;
            /** Of those, the founders'. */
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

/** Stands before all machines of a cluster: see `quorumHandler`. */
export class EtcdQuorum extends CloudStackResource {
    constructor(
        name: string,
        args: GateArgs & {
            version: pulumi.Input<string>;
            /** Whether the data is on volumes of its own. */
            hasVolumes: boolean;
            allowDataLoss: boolean;
            allowUnhealthy?: pulumi.Input<pulumi.Input<string>[]>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        super("EtcdQuorum", "etcdQuorum", name, { ...args }, [], opts);
    }
}

/** Stands behind one member's machine: see `memberHandler`. */
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

/** Stands behind all of a cluster: see `healthHandler`. */
export class EtcdHealth extends CloudStackResource {
    /** `healthy`, `unknown` or what is wrong, by member. */
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
