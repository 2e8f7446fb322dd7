import type { Inputs, Outputs } from "../handler";
import type { Params } from "../client";
import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { startMaintenance, nodeOf, noteStopped } from "../kubernetes/maintenance";
import { overOutputs, wantedId } from "../references";
import type { ApiMachine, ApiVolume } from "../session";
import { startingRouter } from "../network/router";
import { setTags } from "../tags";
import { secondsUntil } from "../timeouts";
import { describePlan, refusalOf } from "./describe";
import { isRunning, toOutputs } from "./outputs";
import type { Plan } from "./plan";
import { isEmpty, plainDetails, planChanges, scales, sizeDetails } from "./plan";
import { settledMachine } from "./settled";
import { encodedUserData, isStub, userDataHash } from "./userData";

/** The desired state of a machine, where it is, and the deadline. */
export interface Work extends TimedPlace {
    inputs: Inputs;
    /** The machine's outputs in the stack's state, if there are any. */
    olds?: Outputs;
    /** Whether the machine may be stopped. */
    mayStop: boolean;
    /** Set where it may be a node of a Kubernetes cluster that has to leave its service before it stops. */
    node?: Inputs;
}

/** The least time for restarting a machine after a failure, regardless of the timeout, in milliseconds. */
const RESCUE_MS = 180_000;

/**
 * Changes a machine to what its arguments say, whatever its current state is, and returns it as it then is. The machine
 * is stopped at most once. If a step fails, a machine that should run is started again.
 */
export async function converge(machine: ApiMachine, given: Work): Promise<ApiMachine> {
    let work = given;
    const before = asFound(machine, work);
    const plan = planChanges(before, work.inputs);
    if (isEmpty(plan)) return machine;
    if (plan.effect === "replace") {
        throw new Error(
            `${describePlan(machine.name, plan, before)}. The stack's state is out of date: run \`pulumi refresh\`, then \`pulumi up\` replaces it.`,
        );
    }
    const refusal = refusalOf(machine.name, plan, before, { ...work.inputs, allowRestart: work.mayStop });
    if (refusal !== undefined) throw new Error(refusal);
    work.session.machines.changed();
    await applyLive(machine, before, plan, work);
    const ran = isRunning(machine.state);
    const wantsRunning = work.inputs.running !== false;
    const node = nodeOf(work.node ?? {}) === undefined ? undefined : work.node;
    // A node is stopped before it is reinstalled, so that what its kubelet reports afterwards is known to be new.
    const stops =
        has(plan, "stopped") || plan.power === "stop" || (node !== undefined && ran && has(plan, "reinstall"));
    if (ran && stops && node !== undefined)
        work = { ...work, deadline: work.deadline + (await startMaintenance(node)) };
    let password: string | undefined;
    try {
        if (ran && stops) {
            await job(work, "stopVirtualMachine", { id: machine.id });
            if (node !== undefined) await noteStopped(node);
        }
        await applyStopped(machine, plan, work);
        password = await reinstall(machine, plan, work);
        if (wantsRunning && (!ran || stops)) {
            const virtualmachine = await start(machine, work);
            // If nothing else changed, the response has everything and the machine need not be read again.
            if (plan.changes.length === 0) return { ...machine, ...virtualmachine };
            password = virtualmachine?.password ?? password;
        }
    } catch (error) {
        if (wantsRunning && !hasNeverStarted(machine)) await restartAfterFailure(machine, plan, work, error as Error);
        throw error;
    }
    work.session.machines.changed();
    const now = await work.session.machines.get(machine.id);
    if (now === undefined)
        throw new Error(`machine ${machine.name} (${machine.id}) was deleted while it was being changed`);
    return password === undefined ? now : { ...now, password };
}

/** Whether a machine was created stopped and never started. It need not be started again after a failure. */
function hasNeverStarted(machine: ApiMachine): boolean {
    return machine.details?.deployvm === "true" && !isRunning(machine.state);
}

/**
 * The hash of the user data that the machine last applied, if it is not the desired one. CloudStack may store the new
 * user data already; the change is complete only when the machine was restarted or reinstalled, also after an
 * interruption.
 */
export function appliedUserData(olds: Outputs, inputs: Inputs): { userDataHash?: string } {
    const applied: string | undefined = olds.userDataHash;
    const isPending =
        ["restart", "reinstall"].includes(inputs.onUserDataChange) &&
        applied !== undefined &&
        applied !== userDataHash(encodedUserData(inputs));
    return isPending ? { userDataHash: applied } : {};
}

