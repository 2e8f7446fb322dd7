import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";
import type { KubernetesNode } from "./absence";
import type { UserDataStub } from "../virtualMachine/userData";
import { urnOf } from "../urn";
import type { MachineUserData } from "./userDataHandler";

interface PlacementInputs {
    project?: pulumi.Input<string>;
    profile?: pulumi.Input<string>;
}

/** What a `KubernetesCluster` tells its machines beyond their arguments: see `absence`. Undefined where nobody drains. */
export interface NodeArguments {
    kubernetesNode?: pulumi.Input<KubernetesNode | undefined>;
    kubernetesKey?: pulumi.Input<string | undefined>;
    /** What stays of the machine's user data when it has joined; undefined where nothing is removed. */
    userDataStub?: pulumi.Input<UserDataStub | undefined>;
    userDataStubBase64?: pulumi.Input<string | undefined>;
}

/** Removes the secrets from the user data of a cluster's machines once they have joined: see `userDataHandler`. */
export class KubernetesUserData extends CloudStackResource {
    /** Names of machines whose user data has secrets. */
    declare readonly pending: pulumi.Output<string[]>;

    constructor(
        name: string,
        args: Pick<PlacementInputs, "project" | "profile"> & {
            /** The cluster's name. */
            cluster: pulumi.Input<string>;
            machines: pulumi.Input<Record<string, MachineUserData>>;
            timeoutSeconds: pulumi.Input<number>;
            caCertificate: pulumi.Input<string>;
            clientCertificate: pulumi.Input<string>;
            clientKey: pulumi.Input<string>;
            /** URLs of API servers. */
            endpoints: pulumi.Input<string[]>;
            /** A text that changes with whatever may reinstall a machine. */
            revision: pulumi.Input<string>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("KubernetesUserData", name, opts?.parent);
        super("KubernetesUserData", "kubernetesUserData", name, { ...args, urn }, ["pending", "cloud"], opts);
    }
}

/** Stands behind all machines of a Kubernetes cluster: see `readyHandler`. */
export class KubernetesReady extends CloudStackResource {
    /** `ready`, `unknown` where nobody looked, or what is wrong. */
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
            /** Node name to the URL of its API server. */
            controlPlanes: pulumi.Input<Record<string, string>>;
            /** Names of all nodes. */
            nodes: pulumi.Input<string[]>;
            /** Such as `DaemonSet kube-system/kube-proxy`. */
            addons: pulumi.Input<string[]>;
            allowNotReady: pulumi.Input<string[]>;
            /** A text that changes with whatever may take a node down. */
            revision: pulumi.Input<string>;
        },
        opts?: pulumi.CustomResourceOptions,
    ) {
        const urn = urnOf("KubernetesReady", name, opts?.parent);
        super("KubernetesReady", "kubernetesReady", name, { ...args, urn }, ["status"], opts);
    }
}
