import type { Inputs } from "../handler";
import { same } from "../handler";
import { isSecret } from "../secrets";
import type { Session } from "../session";
import { isDestroyed, toOutputs } from "./outputs";

/**
 * Outputs that a change in place does not affect, each with the arguments that it depends on. In the preview of an
 * update, the engine only knows a resource's inputs; all other outputs are unknown. So `check` adds these outputs to
 * the inputs of an existing machine, and resources that use its address keep a known value.
 *
 * There are only a few, those that other resources commonly use, because `pulumi preview --diff` shows them once as
 * added.
 *
 * An address among the inputs was set by the program unless `addressIsFixed` is false.
 */
const STABLE: Record<string, readonly string[]> = {
    ipAddress: ["network", "zone"],
    networkInterfaces: ["ipAddress", "network", "zone"],
    zoneId: ["zone"],
};

/** Inputs that `check` adds and that are not arguments of the program. */
const ADDED = [...Object.keys(STABLE).filter((key) => key !== "ipAddress"), "addressIsFixed"];

/** The address that the program pins; `undefined` if CloudStack assigned it. */
export function pinnedAddress(inputs: Inputs): string | undefined {
    return inputs.addressIsFixed === false ? undefined : inputs.ipAddress;
}

/** The arguments as the program set them. */
export function withoutStable(inputs: Inputs): Inputs {
    const dropped = inputs.addressIsFixed === false ? [...ADDED, "ipAddress"] : ADDED;
    return Object.fromEntries(Object.entries(inputs).filter(([key]) => !dropped.includes(key)));
}

/**
 * Adds the stable outputs of an existing machine to its checked arguments. Only if an argument changes, this needs a
 * list of the machines, which all of them share.
 *
 * @param olds the old inputs, as `check` returned them
 */
export async function keepStable(inputs: Inputs, olds: Inputs, session: Session): Promise<void> {
    const before = withoutStable(olds);
    const isAsked = inputs.ipAddress !== undefined;
    const known = same(inputs, before) ? olds : await found(inputs, before, session);
    if (known === undefined) return;
    for (const [output, by] of Object.entries(STABLE)) {
        const kept = by.every((argument) => argument === "ipAddress" || same(inputs[argument], before[argument]));
        // The value of a secret argument must not be stored under another name.
        const shown = [output, ...by].every((argument) => !isSecret(argument, inputs));
        if (kept && shown && known[output] !== undefined && inputs[output] === undefined)
            inputs[output] = known[output];
    }
    if (!isAsked && inputs.ipAddress !== undefined) inputs.addressIsFixed = false;
}

/** The outputs of the machine with these arguments, read from the cloud. */
async function found(inputs: Inputs, before: Inputs, session: Session): Promise<Inputs | undefined> {
    const mark: unknown = before.owner;
    if (typeof mark !== "string") return undefined;
    const ours = (await session.machines.before()).filter(
        (machine) => machine.details?.owner === mark && machine.name === before.name && !isDestroyed(machine.state),
    );
    return ours.length === 1 ? toOutputs(ours[0], inputs, { endpoint: "", accountId: "", accountName: "" }) : undefined;
}