/** The machine as outputs. They include tags and details that the program managed before, so that these are removed. */
function asFound(machine: ApiMachine, { inputs, olds = {}, cloud }: Work): Outputs {
    const merged = {
        ...overOutputs(olds, inputs),
        tags: { ...olds.tags, ...inputs.tags },
        details: { ...olds.details, ...inputs.details },
    };
    return {
        ...toOutputs(machine, merged, cloud),
        owner: machine.details?.owner ?? inputs.owner,
        rootDiskSizeGiB: olds.rootDiskSizeGiB,
        templateSizeGiB: olds.templateSizeGiB,
        reinstallTrigger: olds.reinstallTrigger,
        ...appliedUserData(olds, inputs),
    };
}

/**
 * Starts a machine that a failed step left stopped. If it does not start with its new size, its old size is restored.
 */
async function restartAfterFailure(machine: ApiMachine, plan: Plan, work: Work, failure: Error): Promise<void> {
    const { session } = work;
    const rescue = { ...work, deadline: Math.max(work.deadline, Date.now() + RESCUE_MS) };
    const startAgain = () => start(machine, rescue);
    session.machines.changed();
    const now = await session.machines.get(machine.id).catch(() => undefined);
    if (now === undefined || isRunning(now.state)) return;
    try {
        await startAgain();
    } catch (error) {
        try {
            if (!scales(plan)) throw error;
            const details = sizeDetails(machine.details);
            await job(rescue, "scaleVirtualMachine", {
                id: machine.id,
                serviceofferingid: machine.serviceofferingid,
                ...(Object.keys(details).length > 0 ? { details } : {}),
            });
            await startAgain();
        } catch (last) {
            failure.message += `\nMachine ${machine.name} could not be started again: ${(last as Error).message}`;
            return;
        }
        failure.message += `\nMachine ${machine.name} was started again with its previous size.`;
    }
}

/**
 * Starts a machine. If a concurrent run has started it already, CloudStack refuses the command, and that is no error.
 */
async function start(machine: ApiMachine, work: Work): Promise<Partial<ApiMachine> | undefined> {
    try {
        const isolated = (machine.nic ?? []).filter(({ type }) => type === "Isolated");
        const networks = isolated.map(({ networkid }) => networkid);
        const run = () => job(work, "startVirtualMachine", { id: machine.id });
        return (await startingRouter(work.session, networks, run)).virtualmachine;
    } catch (error) {
        if (!(error instanceof CloudStackError) || !/is already running/i.test(error.errorText)) throw error;
        work.session.machines.changed();
        // CloudStack gives the same answer while the machine is being stopped.
        const now = await settledMachine(work.session, machine.id, work.deadline);
        if (now === undefined || !isRunning(now.state)) throw error;
        return now;
    }
}

function job(work: Work, command: string, params: Params): Promise<any> {
    return work.session.client.run(command, params, { timeoutSeconds: secondsUntil(work.deadline) });
}

function has(plan: Plan, effect: string): boolean {
    return plan.changes.some((change) => change.effect === effect);
}

function touches(plan: Plan, property: string): boolean {
    return plan.changes.some((change) => change.property === property);
}

/** Applies what can be changed on a running machine: one `updateVirtualMachine`, the tags and the root disk's size. */
async function applyLive(machine: ApiMachine, before: Outputs, plan: Plan, work: Work): Promise<void> {
    const { inputs, session } = work;
    const update: Params = {};
    if (touches(plan, "displayName")) update.displayname = inputs.displayName ?? inputs.name;
    if (touches(plan, "group")) update.group = inputs.group ?? "";
    if (touches(plan, "deleteProtection")) update.deleteprotection = inputs.deleteProtection ?? false;
    // An empty string removes the user data.
    if (touches(plan, "userData") && inputs.onUserDataChange !== "restart")
        update.userdata = encodedUserData(inputs) ?? "";
    // The first boot of a new root disk needs the complete user data.
    else if (has(plan, "reinstall") && isStub(machine.userdata)) update.userdata = encodedUserData(inputs);
    if (touches(plan, "details") || touches(plan, "owner")) update.details = mergedDetails(machine, before, inputs);
    if (Object.keys(update).length > 0) await session.change("updateVirtualMachine", { id: machine.id, ...update });
    if (touches(plan, "tags"))
        await setTags(session, {
            ...{ type: "UserVm", id: machine.id, from: before.tags, to: inputs.tags ?? {}, deadline: work.deadline },
            read: () => (session.machines.changed(), session.machines.get(machine.id)),
        });
    if (touches(plan, "rootDiskSizeGiB")) await growRootDisk(machine, work);
}

