import * as pulumi from "@pulumi/pulumi";
import type { KubernetesSettings } from "../../provider/kubernetesSettings";
import type { KubernetesClusterArgs } from "./args";
import { nodeNames } from "./names";

/** The arguments of a cluster that its settings record, and the names of its nodes. */
export function settingsOf(cluster: pulumi.Input<string>, args: KubernetesClusterArgs): Record<string, unknown> {
    return {
        name: cluster,
        kubernetesVersion: args.kubernetesVersion,
        containerdVersion: args.containerdVersion,
        podCidr: args.podCidr,
        serviceCidr: args.serviceCidr,
        dnsDomain: args.dnsDomain,
        endpoint: args.endpoint,
        podNetwork: args.podNetwork,
        timeServers: args.timeServers,
        etcd: { endpoints: args.etcd.endpoints },
        nodes: pulumi.output(cluster).apply((called) => nodeNames(called, args)),
    };
}

/** The arguments, with the recorded settings in place of those that were left out. */
export function withSettings(args: KubernetesClusterArgs, settings: KubernetesSettings): KubernetesClusterArgs {
    const { kubernetesVersion, podCidr, serviceCidr, dnsDomain } = settings;
    const field = <T extends object, K extends keyof T>(output: pulumi.Output<T>, key: K) =>
        output.apply((value) => value?.[key]);
    return {
        ...args,
        kubernetesVersion,
        podCidr,
        serviceCidr,
        dnsDomain,
        endpoint: {
            mode: field(settings.endpoint, "mode"),
            host: field(settings.endpoint, "host") as pulumi.Output<string>,
            port: field(settings.endpoint, "port") as pulumi.Output<number>,
        },
        podNetwork: {
            backend: field(settings.podNetwork, "backend"),
            mtu: field(settings.podNetwork, "mtu") as pulumi.Output<number>,
        },
    };
}
