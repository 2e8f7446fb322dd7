import * as crypto from "node:crypto";
import { cloudLifecycle, type TimedPlace } from "../cloudLifecycle";
import { hasUnknown, type Inputs, type Outputs, same } from "../handler";
import type { Session } from "../session";
import { status } from "../status";
import { userDataHash, type UserDataStub } from "../virtualMachine/userData";
import { KubernetesApi } from "./api";
import { logOf } from "./logs";
import { nodePath, waitUntilRight } from "./nodes";

/** A machine of the cluster, and its user data. */
export interface MachineUserData extends UserDataStub {
    readonly id: string;
    /** SHA-256 of the complete user data. */
    readonly complete: string;
    /** What stays of it, in base64. */
    readonly base64: string;
}

/** Where a machine's `cs-converge` says which user data it has; its kubelet serves the folder. */
const TAKEN_UP = "cs-user-data";

/**
 * The lifecycle of `KubernetesUserData`, which depends on the gate behind all machines: every node is Ready, so each has
 * read its user data at its first boot. Secrets that reach a running machine are another matter: there it has to say that
 * it has taken them up.
 */
export const kubernetesUserData = cloudLifecycle({
    kind: "user data of cluster",
    nameOutput: "cluster",
    async check() {},
    diff(_id, olds, news) {
        const isPending = (olds.pending ?? []).length > 0;
        const isDue = hasUnknown(news.machines) || !same(olds.machines, kept(news.machines));
        return { changes: isPending || isDue || !same(olds.revision, news.revision) };
    },
    create: async (inputs, at) => ({ id: crypto.randomUUID(), outs: await scrub(inputs, {}, at) }),
    async read(_id, outputs, { session }) {
        return { ...outputs, pending: await pendingOf(session, outputs.machines) };
    },
    update: (_id, olds, news, at) => scrub(news, olds, at),
    async delete() {},
});

async function scrub(inputs: Inputs, olds: Outputs, at: TimedPlace): Promise<Outputs> {
    const { session, cloud } = at;
    const machines: Record<string, MachineUserData> = inputs.machines;
    await Promise.all(
        Object.entries(machines).map(async ([name, machine]) => {
            const before: MachineUserData | undefined = olds.machines?.[name];
            const ran = before !== undefined && before.id === machine.id;
            await scrubMachine(name, machine, ran && before.secrets !== machine.secrets, inputs, session);
        }),
    );
    const { cluster, revision } = inputs;
    return { cluster, revision, machines: kept(machines), pending: await pendingOf(session, machines), cloud };
}

/** @param isRunning whether the machine ran before it got these secrets */
async function scrubMachine(
    name: string,
    machine: MachineUserData,
    isRunning: boolean,
    inputs: Inputs,
    session: Session,
): Promise<void> {
    const found = await session.machines.get(machine.id);
    if (found === undefined || userDataHash(found.userdata) !== machine.complete) return;
    if (isRunning) await takenUp(name, machine, inputs);
    session.machines.changed();
    await session.change("updateVirtualMachine", { id: machine.id, userdata: machine.base64 });
    session.machines.changed();
}

/** Waits until a machine says that it has the complete user data. */
async function takenUp(name: string, { complete }: MachineUserData, inputs: Inputs): Promise<void> {
    const { endpoints, caCertificate, clientCertificate, clientKey, timeoutSeconds, cluster } = inputs;
    const api = new KubernetesApi({ endpoints, caCertificate, clientCertificate, clientKey });
    const look = async () => {
        const text = String(await api.get(`${nodePath(name)}/proxy/logs/${TAKEN_UP}`)).trim();
        return text === `sha256:${complete}` ? undefined : "has not taken up its new user data yet";
    };
    const problem = await waitUntilRight(timeoutSeconds, look, (line) => status(inputs.urn, `node ${name}: ${line}`));
    if (problem === undefined) return;
    throw new Error(
        `the user data of node ${name} in cluster ${cluster} still has its new secrets, since after ${timeoutSeconds} s the ` +
            `node ${problem}. journalctl -u cs-converge on the machine says why. ${await logOf(api, name)} ` +
            "Run `pulumi up` again once it is repaired, or set scrubUserData: false.",
    );
}

/** Whose user data is not what should stay of it. */
async function pendingOf(session: Session, machines: Record<string, MachineUserData>): Promise<string[]> {
    const found = await Promise.all(
        Object.entries(machines ?? {}).map(async ([name, { id, hash }]) => {
            const machine = await session.machines.get(id);
            return machine === undefined || userDataHash(machine.userdata) === hash ? [] : [name];
        }),
    );
    return found.flat().sort();
}

/** What the state keeps of the machines. */
function kept(machines: Record<string, MachineUserData>): Record<string, Omit<MachineUserData, "base64">> {
    return Object.fromEntries(
        Object.entries(machines).map(([name, { base64: _base64, ...machine }]) => [name, machine]),
    );
}
