import type * as pulumi from "@pulumi/pulumi";
import { CloudStackResource } from "../../../provider/resource";
import type { KubernetesClusterArgs } from "../index";

/** Stands before everything else of a cluster: see `kubernetesSettings` in `settingsHandler.ts`. */
export class KubernetesSettings extends CloudStackResource {
    /** As given, as it was, or the default; so are the others. */
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

/** What of a cluster's arguments its settings are told. */
export function settingsOf(cluster: pulumi.Input<string>, args: KubernetesClusterArgs): Record<string, unknown> {
    const { kubernetesVersion, containerdVersion, podCidr, serviceCidr, dnsDomain, endpoint } = args;
    const { podNetwork, timeServers, etcd } = args;
    return {
        ...{ name: cluster, kubernetesVersion, containerdVersion, podCidr, serviceCidr, dnsDomain, endpoint },
        ...{ podNetwork, timeServers, etcd: { endpoints: etcd.endpoints } },
    };
}

/** The arguments with what the settings say in place of what was left out. */
export function settled(args: KubernetesClusterArgs, settings: KubernetesSettings): KubernetesClusterArgs {
    const { kubernetesVersion, podCidr, serviceCidr, dnsDomain } = settings;
    const of = <T extends object, K extends keyof T>(output: pulumi.Output<T>, key: K) =>
        output.apply((value) => value?.[key]);
    return {
        ...args,
        ...{ kubernetesVersion, podCidr, serviceCidr, dnsDomain },
        endpoint: {
            mode: of(settings.endpoint, "mode"),
            host: of(settings.endpoint, "host") as pulumi.Output<string>,
            port: of(settings.endpoint, "port") as pulumi.Output<number>,
        },
        podNetwork: {
            backend: of(settings.podNetwork, "backend"),
            mtu: of(settings.podNetwork, "mtu") as pulumi.Output<number>,
        },
    };
}
