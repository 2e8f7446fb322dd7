import * as crypto from "node:crypto";
import { echoOf, type Handler, type Inputs, type Outputs, same } from "../../../provider/handler";
import { lifecycle } from "../../../provider/lifecycle";
import { status } from "../../../provider/status";
import { ACCESS, gatewayOf, secondsOf } from "./access";
import { refuseLoss } from "./guardHandler";
import { describeProblems, examine, listed, waitUntilWell } from "./health";

/** What `health` says of a member that is well. */
const WELL = "healthy";

/**
 * The lifecycle of `EtcdHealth`, which depends on all of a cluster: the last to be made, so it knows when the cluster
 * works, and the first to be deleted, so it guards the data.
 */
export const etcdHealth: Handler = lifecycle({
    async check() {},
    diff: (_id, olds, news) => ({
        changes:
            ["members", "revision", "allowDataLoss", ...ACCESS].some((name) => !same(olds[name], news[name])) ||
            (news.waitFor === "healthy" && !isWell(olds)),
    }),
    async create(inputs) {
        return { id: crypto.randomUUID(), outs: await waited(inputs, Object.keys(inputs.members)) };
    },
    async read(_id, outputs) {
        const gateway = gatewayOf(outputs);
        if (gateway === undefined) return outputs;
        const entries = (await examine(gateway, outputs.members)).map(({ name, problem }) => [name, problem ?? WELL]);
        return { ...outputs, health: Object.fromEntries(entries) };
    },
    // The engine deletes last: who was a member before is one still.
    update: (_id, olds, news) => waited(news, Object.keys({ ...olds.members, ...news.members })),
    delete: async (_id, outputs) => refuseLoss(outputs),
});

function isWell({ health, members }: Outputs): boolean {
    return Object.keys(members).every((name) => health?.[name] === WELL);
}

/** @param expected who may be in the cluster */
async function waited(inputs: Inputs, expected: readonly string[]): Promise<Outputs> {
    const gateway = gatewayOf(inputs);
    const names = Object.keys(inputs.members);
    const all = (word: string) => Object.fromEntries(names.map((name) => [name, word]));
    if (gateway === undefined) return { ...echoOf(inputs), health: all("unknown") };
    const look = async () => {
        const health = await examine(gateway, inputs.members);
        const problems = describeProblems(health);
        if (problems === "") return memberProblem(await listed(gateway, inputs.members), expected);
        const well = health.filter(({ problem }) => problem === undefined).length;
        return `${well} of ${names.length} members are well; ${problems}`;
    };
    await waitUntilWell(`etcd cluster ${inputs.cluster} is not healthy`, secondsOf(inputs), look, (line) =>
        status(inputs.urn, line),
    );
    return { ...echoOf(inputs), health: all(WELL) };
}

/** The cluster may consist of those members only: one more that is down counts against every quorum. */
function memberProblem(found: Awaited<ReturnType<typeof listed>>, expected: readonly string[]): string | undefined {
    if (found === undefined) return "no member is in touch with a quorum";
    const strangers = found.list.filter(({ name }) => name === undefined || !expected.includes(name));
    if (strangers.length === 0) return undefined;
    const shown = strangers.map(({ ID, name }) => name || `an unstarted one (${BigInt(ID).toString(16)})`).join(", ");
    return `the cluster has a member that is not the program's: ${shown} (etcdctl member remove takes it out)`;
}
