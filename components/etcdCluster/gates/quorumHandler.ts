import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, type Outputs, same } from "../../../provider/handler";
import { lifecycle } from "../../../provider/lifecycle";
import { ACCESS, gatewayOf } from "./access";
import { describeProblems, examine, type Members } from "./health";

/** What is compared: who is in the cluster, and all whose change takes a member down for a moment. */
const COMPARED = ["members", "version", "revision"] as const;

/**
 * The lifecycle of `EtcdQuorum`, which stands before all machines of a cluster: nothing that takes members down one
 * after the other begins while one is down already.
 */
export const etcdQuorum: Handler = lifecycle({
    async check(problems, inputs, olds) {
        if (olds === undefined) return;
        const skew = versionProblem(olds.version, inputs.version);
        if (skew !== undefined) problems.add("version", skew);
        const refusal = await refusalOf(olds, inputs);
        if (refusal !== undefined) problems.add("", refusal);
    },
    diff: (_id, olds, news) => ({
        changes: [...COMPARED, ...ACCESS, "allowUnhealthy"].some((name) => !same(olds[name], news[name])),
    }),
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: echoOf(inputs) }),
    read: async (_id, outputs) => outputs,
    async update(_id, olds, news) {
        const refusal = await refusalOf(olds, news);
        if (refusal !== undefined) throw new Error(refusal);
        return echoOf(news);
    },
    async delete() {},
});

/** Why a change must not begin; undefined where it may. */
async function refusalOf(olds: Outputs, news: Inputs): Promise<string | undefined> {
    const gateway = gatewayOf(news);
    if (gateway === undefined || hasUnknown(news.members)) return undefined;
    if (COMPARED.every((name) => same(olds[name], news[name]))) return undefined;
    // Who is taken out may be down: that may be why.
    const staying = stays(olds.members, news.members);
    const allowed: readonly string[] = news.allowUnhealthy ?? [];
    const health = await examine(gateway, staying);
    const unwell = health.filter(({ name, problem }) => problem !== undefined && !allowed.includes(name));
    if (unwell.length === 0) return undefined;
    return (
        `etcd is not well, so this change does not begin: ${describeProblems(unwell)}. It takes members down one after ` +
        "the other, and with one down already the cluster could lose its quorum. Repair that member first: see its " +
        "journal (journalctl -u etcd), start or destroy its machine and run `pulumi up --refresh`, which brings it back, " +
        "or take it out of `members` for good. `allowUnhealthy` with its key lets this change pass without it."
    );
}

function stays(olds: Members, news: Members): Members {
    return Object.fromEntries(Object.entries(olds).filter(([name, address]) => news[name] === address));
}

/** One minor version at a time, and never back: etcd writes its data in a way that the one before cannot read. */
function versionProblem(old: unknown, wanted: unknown): string | undefined {
    if (typeof old !== "string" || typeof wanted !== "string") return undefined;
    const [from, to] = [old, wanted].map((version) => version.split(".").map(Number));
    if (from.length !== 3 || to.length !== 3 || [...from, ...to].some(Number.isNaN)) return undefined;
    if (to[0] === from[0] && (to[1] === from[1] || to[1] === from[1] + 1)) return undefined;
    const isBack = to[0] < from[0] || (to[0] === from[0] && to[1] < from[1]);
    return isBack
        ? `${old} -> ${wanted}: etcd cannot go back to an earlier minor version; restore a snapshot of that time instead`
        : `${old} -> ${wanted}: etcd goes one minor version at a time; first to ${from[0]}.${from[1] + 1}`;
}
