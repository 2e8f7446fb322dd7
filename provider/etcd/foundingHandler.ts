import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, type Outputs, same } from "../handler";
import { announce, lifecycle } from "../lifecycle";
import { machinesThere } from "../machineNames";
import { defaultBootstrapWindowSeconds } from "./names";

/** The arguments that `read` uses. A change of them is an update, because `read` receives those of the last update. */
const FOLLOWED = ["founders", "project", "profile"] as const;

/**
 * The lifecycle of `EtcdFounding`, which determines the bootstrap window: from `opensAt`, founding members without data
 * may bootstrap the cluster for `windowSeconds`.
 *
 * The window opens in the run that creates the first machines of the members, by the cloud's clock. While no run has
 * found any of these machines, a later run opens the window again, because there cannot be a cluster yet that a second
 * one would conflict with. Which machines runs have found is stored in the arguments, which the engine keeps if nothing
 * else changes. So machines that are lost later and created again do not find an open window.
 *
 * Machines may also be lost before any run has found them, while they are still in the state, which this handler cannot
 * see. A run without a refresh then opens the window, but does not create them, because they are in the state. The
 * refresh that removes them from the state closes the window again.
 */
export const etcdFounding: Handler = lifecycle({
    async check(problems, inputs, olds) {
        const { machines, founders, bornAt, windowSeconds, project, profile, tokenFormat } = inputs;
        inputs.seen = olds?.seen ?? "none";
        inputs.opensAt = olds?.opensAt ?? bornAt;
        if (inputs.seen === "most" || hasUnknown([machines, founders, bornAt, windowSeconds, project, profile])) return;
        const asked = [...machines, ...(olds?.machines ?? [])];
        const found = await problems.attempt("", () => machinesThere(inputs, asked));
        if (found === undefined) return;
        // If the cluster is renamed in this run, its machines still have their old names.
        if ([founders, olds?.founders ?? founders].some((names) => areMost(found.names, names))) {
            inputs.seen = "most";
            return;
        }
        inputs.seenAt = found.now;
        if (found.names.length > 0) inputs.seen = "some";
        if (inputs.seen !== "none") return;
        // Half a window is enough for one run. The window is not moved earlier, because each move changes the machines.
        if (olds !== undefined && found.now <= inputs.opensAt + windowSeconds / 2) return;
        // A stack of version 0.1.0 may have had all its machines, which was not recorded.
        if (olds === undefined && tokenFormat === undefined) announceEnd(inputs, bornAt);
        else inputs.opensAt = found.now;
    },
    diff(_id, olds, news) {
        if (reopens(olds, news)) return { changes: true };
        announceEnd(news, olds.opensAt);
        const followed = FOLLOWED.filter((name) => !hasUnknown(news[name]));
        return { changes: followed.some((name) => !same(olds[name], news[name])) };
    },
    create: async (inputs) => ({
        id: crypto.randomUUID(),
        outs: { ...echoOf(inputs), firstOpenedAt: inputs.opensAt, wasRefreshed: false },
    }),
    async read(_id, outputs) {
        const { names } = await machinesThere(outputs, outputs.machines);
        if (areMost(names, outputs.founders)) return outputs;
        return { ...outputs, opensAt: outputs.firstOpenedAt ?? outputs.opensAt, wasRefreshed: true };
    },
    async update(_id, olds, news) {
        const { opensAt, wasRefreshed } = reopens(olds, news) ? { ...news, wasRefreshed: false } : olds;
        return { ...echoOf(news), firstOpenedAt: olds.firstOpenedAt ?? olds.opensAt, opensAt, wasRefreshed };
    },
});

/** Whether the window opens again. Not if a refresh has found that machines are missing: their data may be lost. */
function reopens(olds: Outputs, news: Inputs): boolean {
    return news.seen === "none" && news.opensAt > olds.opensAt && olds.wasRefreshed !== true;
}

/** Announces that machines created now are too late to bootstrap a cluster, if the window is over. */
function announceEnd(inputs: Inputs, opensAt: number): void {
    if (!(inputs.seenAt > opensAt + inputs.windowSeconds)) return;
    announce(
        inputs,
        `etcd ${inputs.cluster}: most of its founders' machines do not exist, and the bootstrap window is ` +
            "over. Machines created now wait for an existing cluster. If there never was one: " +
            `bootstrapWindowSeconds: ${inputs.seenAt - opensAt + defaultBootstrapWindowSeconds} opens the window again. ` +
            "If it has lost its data: etcd-restore SNAPSHOT on one member.",
    );
}

function areMost(names: readonly string[], founders: readonly string[]): boolean {
    return founders.length === 0 || 2 * founders.filter((name) => names.includes(name)).length > founders.length;
}
