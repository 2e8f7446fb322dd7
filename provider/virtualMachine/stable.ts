import type { Inputs } from "../handler";
import { same } from "../handler";
import { isSecret } from "../secrets";
import type { Session } from "../session";
import { isDestroyed, toOutputs } from "./outputs";

/**
 * What a change in place leaves as it is. At the preview of an update the engine knows a resource's inputs only, and whatever depends on another
 * output counts as unknown. So `check` adds these outputs to the inputs of a machine that exists: its address stays known to all that use it.
 *
 * They are few, those that arguments of others are made of, since `pulumi preview --diff` shows them once, as added.
 *
 * Each stays while these arguments do. An address among the inputs is the program's own only where `addressIsFixed` is not false.
 */
const STABLE: Record<string, readonly string[]> = {
    ipAddress: [],
    networkInterfaces: ["ipAddress"],
    zoneId: ["zone"],
};

/** What `check` adds beside these; it is no argument of the program's. */
const ADDED = [...Object.keys(STABLE).filter((key) => key !== "ipAddress"), "addressIsFixed"];

/** The address that the program asks for; not one that CloudStack picked. */
export function pinnedAddress(inputs: Inputs): string | undefined {
    return inputs.addressIsFixed === false ? undefined : inputs.ipAddress;
}

/** Arguments as the program gave them. */
export function withoutStable(inputs: Inputs): Inputs {
    const dropped = inputs.addressIsFixed === false ? [...ADDED, "ipAddress"] : ADDED;
    return Object.fromEntries(Object.entries(inputs).filter(([key]) => !dropped.includes(key)));
}

/**
 * Adds the stable outputs of a machine that exists to its checked arguments. It costs a list only where an argument changes, one for all machines.
 *
 * @param olds the old inputs, as `check` made them
 */
export async function keepStable(inputs: Inputs, olds: Inputs, session: Session): Promise<void> {
    const before = withoutStable(olds);
    const isAsked = inputs.ipAddress !== undefined;
    const known = same(inputs, before) ? olds : await found(inputs, before, session);
    if (known === undefined) return;
    for (const [output, by] of Object.entries(STABLE)) {
        const kept = by.every((argument) => argument === "ipAddress" || same(inputs[argument], before[argument]));
        // The value of a secret argument must not stand in the state under another name.
        const shown = [output, ...by].every((argument) => !isSecret(argument, inputs));
        if (kept && shown && known[output] !== undefined && inputs[output] === undefined)
            inputs[output] = known[output];
    }
    if (!isAsked && inputs.ipAddress !== undefined) inputs.addressIsFixed = false;
}

/** The outputs of the machine that these arguments are about, as the cloud has it. */
async function found(inputs: Inputs, before: Inputs, session: Session): Promise<Inputs | undefined> {
    const mark: unknown = before.owner;
    if (typeof mark !== "string") return undefined;
    const ours = (await session.machines.before()).filter(
        (machine) => machine.details?.owner === mark && machine.name === before.name && !isDestroyed(machine.state),
    );
    return ours.length === 1 ? toOutputs(ours[0], inputs, { endpoint: "", accountId: "", accountName: "" }) : undefined;
}
