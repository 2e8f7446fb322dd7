import type { ApiMachine, Session } from "../session";

/** How often a machine in a transitional state is polled, in milliseconds. */
const SETTLE_MS = 2000;
const CHANGING = ["Starting", "Stopping", "Migrating", "Restoring", "Shutdown"];

/**
 * Waits until the machine is in no transitional state, in which CloudStack refuses most commands, and returns it. An
 * interrupted run or another user may have started the transition. `undefined` if the machine does not exist.
 *
 * @param deadline until when to wait, in milliseconds since the epoch
 */
export async function settledMachine(session: Session, id: string, deadline: number): Promise<ApiMachine | undefined> {
    await session.settle(id, deadline);
    for (;;) {
        const machine = await session.machines.get(id);
        if (machine === undefined || !CHANGING.includes(machine.state) || Date.now() > deadline) return machine;
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        session.machines.changed();
    }
}
