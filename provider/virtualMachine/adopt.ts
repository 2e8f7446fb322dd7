import type { TimedPlace } from "../cloudLifecycle";
import type { Inputs } from "../handler";
import { PartialFailure, hasUnknown } from "../handler";
import { isInState, say } from "../lifecycle";
import type { ApiMachine, Session } from "../session";
import { secondsUntil } from "../timeouts";
import { isDestroyed, isRunning, toOutputs } from "./outputs";
import { planChanges } from "./plan";
import { settledMachine } from "./settled";

/**
 * Whether a machine has this resource's name and owner mark and is not in the state: an interrupted run or a lost
 * response left it.
 */
export function isAdoptable(machine: ApiMachine, inputs: Inputs): boolean {
    return (
        machine.name === inputs.name &&
        machine.details?.owner === inputs.owner &&
        !isDestroyed(machine.state) &&
        !isInState(machine.id)
    );
}

/** Why a machine with this resource's owner mark is not adopted: it cannot be changed to match the program. */
export function adoptionRefusal(machine: ApiMachine, inputs: Inputs): string | undefined {
    if (machine.details?.owner !== inputs.owner) {
        return (
            `machine ${machine.name} (${machine.id}) has the mark that version 0.1.0 gave to all resources of this name, so its ` +
            "owner is unknown: remove that machine if nobody needs it, or give this one another name (argument name)"
        );
    }
    // A machine in state Error never ran: it is adopted, and the next run replaces it.
    if (machine.state === "Error") return undefined;
    const reasons = planChanges(toOutputs(machine, inputs, { endpoint: "", accountId: "", accountName: "" }), inputs)
        .changes.filter(({ property, effect }) => effect === "replace" && !hasUnknown(inputs[property]))
        .map(({ property, text }) => `${property} ${text}`);
    if (reasons.length === 0) return undefined;
    return (
        `machine ${machine.name} (${machine.id}) has this resource's mark, as after an interrupted run, but cannot be changed to ` +
        `what the program asks for (${reasons.join("; ")}), and is not removed automatically: remove that machine if nobody needs it, ` +
        "or make the program match it, and change it afterwards"
    );
}

/**
 * Finds a machine with this resource's name and owner mark that is not in the state, and waits until it is in no
 * transitional state; `undefined` if there is none.
 *
 * @throws Error if it cannot be changed to match the program
 * @throws PartialFailure if it never started: it is added to the state, and the next run replaces it
 */
export async function adoptMachine(
    inputs: Inputs,
    { session, cloud, deadline }: TimedPlace,
): Promise<ApiMachine | undefined> {
    const named = await session.client.list<ApiMachine>("listVirtualMachines", { name: inputs.name });
    const ours = named.find((item) => isAdoptable(item, inputs));
    if (ours === undefined) return undefined;
    const machine = await settledMachine(session, ours.id, deadline);
    if (machine === undefined) return undefined;
    const refusal = adoptionRefusal(machine, inputs);
    if (refusal !== undefined) throw new Error(refusal);
    say(`${inputs.name}: adopting machine ${machine.id}, which has this resource's mark`);
    if (machine.state === "Error") {
        throw new PartialFailure(
            `machine ${machine.name} (${machine.id}) was left by an interrupted run in state Error: it is in the stack's state now, and the next ` +
                "`pulumi up` replaces it",
            machine.id,
            toOutputs(machine, inputs, cloud),
            inputs,
        );
    }
    if (machine.passwordenabled !== true) return machine;
    if (inputs.allowRestart !== false || !isRunning(machine.state)) return withPassword(session, machine, deadline);
    say(
        `${inputs.name}: its password is not known, and resetting it requires a stop, which allowRestart: false forbids`,
    );
    return machine;
}

/** CloudStack returns a password only once. After a lost response the password is reset, which requires a stop. */
async function withPassword(session: Session, machine: ApiMachine, deadline: number): Promise<ApiMachine> {
    const run = (command: string) =>
        session.client.run(command, { id: machine.id }, { timeoutSeconds: secondsUntil(deadline) });
    if (isRunning(machine.state)) await run("stopVirtualMachine");
    const { virtualmachine } = await run("resetPasswordForVirtualMachine");
    // It is started together with the other changes.
    return { ...machine, state: "Stopped", password: virtualmachine.password };
}
