import type { Session } from "../session";
import type { Unanswered } from "../unanswered";
import { removeSurplus } from "../unanswered";

/**
 * Deletes duplicate volumes that delayed requests have created, if they are empty because they were never attached.
 *
 * @param kept the id of the volume in the state
 * @returns the requests that may still arrive
 */
export async function removeDuplicates(
    session: Session,
    requests: readonly Unanswered[],
    kept: string,
    deadline: number,
): Promise<Unanswered[]> {
    if (requests.length === 0) return [];
    const open = await removeSurplus(session, requests, kept, deadline, async (id) => {
        if (await isEmptyVolume(session, id)) await session.change("deleteVolume", { id });
    });
    session.volumes.changed();
    return open;
}

/** Whether a volume exists and was never attached to a machine. */
export async function isEmptyVolume(session: Session, id: string): Promise<boolean> {
    session.volumes.changed();
    const found = await session.volumes.get(id);
    return found !== undefined && found.state === "Allocated" && found.virtualmachineid === undefined;
}
