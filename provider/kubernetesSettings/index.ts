import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../resource";

/** All other resources of a cluster depend on it: see `kubernetesSettings` in `handler.ts`. */
export class KubernetesSettings extends CloudStackResource {
    /** The argument, the previous value, or the default; the same applies to the others. */
    declare readonly kubernetesVersion: pulumi.Output<string>;
    declare readonly podCidr: pulumi.Output<string>;
    declare readonly serviceCidr: pulumi.Output<string>;
    declare readonly dnsDomain: pulumi.Output<string>;
    declare readonly endpoint: pulumi.Output<{ mode: string; host?: string; port?: number }>;
    declare readonly podNetwork: pulumi.Output<{ backend: string; mtu?: number }>;

    constructor(name: string, args: Record<string, unknown>, opts?: pulumi.CustomResourceOptions) {
        const filled = ["kubernetesVersion", "podCidr", "serviceCidr", "dnsDomain", "endpoint", "podNetwork"];
        super("KubernetesSettings", "kubernetesSettings", name, args, filled, opts);
    }
}
