import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import type { KubernetesNode } from "./maintenance";
import { urnOf } from "../urn";
import type { MachineStub } from "./userDataHandler";

export type { MachineStub };

/**
 * What a `KubernetesCluster` passes to its machines in addition to their arguments: see `maintenance`. Undefined with
 * waitFor none.
 */
export interface NodeArguments {
    kubernetesNode?: pulumi.Input<KubernetesNode | undefined>;
    kubernetesKey?: pulumi.Input<string | undefined>;
}

/** Removes the secrets from the user data of a cluster's machines when they have joined: see `userDataHandler`. */
export class KubernetesUserData extends CloudStackResource {
    /** Names of machines whose user data may contain secrets. */
    declare readonly pending: pulumi.Output<string[]>;

    constructor(
        name: string,
        args: {
            /** The cluster's name. */
            cluster: pulumi.Input<string>;
            /** By node name. */
            machines: pulumi.Input<Record<string, MachineStub>>;
            project?: pulumi.Input<string>;
            profile?: pulumi.Input<string>;
            timeoutSeconds: pulumi.Input<number>;
            caCertificate: pulumi.Input<string>;
            clientCertificate: pulumi.Input<string>;
            clientKey: pulumi.Input<string>;
            /** The URL of the API server, by node name. */
            controlPlanes: pulumi.Input<Record<string, string>>;
            allowNotReady: pulumi.Input<string[]>;
            /** A string that changes with every change that may reinstall a machine. */
            revision: pulumi.Input<string>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("KubernetesUserData", name, opts?.parent);
        super("KubernetesUserData", "kubernetesUserData", name, { ...args, urn }, ["pending", "cloud"], opts);
    }
}

/** Depends on all machines of a Kubernetes cluster: see `readyHandler`. */
export class KubernetesReady extends CloudStackResource {
    /** `ready`, `unknown` if it is not checked, or the problem. */
    declare readonly status: pulumi.Output<string>;

    constructor(
        name: string,
        args: {
            /** The cluster's name. */
            cluster: pulumi.Input<string>;
            /** `none`, `api`, `nodes` or `addons`. */
            waitFor: pulumi.Input<string>;
            timeoutSeconds: pulumi.Input<number>;
            caCertificate: pulumi.Input<string>;
            clientCertificate: pulumi.Input<string>;
            clientKey: pulumi.Input<string>;
            /** The URL of the API server, by node name. */
            controlPlanes: pulumi.Input<Record<string, string>>;
            /** Names of all nodes. */
            nodes: pulumi.Input<string[]>;
            /** Such as `DaemonSet kube-system/kube-proxy`. */
            addons: pulumi.Input<string[]>;
            allowNotReady: pulumi.Input<string[]>;
            /** A string that changes with every change that may take a node down. */
            revision: pulumi.Input<string>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("KubernetesReady", name, opts?.parent);
        super("KubernetesReady", "kubernetesReady", name, { ...args, urn }, ["status"], opts);
    }
}
