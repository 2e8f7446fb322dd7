import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, type Outputs, same } from "../handler";
import { announce, lifecycle } from "../lifecycle";
import { machinesThere } from "../machineNames";
import { defaultBootstrapWindowSeconds } from "./names";

/** What `read` looks with: the arguments that it is told are those of the last update. */
const FOLLOWED = ["founders", "project", "profile"] as const;

/**
 * The lifecycle of `EtcdFounding`: from when on founders without data may found the cluster, for `windowSeconds`.
 *
 * The window opens with the run that makes the first of the members' machines, by the cloud's clock. As long as no run
 * has found one of them, and none is there, a later run opens it again: there is no cluster beside which a second one
 * could be founded. What runs have seen stays in the arguments (the engine keeps them where nothing else changes), so
 * that machines which are lost later find no open window when they are made again.
 *
 * Machines that nobody has seen may be lost as well, and the engine tells nobody that its state has them. A run without a
 * refresh then opens the window, but makes none of them: it believes that they are there. The refresh that takes them out
 * of the state closes what was opened again.
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
        // Those of a cluster that is renamed in this run still have their old names.
        if ([founders, olds?.founders ?? founders].some((names) => areMost(found.names, names))) {
            inputs.seen = "most";
            return;
        }
        inputs.seenAt = found.now;
        if (found.names.length > 0) inputs.seen = "some";
        if (inputs.seen !== "none") return;
        // Half a window is enough for a run that goes through; otherwise each run would tell machines something new.
        if (olds !== undefined && found.now <= inputs.opensAt + windowSeconds / 2) return;
        // A stack of 0.1.0 may have had all its machines, and nobody noted it.
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

/** Whether the window opens again. Not where a refresh may have found that machines are gone, and their data with them. */
function reopens(olds: Outputs, news: Inputs): boolean {
    return news.seen === "none" && news.opensAt > olds.opensAt && olds.wasRefreshed !== true;
}

/** Says that machines which are made now come too late, where that is so. */
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
