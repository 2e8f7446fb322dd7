import type { Inputs, Outputs } from "../handler";
import type { Params } from "../client";
import { isLost } from "../adopt";
import { CloudStackError } from "../client";
import type { TimedPlace } from "../cloudLifecycle";
import { overOutputs, wantedId } from "../references";
import type { ApiMachine, ApiVolume } from "../session";
import { secondsUntil } from "../timeouts";
import { describePlan, refusalOf } from "./describe";
import { isRunning, tagsOf, toOutputs } from "./outputs";
import type { Plan } from "./plan";
import { isEmpty, plainDetails, planChanges, scales, sizeDetails } from "./plan";
import { settledMachine } from "./settled";
import { encodedUserData, userDataHash } from "./userData";

/** What is wanted of a machine, where, and by when. */
export interface Work extends TimedPlace {
    inputs: Inputs;
    /** What the state last said of it, where it is in the state. */
    olds?: Outputs;
    /** Whether the machine may be taken down. */
    mayStop: boolean;
}

/** What starting a machine again after a failure may take at least, whatever is left of the timeout, in milliseconds. */
const RESCUE_MS = 180_000;

/**
 * Makes a machine what its arguments say, whatever state it is found in, and returns it as it then is. What needs a stop is done in one
 * stop; a step that fails never leaves a machine stopped that is meant to run.
 */
export async function converge(machine: ApiMachine, work: Work): Promise<ApiMachine> {
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
    const stops = has(plan, "stopped") || plan.power === "stop";
    let password: string | undefined;
    try {
        if (ran && stops) await job(work, "stopVirtualMachine", { id: machine.id });
        await applyStopped(machine, plan, work);
        password = await reinstall(machine, plan, work);
        if (wantsRunning && (!ran || stops)) {
            const virtualmachine = await start(machine, work);
            // Where nothing else changed, the answer is as good as another look.
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

/** Whether CloudStack says so of a machine that was made stopped; there is nothing to bring back then. */
function hasNeverStarted(machine: ApiMachine): boolean {
    return machine.details?.deployvm === "true" && !isRunning(machine.state);
}

/**
 * The hash of the user data that the machine last took up, where the state says that it is another than the wanted one: what is stored
 * already does not count as done before the machine was restarted or reinstalled, whatever interrupted that.
 */
export function userDataTakenUp(olds: Outputs, inputs: Inputs): { userDataHash?: string } {
    const taken: string | undefined = olds.userDataHash;
    const waits =
        ["restart", "reinstall"].includes(inputs.onUserDataChange) &&
        taken !== undefined &&
        taken !== userDataHash(encodedUserData(inputs));
    return waits ? { userDataHash: taken } : {};
}

/** The machine in the shape of outputs, with what the program managed before and manages no longer, so that it is taken away. */
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
        ...userDataTakenUp(olds, inputs),
    };
}

/** Starts a machine that a failed step left stopped; where it does not start with its new size, with the old one. */
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

/** Starts a machine. Where another run was first with it, CloudStack refuses ours, and what is wanted is there. */
async function start(machine: ApiMachine, work: Work): Promise<Partial<ApiMachine> | undefined> {
    try {
        return (await job(work, "startVirtualMachine", { id: machine.id })).virtualmachine;
    } catch (error) {
        if (!(error instanceof CloudStackError) || !/is already running/i.test(error.errorText)) throw error;
        work.session.machines.changed();
        // It says so beside a stop, too.
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

/** Everything that a running machine takes: one `updateVirtualMachine` for all, tags, and the root disk's growth. */
async function applyLive(machine: ApiMachine, before: Outputs, plan: Plan, work: Work): Promise<void> {
    const { inputs, session } = work;
    const update: Params = {};
    if (touches(plan, "displayName")) update.displayname = inputs.displayName ?? inputs.name;
    if (touches(plan, "group")) update.group = inputs.group ?? "";
    if (touches(plan, "deleteProtection")) update.deleteprotection = inputs.deleteProtection ?? false;
    // An empty text takes the user data away.
    if (touches(plan, "userData") && inputs.onUserDataChange !== "restart")
        update.userdata = encodedUserData(inputs) ?? "";
    if (touches(plan, "details") || touches(plan, "owner")) update.details = mergedDetails(machine, before, inputs);
    if (Object.keys(update).length > 0) await session.change("updateVirtualMachine", { id: machine.id, ...update });
    if (touches(plan, "tags")) await setTags(machine, before, work);
    if (touches(plan, "rootDiskSizeGiB")) await growRootDisk(machine, work);
}

/**
 * `details` of updateVirtualMachine replaces the whole set, and CloudStack keeps the SSH keys there: so all that is there is sent again,
 * with ours on top and without those that the program no longer names.
 */
function mergedDetails(machine: ApiMachine, before: Outputs, inputs: Inputs): Record<string, string> {
    const readOnly = (machine.readonlydetails ?? "").split(",").map((key) => key.trim());
    const managed = plainDetails(before.details);
    const kept = Object.entries(machine.details ?? {}).filter(([key]) => !readOnly.includes(key) && !(key in managed));
    return { ...Object.fromEntries(kept), ...plainDetails(inputs.details), owner: inputs.owner };
}

/** What a command did whose answer was lost, or that an interrupted run had sent, is found by looking again. */
async function setTags(machine: ApiMachine, before: Outputs, work: Work): Promise<void> {
    const wanted: Record<string, string> = work.inputs.tags ?? {};
    let actual: Record<string, string> = before.tags;
    const keys = [...new Set([...Object.keys(actual), ...Object.keys(wanted)])];
    const of = { resourceids: [machine.id], resourcetype: "UserVm" };
    for (let attempt = 1; ; attempt++) {
        const different = keys.filter((key) => wanted[key] !== actual[key]);
        // A tag's value cannot be changed: the tag is deleted and created again.
        const remove = different.filter((key) => key in actual);
        const create = different.filter((key) => key in wanted);
        try {
            if (remove.length > 0) await job(work, "deleteTags", { ...of, tags: remove.map((key) => ({ key })) });
            if (create.length > 0)
                await job(work, "createTags", { ...of, tags: create.map((key) => ({ key, value: wanted[key] })) });
            return;
        } catch (error) {
            if (!(isLost(error) || isDoneAlready(error)) || attempt === 3) throw error;
            work.session.machines.changed();
            actual = tagsOf((await work.session.machines.get(machine.id)) ?? machine);
        }
    }
}

/** True for CloudStack's answers about tags that are there already, and about those that are not there any more. */
function isDoneAlready(error: unknown): boolean {
    return error instanceof CloudStackError && /^tag .* already on|^Unable to find any tags/i.test(error.errorText);
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

/** Everything that CloudStack refuses while a machine runs. */
async function applyStopped(machine: ApiMachine, plan: Plan, work: Work): Promise<void> {
    const { inputs, session } = work;
    const id = machine.id;
    const update: Params = {};
    if (touches(plan, "name")) update.name = inputs.name;
    // Stored while it is stopped, so that no interruption leaves it running with user data that it did not read.
    if (touches(plan, "userData") && inputs.onUserDataChange === "restart")
        update.userdata = encodedUserData(inputs) ?? "";
    // Sent only when it changes: a list of groups is checked even if it is the same.
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
        // Only a machine that has it knows one that is not offered any more.
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

/** A new root disk from the template, under the same machine. The password that comes with it, where the template makes one. */
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

/** Says what a generic error of CloudStack means here: the texts of 530 tell a tenant nothing. */
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