/**
 * The details to send. `details` of updateVirtualMachine replaces all details, and CloudStack also stores the SSH keys
 * there. So the existing ones are sent again, except those that the program managed before and has removed.
 */
function mergedDetails(machine: ApiMachine, before: Outputs, inputs: Inputs): Record<string, string> {
    const readOnly = (machine.readonlydetails ?? "").split(",").map((key) => key.trim());
    const managed = plainDetails(before.details);
    const kept = Object.entries(machine.details ?? {}).filter(([key]) => !readOnly.includes(key) && !(key in managed));
    return { ...Object.fromEntries(kept), ...plainDetails(inputs.details), owner: inputs.owner };
}

async function growRootDisk(machine: ApiMachine, work: Work): Promise<void> {
    const size: number = work.inputs.rootDiskSizeGiB;
    const volumes = await work.session.client.list<ApiVolume>("listVolumes", {
        virtualmachineid: machine.id,
        type: "ROOT",
    });
    for (const volume of volumes.filter((root) => root.size < size * 2 ** 30))
        await job(work, "resizeVolume", { id: volume.id, size });
}

/** Applies what CloudStack refuses to change while a machine runs. */
async function applyStopped(machine: ApiMachine, plan: Plan, work: Work): Promise<void> {
    const { inputs, session } = work;
    const id = machine.id;
    const update: Params = {};
    if (touches(plan, "name")) update.name = inputs.name;
    // Stored while the machine is stopped, so that an interruption cannot leave it running with user data not yet
    // applied.
    if (touches(plan, "userData") && inputs.onUserDataChange === "restart")
        update.userdata = encodedUserData(inputs) ?? "";
    // Sent only when it changes, because CloudStack validates the list even if it is the same.
    if (touches(plan, "securityGroups")) update.securitygroupids = inputs.securityGroups;
    if (Object.keys(update).length > 0)
        await explainGroupError(session.change("updateVirtualMachine", { id, ...update }), machine, inputs);
    if (scales(plan)) {
        const { catalogue } = session;
        const wanted = touches(plan, "serviceOffering")
            ? await wantedId(inputs, "serviceOffering", (text) => catalogue.serviceOffering(text))
            : machine.serviceofferingid;
        const details = sizeDetails(inputs.details);
        const offering = (await catalogue.serviceOfferings()).find((item) => item.id === wanted);
        // An offering that was withdrawn is not in the list; then only the details show whether it is custom.
        const customized = offering === undefined ? Object.keys(details).length > 0 : offering.iscustomized === true;
        await job(work, "scaleVirtualMachine", {
            id,
            serviceofferingid: wanted,
            ...(customized ? { details } : {}),
        });
    }
    if (touches(plan, "affinityGroups"))
        await job(work, "updateVMAffinityGroup", { id, affinitygroupids: inputs.affinityGroups ?? [] });
    if (touches(plan, "sshKeyPairs"))
        await job(work, "resetSSHKeyForVirtualMachine", { id, keypairs: inputs.sshKeyPairs });
}

/** Reinstalls the root disk from the template. @returns the new password, if the template has passwords enabled */
async function reinstall(machine: ApiMachine, plan: Plan, work: Work): Promise<string | undefined> {
    if (!has(plan, "reinstall")) return undefined;
    const params: Params = { virtualmachineid: machine.id };
    if (touches(plan, "template")) {
        const zone = { id: machine.zoneid, name: machine.zonename };
        params.templateid = await wantedId(work.inputs, "template", (text) =>
            work.session.catalogue.template(text, zone),
        );
    }
    return (await job(work, "restoreVirtualMachine", params)).virtualmachine?.password;
}

/** Explains CloudStack's internal error (530), whose text does not contain the cause. */
async function explainGroupError<T>(call: Promise<T>, machine: ApiMachine, inputs: Inputs): Promise<T> {
    try {
        return await call;
    } catch (error) {
        if (!(error instanceof CloudStackError) || error.errorCode !== 530 || !/Internal error/i.test(error.errorText))
            throw error;
        throw new Error(
            `${error.message}\nCloudStack gives no further reason. The change was to set the security groups ${JSON.stringify(inputs.securityGroups)} on machine ${machine.name}: ` +
                "the machine must be stopped for that, and each group must exist in the machine's account.",
        );
    }
}
