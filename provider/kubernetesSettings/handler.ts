import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, isUnknown, same } from "../handler";
import { noteInProgram } from "../kubernetes/maintenance";
import { announce, lifecycle } from "../lifecycle";
import { defaultCidrs, defaultDnsDomain, defaultKubernetesVersion } from "./defaults";
import { compared, laterChanges, refusedChanges } from "./changes";

/**
 * The lifecycle of `KubernetesSettings`, which all other resources of a cluster depend on. It refuses changes that a
 * running cluster does not support, already at preview. An argument that is left out keeps its value, so that a later
 * version of this package with other defaults does not change existing clusters.
 */
export const kubernetesSettings: Handler = lifecycle({
    async check(problems, inputs, olds) {
        if (!hasUnknown([inputs.name, inputs.nodes])) noteInProgram(inputs.name, inputs.nodes);
        // Not recorded: nodes are added and removed without a change of the settings.
        delete inputs.nodes;
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

/** Fills in arguments that the program leaves out: with the previous value, or the default. */
function fill(inputs: Inputs, olds: Inputs): void {
    const defaults = { kubernetesVersion: defaultKubernetesVersion, ...defaultCidrs, dnsDomain: defaultDnsDomain };
    for (const [name, value] of Object.entries(defaults)) inputs[name] ??= olds[name] ?? value;
    inputs.endpoint ??= olds.endpoint ?? {};
    inputs.podNetwork ??= {};
    if (!isUnknown(inputs.endpoint)) inputs.endpoint = { mode: "nodeLocal", ...inputs.endpoint };
    if (!isUnknown(inputs.podNetwork))
        inputs.podNetwork = { backend: olds.podNetwork?.backend ?? "vxlan", ...inputs.podNetwork };
}
