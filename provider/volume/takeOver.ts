import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import { isInState } from "../lifecycle";
import { taggedOwner } from "../ownerTag";
import type { ApiVolume } from "../session";

/** States of a volume that is as good as gone. */
export const GONE = ["Destroy", "Destroyed", "Expunging", "Expunged"];

/** Whether a volume has our marked name, passed to no other resource, and the state does not know it. */
export function mayBeTakenOver(item: ApiVolume, inputs: Inputs): boolean {
    const owner = taggedOwner(item);
    return (
        item.name === inputs.name &&
        (owner === undefined || owner === inputs.owner) &&
        !GONE.includes(item.state) &&
        !isInState(item.id)
    );
}

/** Why a volume that bears our mark is not taken over: another machine works with it. */
export function takingOverRefused(item: ApiVolume, inputs: Inputs): string | undefined {
    const holder = item.virtualmachineid;
    if (holder === undefined || holder === inputs.virtualMachine || isUnknown(inputs.virtualMachine)) return undefined;
    return (
        `volume ${item.name} (${item.id}) has this resource's mark, as after an interrupted run, but is attached to machine ` +
        `${holder}, which is not the one that is wanted: detach it there to have it adopted, or delete it if nobody needs it`
    );
}
