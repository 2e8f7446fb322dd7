import { cloudLifecycle } from "../cloudLifecycle";
import type { DiffResult } from "../handler";
import { PartialFailure, isUnknown } from "../handler";
import { foundInputs } from "../foundInputs";
import { isClusterDeleted, startMaintenance } from "../kubernetes/maintenance";
import { announce, wasChecked } from "../lifecycle";
import { computedOutputs, internalOutputs } from "./computed";
import { checkMachine } from "./check";
import { converge, appliedUserData } from "./converge";
import { createMachine } from "./create";
import { describePlan, refusalOf } from "./describe";
import { isDestroyed, toOutputs } from "./outputs";
import { isEmpty, planChanges } from "./plan";
import { overOutputs, withKnownIds } from "../references";
import { removeMachine } from "./remove";
import { oneByOne } from "./rolling";
import { settledMachine } from "./settled";
import { decodedUserData } from "./userData";

const lifecycle = cloudLifecycle({
    kind: "machine",
    marks: { rewritten: true },
    check: checkMachine,
    watched: {
        reads: (session) => session.machines,
        isGone: isDestroyed,
        remedy: "run `pulumi up --refresh` to create it again",
    },

    diff(_id, olds, news): DiffResult {
        const plan = planChanges(olds, news);
        const name: string = isUnknown(news.name) ? olds.name : news.name;
        // A refresh also calls `diff`. It changes nothing, so nothing is refused.
        const refusal = wasChecked(news) ? refusalOf(name, plan, olds, news) : undefined;
        if (refusal !== undefined) throw new Error(refusal);
        const line = describePlan(name, plan, olds, news);
        if (line !== undefined) announce(news, line, olds);
        // A replacement is planned only if it is certain. The line announces a possible one, and the update decides.
        const replaces = plan.changes
            .filter((change) => change.effect === "replace" && change.unknown === undefined)
            .map((change) => change.property);
        return { changes: !isEmpty(plan), replaces, deleteBeforeReplace: replaces.length > 0 };
    },

    create: createMachine,

    async read(id, outputs, { session, cloud }) {
        const machine = await session.machines.get(id);
        if (machine === undefined || isDestroyed(machine.state)) return undefined;
        return toOutputs(machine, outputs, cloud);
    },

    async found(id, last, found, { session }) {
        const inputs = foundInputs(
            { ...last, userDataBase64: last.userDataHash },
            { ...found, userDataBase64: found.userDataHash },
            // An address that CloudStack assigned is not an argument.
            found.addressIsFixed === true ? COMPUTED : [...COMPUTED, "ipAddress"],
        );
        if (inputs === undefined) return undefined;
        delete inputs.userDataBase64;
        if (found.userDataFrom === undefined) return last.userDataHash === "" ? inputs : undefined;
        return { ...inputs, ...decodedUserData((await session.machines.get(id))?.userdata, found.userDataFrom) };
    },

    async update(id, olds, news, at) {
        const inputs = withKnownIds(news, olds);
        const { session, cloud, deadline } = at;
        const machine = await settledMachine(session, id, deadline);
        if (machine === undefined)
            throw new Error(
                `machine ${olds.name} (${id}) no longer exists: run \`pulumi refresh\`, then \`pulumi up\` to create it again`,
            );
        try {
            const now = await converge(machine, {
                ...{ ...at, inputs, olds, mayStop: inputs.allowRestart !== false },
                node: inputs,
            });
            return toOutputs({ ...now, password: now.password ?? olds.password }, inputs, cloud);
        } catch (error) {
            session.machines.changed();
            const left = (await session.machines.get(id).catch(() => undefined)) ?? machine;
            const outs = {
                ...toOutputs({ ...left, password: olds.password }, overOutputs(olds, inputs), cloud),
                ...appliedUserData(olds, inputs),
            };
            throw new PartialFailure((error as Error).message, id, outs, inputs);
        }
    },

    async delete(id, outputs, { session, deadline }) {
        await removeMachine(
            session,
            id,
            outputs,
            deadline,
            isClusterDeleted(outputs) ? undefined : () => startMaintenance(outputs),
        );
    },
});

/** Outputs that are not arguments, whatever the address is. */
const COMPUTED = [...computedOutputs, ...internalOutputs];

export const virtualMachine = oneByOne(lifecycle);
