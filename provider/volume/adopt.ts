import type { Inputs } from "../handler";
import { isUnknown } from "../handler";
import { isInState } from "../lifecycle";
import { taggedOwner } from "../ownerTag";
import type { ApiVolume } from "../session";

/** States in which a volume counts as deleted. */
export const GONE = ["Destroy", "Destroyed", "Expunging", "Expunged"];

/** Whether a volume has this resource's marked name, was not passed to another resource, and is not in the state. */
export function isAdoptable(item: ApiVolume, inputs: Inputs): boolean {
    const owner = taggedOwner(item);
    return (
        item.name === inputs.name &&
        (owner === undefined || owner === inputs.owner) &&
        !GONE.includes(item.state) &&
        !isInState(item.id)
    );
}

/** Why a volume with this resource's owner mark is not adopted: it is attached to another machine. */
export function adoptionRefusal(item: ApiVolume, inputs: Inputs): string | undefined {
    const holder = item.virtualmachineid;
    if (holder === undefined || holder === inputs.virtualMachine || isUnknown(inputs.virtualMachine)) return undefined;
    return (
        `volume ${item.name} (${item.id}) has this resource's mark, as after an interrupted run, but is attached to machine ` +
        `${holder}, not to the one in the program: detach it there, so that it is adopted, or delete it if nobody needs it`
    );
}
