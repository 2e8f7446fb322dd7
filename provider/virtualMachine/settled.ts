import type { ApiMachine, Session } from "../session";

/** How often a machine that changes its state is looked at, in milliseconds. */
const SETTLE_MS = 2000;
const CHANGING = ["Starting", "Stopping", "Migrating", "Restoring", "Shutdown"];

/**
 * The machine when it is on its way to no other state, whether an interrupted run or somebody else has sent it there: CloudStack refuses
 * what is asked of it meanwhile. `undefined` where it is gone.
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
