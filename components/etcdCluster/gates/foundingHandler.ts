import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs } from "../../../provider/handler";
import { announce, lifecycle } from "../../../provider/lifecycle";
import { machinesThere } from "../../../provider/machineNames";
import { defaultBootstrapWindowSeconds } from "../urls";

/**
 * The lifecycle of `EtcdFounding`: from when on founders without data may found the cluster, for `windowSeconds`.
 *
 * The window opens with the run that makes the first of the members' machines, by the cloud's clock. As long as no run
 * has found one of them, and none is there, a later run opens it anew: there is no cluster beside which a second one
 * could be founded. What runs have seen stays in the arguments (the engine keeps them where nothing else changes), so
 * that machines which are lost later find no open window when they are made again.
 */
export const etcdFounding: Handler = lifecycle({
    async check(problems, inputs, olds) {
        const { machines, founders, bornAt, windowSeconds, project, profile } = inputs;
        inputs.seen = olds?.seen ?? "none";
        inputs.opensAt = olds?.opensAt ?? bornAt;
        if (inputs.seen === "most" || hasUnknown([machines, founders, bornAt, windowSeconds, project, profile])) return;
        const found = await problems.attempt("", () => machinesThere(inputs, machines));
        if (found === undefined) return;
        if (areMost(found.names, founders)) {
            inputs.seen = "most";
            return;
        }
        inputs.seenAt = found.now;
        if (found.names.length > 0) inputs.seen = "some";
        // Half a window is enough for a run that goes through; otherwise each run would tell machines something new.
        else if (inputs.seen === "none" && (olds === undefined || found.now > inputs.opensAt + windowSeconds / 2))
            inputs.opensAt = found.now;
    },
    diff(_id, olds, news) {
        // A refresh may have found that machines are gone, and their data with them.
        if (news.seen === "none" && news.opensAt > olds.opensAt && olds.wasRefreshed !== true) return { changes: true };
        if (news.seenAt > olds.opensAt + news.windowSeconds)
            announce(
                news,
                `etcd ${news.cluster}: most of its founders' machines are not there, and the window in which they found a ` +
                    "cluster is over. Those that are made now wait for a cluster that lives. If there never was one: " +
                    `bootstrapWindowSeconds: ${news.seenAt - olds.opensAt + defaultBootstrapWindowSeconds} opens it again. ` +
                    "If it has lost its data: etcd-restore SNAPSHOT on one member.",
            );
        return { changes: false };
    },
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: outputsOf(inputs) }),
    async read(_id, outputs) {
        const { names } = await machinesThere(outputs, outputs.machines);
        return areMost(names, outputs.founders) ? outputs : { ...outputs, wasRefreshed: true };
    },
    update: async (_id, _olds, news) => outputsOf(news),
    async delete() {},
});

function areMost(names: readonly string[], founders: readonly string[]): boolean {
    return founders.length === 0 || 2 * founders.filter((name) => names.includes(name)).length > founders.length;
}

function outputsOf(inputs: Inputs): Inputs {
    return { ...echoOf(inputs), wasRefreshed: false };
}
