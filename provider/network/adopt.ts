import type { Inputs } from "../handler";
import { isInState } from "../lifecycle";
import { markIn, unmarkedText } from "../marks";
import { referenceId } from "../references";
import type { ApiNetwork } from "../session";

/** Whether a network has this resource's owner mark and is not in the state. */
export function isOurs(network: ApiNetwork, { owner }: Inputs): boolean {
    return markIn(network.displaytext) === owner && !isInState(network.id);
}

/** Whether such a network, which an interrupted run or a lost response left, has what cannot be changed. */
export function adoptable(network: ApiNetwork, inputs: Inputs): boolean {
    const zone = referenceId(inputs, "zone");
    return (
        isOurs(network, inputs) &&
        (zone === undefined || network.zoneid === zone) &&
        network.type === inputs.type &&
        (inputs.cidr === undefined || network.cidr === inputs.cidr) &&
        (inputs.gateway === undefined || network.gateway === inputs.gateway)
    );
}

const WAITS = "waits until its machines are expunged";

/** The display text of a network that could not be deleted yet. */
export function waitingText(): string {
    return `deleted by Pulumi; ${WAITS}`;
}

/** Whether a network could not be deleted yet when its resource was. */
export function isWaiting({ displaytext }: ApiNetwork): boolean {
    return markIn(displaytext) !== undefined && unmarkedText(displaytext) === waitingText();
}
