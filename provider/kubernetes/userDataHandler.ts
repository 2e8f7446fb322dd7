import * as crypto from "node:crypto";
import { cloudLifecycle, type TimedPlace } from "../cloudLifecycle";
import { hasUnknown, type Inputs, type Outputs, same } from "../handler";
import type { Session } from "../session";
import { status } from "../status";
import { isStub, userDataHash } from "../virtualMachine/userData";
import { apiOf } from "./api";
import { logOf } from "./logs";
import { nodePath, waitUntilRight } from "./nodes";

/** A machine of the cluster, and what replaces its user data. */
export interface MachineStub {
    readonly id: string;
    /** The user data without secrets, base64; its hash is that of the complete user data. */
    readonly stub: string;
    /** SHA-256 of the secrets, which the machine has in `SECRETS_HASH`. */
    readonly secrets: string;
}

/** The file of a node, in the directory that kubelet serves, with the hash of the secrets that it has. */
const SECRETS_HASH = "cs-secrets";

/**
 * The lifecycle of `KubernetesUserData`: when a node says that it has the secrets in its user data, they are removed from
 * CloudStack. Machines compare user data by its hash, which its stub has as well: they see no drift.
 */
export const kubernetesUserData = cloudLifecycle({
    kind: "user data of cluster",
    nameOutput: "cluster",
    async check() {},
    diff(_id, olds, news) {
        const isPending = (olds.pending ?? []).length > 0;
        const isOther = hasUnknown(news.machines) || !same(olds.machines, kept(news.machines));
        return { changes: isPending || isOther || !same(olds.revision, news.revision) };
    },
    create: async (inputs, at) => ({ id: crypto.randomUUID(), outs: await scrub(inputs, at) }),
    async read(_id, outputs, { session }) {
        return { ...outputs, pending: await pendingOf(session, outputs.machines) };
    },
    update: (_id, _olds, news, at) => scrub(news, at),
    async delete() {},
});

async function scrub(inputs: Inputs, { session, cloud }: TimedPlace): Promise<Outputs> {
    const machines: Record<string, MachineStub> = inputs.machines;
    await Promise.all(Object.entries(machines).map(([name, machine]) => scrubMachine(name, machine, inputs, session)));
    const { cluster, revision } = inputs;
    const remaining = kept(machines);
    return { cluster, revision, machines: remaining, pending: await pendingOf(session, remaining), cloud };
}

async function scrubMachine(name: string, { id, stub, secrets }: MachineStub, inputs: Inputs, session: Session) {
    const found = await session.machines.get(id);
    // User data that somebody else has changed is restored by the machine's own update.
    if (found === undefined || isStub(found.userdata) || userDataHash(found.userdata) !== userDataHash(stub)) return;
    if (!(await hasSecrets(name, secrets, inputs))) return;
    session.machines.changed();
    await session.change("updateVirtualMachine", { id, userdata: stub });
    session.machines.changed();
}

/**
 * Waits until a node has the secrets; false if it does not have them, and may be not Ready.
 *
 * @throws Error after the timeout
 */
async function hasSecrets(name: string, secrets: string, inputs: Inputs): Promise<boolean> {
    const { timeoutSeconds, cluster } = inputs;
    const api = apiOf(inputs);
    const look = async () => {
        const text = await api.tail(`${nodePath(name)}/proxy/logs/${SECRETS_HASH}`, 100);
        return String(text).trim() === secrets ? undefined : "it has not applied its new user data yet";
    };
    const mayMiss = inputs.allowNotReady.includes(name);
    const progress = (line: string) => status(inputs.urn, `node ${name}: ${line}`);
    const problem = await waitUntilRight(mayMiss ? 0 : timeoutSeconds, look, progress);
    if (problem === undefined || mayMiss) return problem === undefined;
    throw new Error(
        `the user data of node ${name} in cluster ${cluster} still contains secrets, since after ${timeoutSeconds} s: ` +
            `${problem}. journalctl -u cs-converge on the machine says why. ${await logOf(api, name)} ` +
            "Run `pulumi up` again once it is fixed, or set scrubUserData: false.",
    );
}

/** Names of machines whose user data is not the stub that replaces it. */
async function pendingOf(session: Session, machines: ReturnType<typeof kept>): Promise<string[]> {
    const found = await Promise.all(
        Object.entries(machines).map(async ([name, { id, userDataHash: wanted }]) => {
            const machine = await session.machines.get(id);
            const isDone =
                machine === undefined || (isStub(machine.userdata) && userDataHash(machine.userdata) === wanted);
            return isDone ? [] : [name];
        }),
    );
    return found.flat().sort();
}

/** What the state contains of the machines. */
function kept(machines: Record<string, MachineStub>): Record<string, { id: string; userDataHash: string }> {
    return Object.fromEntries(
        Object.entries(machines).map(([name, { id, stub }]) => [name, { id, userDataHash: userDataHash(stub) }]),
    );
}
