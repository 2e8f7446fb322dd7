import * as crypto from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { echoOf, type Handler, type Inputs, type Outputs, same } from "../handler";
import { lifecycle, say } from "../lifecycle";
import { status } from "../status";
import { clientUrl, peerUrl } from "./names";
import { ACCESS, gatewayOf, others, secondsOf } from "./connection";
import { readmit, removeMember } from "./expulsion";
import { type Gateway, SHORT_PATIENCE } from "./gateway";
import { describeProblems, examine, listed, waitUntilHealthy } from "./health";

/**
 * The lifecycle of `EtcdMember`, which depends on the machine of one member. The next machine is not changed before
 * this member is healthy, and this machine is not deleted before its member has been removed from the cluster.
 */
export const etcdMember: Handler = lifecycle({
    async check() {},
    diff: (_id, olds, news) => ({
        changes: ["revision", "members", ...ACCESS].some((name) => !same(olds[name], news[name])),
    }),
    async create(inputs) {
        if (!(await isFounding(inputs))) await waitForMember(inputs);
        return { id: crypto.randomUUID(), outs: echoOf(inputs) };
    },
    async update(_id, olds, news) {
        if (!same(olds.revision, news.revision)) await waitForMember(news);
        return echoOf(news);
    },
    delete: (_id, outputs) => leave(outputs),
});

/** Whether a founding member must not wait: there is no cluster before most founding members have started. */
async function isFounding(inputs: Inputs): Promise<boolean> {
    const gateway = gatewayOf(inputs, SHORT_PATIENCE);
    if (gateway === undefined || inputs.isFounder !== true) return gateway === undefined;
    return (await listed(gateway, others(inputs.members, inputs.name))) === undefined;
}

async function waitForMember(inputs: Inputs): Promise<void> {
    const gateway = gatewayOf(inputs);
    if (gateway === undefined) return;
    const members = { [inputs.name]: inputs.address };
    let isReadmitted = false;
    const look = async () => {
        const problems = describeProblems(await examine(gateway, members));
        if (problems === "") return undefined;
        // The member was removed before and is in the program again.
        isReadmitted ||= await readmit(gateway, others(inputs.members, inputs.name), [inputs.name]).catch(() => false);
        return problems;
    };
    await waitUntilHealthy(`etcd member ${inputs.name} is not healthy`, secondsOf(inputs), look, (line) =>
        status(inputs.urn, line),
    );
}

/** Removes the member from the cluster, so that it does not count towards the quorum. */
async function leave(outputs: Outputs): Promise<void> {
    const { name, address } = outputs;
    const gateway = gatewayOf(outputs);
    if (gateway === undefined) {
        say(
            `${name} remains a member of its etcd cluster, which counts it as down: with waitFor "none" ` +
                "it is not removed (etcdctl member list, then etcdctl member remove ID).",
        );
        return;
    }
    const deadline = Date.now() + secondsOf(outputs) * 1000;
    for (;;) {
        const problem = await tryToLeave(gateway, outputs);
        if (problem === undefined) return;
        status(outputs.urn, `leaving the cluster: ${problem}`);
        if (Date.now() > deadline)
            throw new Error(
                `${name} (${clientUrl(address)}) could not be removed from its etcd cluster: ${problem}. Its machine ` +
                    "was not deleted. Repair the other members, then run `pulumi up` again.",
            );
        await sleep(1_000);
    }
}

/** @returns the problem; undefined when the member is no longer in the cluster */
async function tryToLeave(gateway: Gateway, { name, address, members }: Outputs): Promise<string | undefined> {
    const found = await listed(gateway, others(members, name));
    if (found === undefined) return "none of the other members can reach a quorum";
    const mine = found.list.find((member) => member.name === name || member.peerURLs?.includes(peerUrl(address)));
    if (mine === undefined) return undefined;
    try {
        await removeMember(gateway, found.endpoint, found.list, mine, name);
        return undefined;
    } catch (error) {
        return (error as Error).message;
    }
}
