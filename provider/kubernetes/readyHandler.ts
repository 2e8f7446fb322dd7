import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, type Outputs, same } from "../handler";
import { announce, lifecycle, wasChecked } from "../lifecycle";
import { status } from "../status";
import { notReady } from "./maintenance";
import { apiOf, ApiUnavailable, type KubernetesApi, SHORT_PATIENCE } from "./api";
import { logOf } from "./logs";
import { listNodes, waitUntilRight } from "./nodes";
import { type Expected, type Finding, lookAt, STAGES } from "./stages";

/** Values of `status`: no problem, and not checked. */
const READY = "ready";
const UNKNOWN_STATUS = "unknown";

/** Arguments whose change updates the gate; `revision` does so only if the gate waits. */
const COMPARED = [
    ...["cluster", "waitFor", "controlPlanes", "nodes", "addons", "allowNotReady"],
    ...["caCertificate", "clientCertificate", "clientKey", "timeoutSeconds"],
] as const;

/**
 * The lifecycle of `KubernetesReady`, which depends on all machines of a cluster: it is created last, when the cluster
 * should work.
 */
export const kubernetesReady: Handler = lifecycle({
    async check(_problems, inputs, olds) {
        // The key is known if the cluster exists: a first run without problems prints no messages.
        const isNew = olds === undefined && hasUnknown(inputs.clientKey);
        if (isNew || (olds !== undefined && !same(olds.revision, inputs.revision))) announceNone(inputs);
    },
    async diff(_id, olds, news) {
        const takesDown = !same(olds.revision, news.revision);
        if (takesDown) await announceTrouble(news);
        // A gate with waitFor none does not check again.
        const looksAgain = news.waitFor !== "none" && (takesDown || (isAsked(news) && olds.status !== READY));
        return { changes: looksAgain || COMPARED.some((name) => !same(olds[name], news[name])) };
    },
    create: async (inputs) => ({ id: crypto.randomUUID(), outs: await waitFor(inputs) }),
    async read(_id, outputs) {
        if (!isAsked(outputs)) return outputs;
        const found = await lookOnce(outputs);
        return { ...outputs, status: found ?? READY };
    },
    update: (_id, _olds, news) => waitFor(news),
});

/** Waits for one stage after the other. */
async function waitFor(inputs: Inputs): Promise<Outputs> {
    if (!isAsked(inputs)) return { ...echoOf(inputs), status: UNKNOWN_STATUS };
    const api = apiOf(inputs);
    const end = Date.now() + inputs.timeoutSeconds * 1000;
    for (const stage of stagesOf(inputs)) {
        let last: Finding = {};
        const look = async () => (last = await lookAt(stage, api, inputs as Inputs & Expected)).problem;
        const problem = await waitUntilRight(Math.max(0, (end - Date.now()) / 1000), look, (line) =>
            status(inputs.urn, line),
        );
        if (problem !== undefined) throw new Error(await timeOut(inputs, api, stage, problem, last.node));
    }
    return { ...echoOf(inputs), status: READY };
}

async function timeOut(inputs: Inputs, api: KubernetesApi, stage: string, problem: string, node?: string) {
    const where = await logOf(api, node ?? "");
    const hint =
        stage === "api"
            ? "This computer connects to port 6443 of the control planes, which operatorCidrs opens. "
            : stage === "nodes"
              ? "A node that is to be repaired later can be listed in allowNotReady. "
              : "";
    return (
        `cluster ${inputs.cluster} is not ready after ${inputs.timeoutSeconds} s, stage ${stage}: ${problem}. ${where} ${hint}` +
        'Run `pulumi up` again once it is fixed, increase waitTimeoutSeconds, or set waitFor: "none".'
    );
}

/** The current problem; undefined if there is none. */
async function lookOnce(inputs: Inputs | Outputs): Promise<string | undefined> {
    const api = apiOf(inputs);
    for (const stage of stagesOf(inputs)) {
        const look = () => lookAt(stage, api, inputs as Inputs & Expected);
        const { problem } = await look().catch((error: Error): Finding => ({ problem: error.message }));
        if (problem !== undefined) return problem;
    }
    return undefined;
}

/** With waitFor none: announces what that means, and how to change it. */
function announceNone(inputs: Inputs): void {
    if (inputs.waitFor !== "none") return;
    announce(
        inputs,
        `kubernetes${hasUnknown(inputs.cluster) ? "" : ` ${inputs.cluster}`}: with waitFor "none" nodes are neither ` +
            "drained before their machines stop nor waited for. Both need access to the API: add the address of this " +
            "computer to operatorCidrs (for port 6443 of the control planes)",
    );
}

/** Before a change that takes machines down: announces problems that will delay it. */
async function announceTrouble(inputs: Inputs): Promise<void> {
    const { cluster, allowNotReady = [] } = inputs;
    if (!isAsked(inputs) || !wasChecked(inputs)) return;
    try {
        const found = notReady(await listNodes(apiOf(inputs, SHORT_PATIENCE)), allowNotReady, cluster);
        if (found.length === 0) return;
        announce(
            inputs,
            `kubernetes ${cluster}: not every node is Ready (${found.join("; ")}). No machine of another node is stopped, ` +
                "reinstalled or deleted before they are; allowNotReady names exceptions",
        );
    } catch (error) {
        const why = error instanceof ApiUnavailable ? "does not answer" : "refuses";
        announce(
            inputs,
            `kubernetes ${cluster}: the API ${why} (${(error as Error).message}), so nodes cannot be drained: no machine that ` +
                'runs is stopped, reinstalled or deleted before it answers, or waitFor is "none"',
        );
    }
}

function isAsked(inputs: Inputs | Outputs): boolean {
    const { waitFor: what, controlPlanes, nodes, caCertificate, clientCertificate, clientKey } = inputs;
    return what !== "none" && !hasUnknown([what, controlPlanes, nodes, caCertificate, clientCertificate, clientKey]);
}

function stagesOf({ waitFor: last }: Inputs | Outputs) {
    return STAGES.slice(0, STAGES.indexOf(last) + 1);
}
