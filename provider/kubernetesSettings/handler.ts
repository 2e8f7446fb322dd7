import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, isUnknown, same } from "../handler";
import { announce, lifecycle } from "../lifecycle";
import { defaultCidrs, defaultDnsDomain, defaultKubernetesVersion } from "./defaults";
import { compared, laterChanges, refusedChanges } from "./changes";

/**
 * The lifecycle of `KubernetesSettings`, which stands before everything else of a cluster: what a running cluster cannot
 * take is refused at preview, argument by argument. An argument that is left out stays what it was, so that another
 * default of a later version of this package changes no cluster.
 */
export const kubernetesSettings: Handler = lifecycle({
    async check(problems, inputs, olds) {
        fill(inputs, olds ?? {});
        if (olds === undefined) return;
        for (const { property, reason } of refusedChanges(olds, inputs)) problems.add(property, reason);
    },
    diff(_id, olds, news) {
        const differs = compared.some((name) => hasUnknown(news[name]) || !same(olds[name], news[name]));
        for (const line of differs ? laterChanges(news.name, olds, news) : []) announce(news, line);
        return { changes: differs };
    },
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: echoOf(inputs) }),
    update: async (_id, _olds, news) => echoOf(news),
});

/** What the program leaves out: as it was, or the default. */
function fill(inputs: Inputs, olds: Inputs): void {
    const defaults = { kubernetesVersion: defaultKubernetesVersion, ...defaultCidrs, dnsDomain: defaultDnsDomain };
    for (const [name, value] of Object.entries(defaults)) inputs[name] ??= olds[name] ?? value;
    inputs.endpoint ??= olds.endpoint ?? {};
    inputs.podNetwork ??= {};
    if (!isUnknown(inputs.endpoint)) inputs.endpoint = { mode: "nodeLocal", ...inputs.endpoint };
    if (!isUnknown(inputs.podNetwork))
        inputs.podNetwork = { backend: olds.podNetwork?.backend ?? "vxlan", ...inputs.podNetwork };
}
