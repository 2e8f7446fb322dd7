import { CloudStackError } from "../client";
import type { Outputs } from "../handler";
import { isInState, say } from "../lifecycle";
import { markIn, markedText } from "../marks";
import type { ApiMachine, ApiNetwork, Session } from "../session";
import { isGone } from "../session";
import { secondsUntil } from "../timeouts";
import { isWaiting, waitingText } from "./adopt";
import { isDestroyed } from "../virtualMachine/outputs";

/** How long to wait between attempts to delete a network whose machines are being expunged, in milliseconds. */
const RETRY_MS = 3000;

/** For how long after sending it a request may still be executed, in milliseconds: its signature expires then. */
const MAY_ARRIVE_MS = 900_000;

/**
 * Deletes a network. While its machines are being expunged, it waits. If the account may not expunge them, the network
 * stays until CloudStack does: it is marked as deleted, so that a later run deletes it (`removeWaiting`).
 */
export async function deleteNetwork(session: Session, id: string, outputs: Outputs, deadline: number): Promise<void> {
    await session.settle(id, deadline);
    session.networks.changed();
    try {
        for (;;) {
            if (await tryToDelete(session, id, deadline)) return;
            const machines = await session.client.list<ApiMachine>("listVirtualMachines", { networkid: id });
            const living = machines.filter(({ state }) => !isDestroyed(state));
            if (living.length > 0)
                throw new Error(
                    `network ${outputs.name} (${id}) cannot be deleted while it has machines: ` +
                        `${living.map((machine) => `${machine.name} (${machine.id})`).join(", ")}. Delete or move them first`,
                );
            if (!(await session.mayExpunge())) return await leaveWaiting(session, id, outputs, deadline);
            if (Date.now() + RETRY_MS > deadline)
                throw new Error(
                    `network ${outputs.name} (${id}) could not be deleted: its machines are still being expunged`,
                );
            await session.client.pause(RETRY_MS);
        }
    } finally {
        session.networks.changed();
        // CloudStack releases its addresses.
        session.publicAddresses.changed();
    }
}

/** @returns false if machines still use the network */
async function tryToDelete(session: Session, id: string, deadline: number): Promise<boolean> {
    try {
        await session.client.run("deleteNetwork", { id }, { timeoutSeconds: secondsUntil(deadline) });
        return true;
    } catch (error) {
        if (isGone(error)) return true;
        if (
            error instanceof CloudStackError &&
            error.outcome === "failed" &&
            /Failed to delete network/i.test(error.errorText)
        )
            return false;
        throw error;
    }
}

async function leaveWaiting(session: Session, id: string, outputs: Outputs, deadline: number): Promise<void> {
    const displaytext = markedText(waitingText(), outputs.owner);
    await session.client.run("updateNetwork", { id, displaytext }, { timeoutSeconds: secondsUntil(deadline) });
    const { name } = await session.account();
    const time = new Date(Date.now() + 86_400_000)
        .toISOString()
        .replace(/:\d\d\.\d+Z$/, " UTC")
        .replace("T", " ");
    say(
        `network ${outputs.name} (${id}) stays until CloudStack has expunged its destroyed machines, by default within a ` +
            `day (about ${time}), since account ${name} may not expunge them. The next run in this account that creates ` +
            "or deletes a network then deletes it",
    );
}

/** Deletes networks of earlier runs that had to wait for CloudStack. Those that still have to are left alone. */
export async function removeWaiting(session: Session, deadline: number): Promise<void> {
    const waiting = (await session.networks.before()).filter((network) => isWaiting(network) && !isInState(network.id));
    for (const { id } of waiting) {
        if (triedAgain.has(id)) continue;
        triedAgain.add(id);
        await tryToDelete(session, id, deadline).catch((error) => {
            if (!(error instanceof CloudStackError)) throw error;
        });
        session.networks.changed();
    }
}

/** Networks that this process has tried to delete again. */
const triedAgain = new Set<string>();

/**
 * Deletes networks that delayed requests have created after another one was created for the same resource. They have
 * its owner mark.
 *
 * @param kept the id of the network in the state
 */
export async function removeDuplicates(
    session: Session,
    kept: string,
    { owner, unansweredAt }: Outputs,
    deadline: number,
): Promise<void> {
    if (unansweredAt === undefined || Date.now() > unansweredAt + 2 * MAY_ARRIVE_MS) return;
    session.networks.changed();
    const isDuplicate = (network: ApiNetwork) =>
        network.id !== kept && markIn(network.displaytext) === owner && !isInState(network.id);
    for (const { id } of (await session.networks.all()).filter(isDuplicate)) await tryToDelete(session, id, deadline);
    session.networks.changed();
}
