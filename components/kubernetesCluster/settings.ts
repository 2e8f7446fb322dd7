import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesSettings } from "../../provider/kubernetesSettings";
import type { KubernetesClusterArgs } from "./args";

/** The arguments of a cluster that its settings record. */
export function settingsOf(cluster: pulumi.Input<string>, args: KubernetesClusterArgs): Record<string, unknown> {
    const { kubernetesVersion, containerdVersion, podCidr, serviceCidr, dnsDomain, endpoint } = args;
    const { podNetwork, timeServers, etcd } = args;
    return {
        ...{ name: cluster, kubernetesVersion, containerdVersion, podCidr, serviceCidr, dnsDomain, endpoint },
        ...{ podNetwork, timeServers, etcd: { endpoints: etcd.endpoints } },
    };
}

/** The arguments, with the recorded settings in place of those that were left out. */
export function withSettings(args: KubernetesClusterArgs, settings: KubernetesSettings): KubernetesClusterArgs {
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
