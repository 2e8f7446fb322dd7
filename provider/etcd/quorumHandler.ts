import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, type Outputs, same } from "../handler";
import { announce, lifecycle } from "../lifecycle";
import { ACCESS, gatewayOf } from "./connection";
import { erasureOf } from "./erasure";
import { describeProblems, examine, type Members } from "./health";

/** The inputs whose change affects members: the list of members, and what restarts, reinstalls or replaces them. */
const COMPARED = ["members", "version", "revision"] as const;

/** The inputs that only allow or forbid changes. */
const ALLOWING = ["allowUnhealthy", "allowDataLoss", "hasVolumes"] as const;

/**
 * The lifecycle of `EtcdQuorum`, which all machines of a cluster depend on. It refuses a rolling change of the members
 * while a member is not healthy.
 */
export const etcdQuorum: Handler = lifecycle({
    async check(problems, inputs, olds) {
        if (olds === undefined) return;
        const skew = versionProblem(olds.version, inputs.version);
        if (skew !== undefined) problems.add("version", skew);
        const refusal = lossOf(olds, inputs) ?? (await refusalOf(olds, inputs));
        if (refusal !== undefined) problems.add("", refusal);
    },
    diff(_id, olds, news) {
        const erased = erasureOf(olds, news);
        if (erased !== undefined)
            announce(
                news,
                `etcd ${news.cluster}: ${erased.what} (${erased.because})` +
                    (erased.isSafe ? "; one after the other, and each copies it from the others again" : ""),
            );
        return { changes: [...COMPARED, ...ACCESS, ...ALLOWING].some((name) => !same(olds[name], news[name])) };
    },
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: echoOf(inputs) }),
    async update(_id, olds, news) {
        const refusal = lossOf(olds, news) ?? (await refusalOf(olds, news));
        if (refusal !== undefined) throw new Error(refusal);
        return echoOf(news);
    },
});

/** Why a change is refused because it would erase the only copies of the data; undefined if it is allowed. */
function lossOf(olds: Outputs, news: Inputs): string | undefined {
    const erased = erasureOf(olds, news);
    if (erased === undefined || erased.isSafe || news.allowDataLoss === true) return undefined;
    const others =
        Object.keys(news.members).length > 1 && news.hasVolumes === false && olds.hasVolumes !== true
            ? 'With waitFor: "healthy" (and operatorCidrs that let pulumi reach etcd) members are changed one after the ' +
              "other, and nothing is lost. "
            : "";
    return (
        `etcd ${news.cluster} would lose all of its data: ${erased.what} (${erased.because}). ${others}` +
        "If the loss is intended, set allowDataLoss: true on the EtcdCluster."
    );
}

/** Why a change is refused because members are not healthy; undefined if it is allowed. */
async function refusalOf(olds: Outputs, news: Inputs): Promise<string | undefined> {
    const gateway = gatewayOf(news);
    if (gateway === undefined || hasUnknown(news.members)) return undefined;
    if (COMPARED.every((name) => same(olds[name], news[name]))) return undefined;
    // A member that is being removed need not be healthy; that may be the reason for its removal.
    const staying = unchanged(olds.members, news.members);
    const allowed: readonly string[] = news.allowUnhealthy ?? [];
    const health = await examine(gateway, staying);
    const unhealthy = health.filter(({ name, problem }) => problem !== undefined && !allowed.includes(name));
    if (unhealthy.length === 0) return undefined;
    return (
        `etcd is not healthy, so this change was not started: ${describeProblems(unhealthy)}. It takes members down one after ` +
        "the other, and with one down already the cluster could lose its quorum. Repair that member first: see its " +
        "journal (journalctl -u etcd), start or destroy its machine and run `pulumi up --refresh`, which creates it again, " +
        "or remove it from `members`. `allowUnhealthy` with its key allows this change in spite of it."
    );
}

function unchanged(olds: Members, news: Members): Members {
    return Object.fromEntries(Object.entries(olds).filter(([name, address]) => news[name] === address));
}

/**
 * Why a change of the version is refused: etcd is upgraded one minor version at a time
 * (https://etcd.io/docs/v3.6/upgrades/), and an earlier version does not start with the data of a later one.
 */
function versionProblem(old: unknown, wanted: unknown): string | undefined {
    if (typeof old !== "string" || typeof wanted !== "string") return undefined;
    const [from, to] = [old, wanted].map((version) => version.split(".").map(Number));
    if (from.length !== 3 || to.length !== 3 || [...from, ...to].some(Number.isNaN)) return undefined;
    if (to[0] === from[0] && (to[1] === from[1] || to[1] === from[1] + 1)) return undefined;
    const isBack = to[0] < from[0] || (to[0] === from[0] && to[1] < from[1]);
    return isBack
        ? `${old} -> ${wanted}: etcd cannot go back to an earlier minor version; restore a snapshot of that time instead`
        : `${old} -> ${wanted}: etcd is upgraded one minor version at a time; first to ${from[0]}.${from[1] + 1}`;
}
