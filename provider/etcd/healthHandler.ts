import * as crypto from "node:crypto";
import { echoOf, type Handler, type Inputs, type Outputs, same } from "../handler";
import { lifecycle } from "../lifecycle";
import { status } from "../status";
import { ACCESS, gatewayOf, secondsOf } from "./connection";
import { memberName } from "./names";
import { readmit, removeMember } from "./expulsion";
import type { Gateway, ListedMember } from "./gateway";
import { refuseLoss } from "./guardHandler";
import { describeProblems, examine, listed, waitUntilHealthy } from "./health";

/** The value of a healthy member in the output `health`. */
const HEALTHY = "healthy";

/**
 * The lifecycle of `EtcdHealth`, which depends on all other resources of a cluster. It is created last, when the
 * cluster must be healthy, and deleted first, so that it can refuse a deletion that would lose data.
 */
export const etcdHealth: Handler = lifecycle({
    async check() {},
    diff: (_id, olds, news) => ({
        changes:
            ["members", "revision", "allowDataLoss", ...ACCESS].some((name) => !same(olds[name], news[name])) ||
            (news.waitFor === "healthy" && !isHealthy(olds)),
    }),
    async create(inputs) {
        const outs = await waitForHealth(inputs, Object.keys(inputs.members)).catch((error: Error) => {
            throw new Error(error.message + firstHint(inputs));
        });
        return { id: crypto.randomUUID(), outs };
    },
    async read(_id, outputs) {
        const gateway = gatewayOf(outputs);
        if (gateway === undefined) return outputs;
        const entries = (await examine(gateway, outputs.members)).map(({ name, problem }) => [
            name,
            problem ?? HEALTHY,
        ]);
        const found = await listed(gateway, outputs.members);
        for (const member of unexpectedIn(found?.list ?? [], Object.keys(outputs.members)))
            entries.push([shown(member), "is in the cluster, but not in the program"]);
        return { ...outputs, health: Object.fromEntries(entries) };
    },
    // The engine deletes resources after updates, so members that are being removed may still be in the cluster.
    update: (_id, olds, news) => waitForHealth(news, Object.keys({ ...olds.members, ...news.members })),
    delete: async (_id, outputs) => refuseLoss(outputs),
});

/**
 * Advice if the cluster is not healthy when this resource is created: the founding members may have missed the
 * bootstrap window, or an interrupted `destroy` has deleted this resource before.
 */
function firstHint({ windowOpensAt }: Inputs): string {
    if (typeof windowOpensAt !== "number") return "";
    return (
        " If it is new, and its members' journals say that the bootstrap window closed: increase bootstrapWindowSeconds, " +
        `which starts at ${new Date(windowOpensAt * 1000).toISOString()}. If a destroy was interrupted before: ` +
        "`pulumi up --refresh` creates missing machines again, `pulumi destroy` completes it."
    );
}

function isHealthy({ health, members }: Outputs): boolean {
    const names = Object.keys({ ...members, ...health });
    return names.every((name) => health?.[name] === HEALTHY);
}

/** @param expected the names of members that may be in the cluster */
async function waitForHealth(inputs: Inputs, expected: readonly string[]): Promise<Outputs> {
    const gateway = gatewayOf(inputs);
    const names = Object.keys(inputs.members);
    const all = (word: string) => Object.fromEntries(names.map((name) => [name, word]));
    if (gateway === undefined) return { ...echoOf(inputs), health: all("unknown") };
    const look = async () => {
        const health = await examine(gateway, inputs.members);
        const problems = describeProblems(health);
        if (problems === "") return removeUnexpected(gateway, inputs, expected);
        const missing = health.filter(({ problem }) => problem !== undefined).map(({ name }) => name);
        await readmit(gateway, inputs.members, missing).catch(() => false);
        const healthy = health.filter(({ problem }) => problem === undefined).length;
        return `${healthy} of ${names.length} members are healthy; ${problems}`;
    };
    await waitUntilHealthy(`etcd cluster ${inputs.cluster} is not healthy`, secondsOf(inputs), look, (line) =>
        status(inputs.urn, line),
    );
    return { ...echoOf(inputs), health: all(HEALTHY) };
}

/**
 * Removes an unexpected member, because a member that is down counts towards the quorum. It is removed only if it has a
 * name of this cluster and is neither in the program nor in its last run. All other members are healthy then.
 *
 * @returns the remaining problem; undefined if there is none
 */
async function removeUnexpected(
    gateway: Gateway,
    { cluster, members }: Inputs,
    expected: readonly string[],
): Promise<string | undefined> {
    const found = await listed(gateway, members);
    if (found === undefined) return "no member can reach a quorum";
    const unexpected = unexpectedIn(found.list, expected);
    const [gone] = unexpected.filter(({ name }) => name?.startsWith(memberName(cluster, "")));
    if (gone !== undefined) {
        await removeMember(gateway, found.endpoint, found.list, gone, gone.name!).catch(() => undefined);
        return `${gone.name} is not in the program and is being removed from the cluster`;
    }
    if (unexpected.length === 0) return undefined;
    const list = unexpected.map(shown).join(", ");
    return `the cluster has a member that is not in the program: ${list} (remove it with etcdctl member remove)`;
}

function unexpectedIn(list: readonly ListedMember[], expected: readonly string[]): ListedMember[] {
    return list.filter(({ name }) => name === undefined || !expected.includes(name));
}

function shown({ ID, name }: ListedMember): string {
    return name || `an unstarted member (${BigInt(ID).toString(16)})`;
}
