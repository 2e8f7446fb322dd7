/** Start, stop, reboot, restore, destroy, recover and expunge of virtual machines. */
import { randomUUID } from "node:crypto";
import type { Machine, Volume } from "../../state/records";
import { rootVolumeOf, machineAnswer } from "../answers/machine";
import type { AsyncCommand, Commands, Request, Work } from "../command";
import { denied, failed, invalid } from "../errors";
import { markDetached, isDestroyed, removeMachine, removeVolume } from "../expunge";
import { checkLimits } from "../limits";
import { applySecurityGroups, machinePlan, volumePlan } from "../plan";
import {
    checkNetworks,
    describeMachine,
    machineAt,
    machineOf,
    machineResult,
    newPassword,
    onMachine,
    setState,
    startedResult,
} from "./machineRules";

/** The state to return to, which `begin` has stored as the job's memo. */
interface Memo {
    readonly before: Machine["state"];
}

const memoOf = (work: Work) => work.job.memo as Memo;

function common(java: string, event: string) {
    return {
        java: `user.vm.${java}`,
        instanceType: "VirtualMachine",
        entity: "machine",
        event,
        submit: (request: Request) => onMachine(request),
    } as const;
}

/** Sets a transitional state, and returns the previous one. */
function passInto(work: Work, machine: Machine, state: Machine["state"]): Memo {
    setState(work.cloud, machine, state);
    return { before: machine.state };
}

function fallBack(work: Work): void {
    const machine = work.cloud.store.machines.get(work.job.instanceId);
    if (machine !== undefined && machine.removed === undefined) setState(work.cloud, machine, memoOf(work).before);
}

function refuseRunning(work: Work): void {
    const machine = machineAt(work);
    if (machine.state === "Running")
        throw invalid(`The virtual machine ${machine.id} (${machine.displayName}) is already running`);
}

const startVirtualMachine: AsyncCommand = {
    ...common("StartVMCmd", "VM.START"),
    // A start that is sent during a stop does not wait for it, and fails since the machine still runs.
    admit: refuseRunning,
    begin(work) {
        refuseRunning(work);
        const machine = machineAt(work);
        if (machine.state !== "Stopped")
            throw failed(`Unable to start ${describeMachine(work.cloud, machine)} in state ${machine.state}`);
        return passInto(work, machine, "Starting");
    },
    async act(work) {
        checkNetworks(work.cloud, machineAt(work));
        await applySecurityGroups(work.cloud);
        await work.cloud.hypervisor.start(machinePlan(work.cloud, machineAt(work)));
    },
    finish: (work) => startedResult(work, machineAt(work)),
    abandon: fallBack,
};

const stopVirtualMachine: AsyncCommand = {
    ...common("StopVMCmd", "VM.STOP"),
    begin(work) {
        const machine = machineAt(work);
        if (machine.state === "Stopped") return { before: "Stopped" };
        if (machine.state !== "Running")
            throw failed(`Unable to stop ${describeMachine(work.cloud, machine)} in state ${machine.state}`);
        return passInto(work, machine, "Stopping");
    },
    act: (work) => work.cloud.hypervisor.stop(machinePlan(work.cloud, machineAt(work)), work.arguments.forced === true),
    finish(work) {
        const machine = machineAt(work);
        return machineResult(
            work,
            memoOf(work).before === "Stopped" ? machine : setState(work.cloud, machine, "Stopped"),
        );
    },
    abandon: fallBack,
};

const rebootVirtualMachine: AsyncCommand = {
    ...common("RebootVMCmd", "VM.REBOOT"),
    begin(work) {
        if (machineAt(work).state !== "Running") throw failed("Failed to reboot vm instance");
    },
    act: (work) => work.cloud.hypervisor.reboot(machinePlan(work.cloud, machineAt(work))),
    finish: (work) => machineResult(work, machineAt(work)),
};

/** Creates a fresh root volume from the machine's template or another one; a running machine is started again. */
const restoreVirtualMachine: AsyncCommand = {
    ...common("RestoreVMCmd", "VM.RESTORE"),
    submit: (request) => onMachine(request, request.arguments.virtualmachineid),
    begin(work) {
        const machine = machineAt(work);
        if (machine.state !== "Running" && machine.state !== "Stopped") {
            throw failed(
                `Vm ${machine.id} currently in ${machine.state} state, restore vm can only execute when VM in ` +
                    "Running or Stopped",
            );
        }
        const template = work.cloud.store.templates.get(work.arguments.templateid);
        if (template !== undefined && !template.zoneIds.includes(machine.zoneId))
            throw invalid(`Template ${template.name} is not available in the machine's zone`);
        const memo = machine.state === "Running" ? passInto(work, machine, "Stopping") : { before: machine.state };
        return {
            ...memo,
            templateBefore: machine.templateId,
            ...(template === undefined ? {} : changeTemplate(work, machine, template.id)),
        };
    },
    async act(work) {
        const { hypervisor } = work.cloud;
        const plan = machinePlan(work.cloud, machineAt(work));
        await hypervisor.stop(plan, false);
        await hypervisor.reinstall(plan);
        if (memoOf(work).before === "Running") await hypervisor.start(plan);
    },
    finish(work) {
        const { store } = work.cloud;
        const machine = machineAt(work);
        const template = store.templates.need(machine.templateId);
        const old = rootVolumeOf(work.cloud, machine.id);
        const sizeGiB = work.arguments.rootdisksize ?? Math.max(template.sizeGiB, old?.sizeGiB ?? 0);
        if (old !== undefined) removeVolume(work.cloud, old);
        const now = work.cloud.now();
        store.volumes.insert({
            id: randomUUID(),
            number: store.next("volume"),
            name: `ROOT-${machine.number}`,
            type: "ROOT",
            ownerId: machine.ownerId,
            zoneId: machine.zoneId,
            sizeGiB,
            state: old?.state ?? "Ready",
            created: now,
            machineId: machine.id,
            deviceId: 0,
            attached: now,
            deleteProtection: false,
        });
        const password = template.passwordEnabled ? newPassword() : undefined;
        const result = machineResult(work, setState(work.cloud, machine, memoOf(work).before, { password })) as {
            virtualmachine: object;
        };
        return password === undefined ? result : { virtualmachine: { ...result.virtualmachine, password } };
    },
    abandon(work) {
        fallBack(work);
        work.cloud.store.machines.change(work.job.instanceId!, {
            templateId: (work.job.memo as { templateBefore: string }).templateBefore,
        });
    },
};

function changeTemplate(work: Work, machine: Machine, templateId: string): object {
    work.cloud.store.machines.change(machine.id, { templateId });
    return { templateBefore: machine.templateId };
}

const mayExpunge = (work: Request) => work.caller.isAdmin || work.caller.account.mayExpunge;

function dataVolumes(work: Work): Volume[] {
    return work.cloud.store.volumes.filter(
        (v) => v.machineId === work.job.instanceId && v.type === "DATADISK" && v.removed === undefined,
    );
}

/**
 * Stops a machine and marks it destroyed: its user cannot see it, but it keeps its name, addresses and groups until it
 * is expunged. Its data volumes are detached and kept, except those in `volumeids`.
 */
const destroyVirtualMachine: AsyncCommand = {
    ...common("DestroyVMCmd", "VM.DESTROY"),
    begin(work) {
        const machine = machineAt(work);
        if (work.arguments.expunge === true && !mayExpunge(work))
            throw failed("Account does not have permission for expunging.");
        if (machine.deleteProtection) {
            throw invalid(
                `Instance [id = ${machine.id}, name = ${instanceNameOf(work, machine)}] has delete protection ` +
                    "enabled and cannot be deleted.",
            );
        }
        for (const id of (work.arguments.volumeids ?? []) as string[]) {
            const volume = work.cloud.store.volumes.need(id);
            if (volume.machineId !== machine.id || volume.type !== "DATADISK")
                throw invalid(`Unable to delete volume ${id}: it is no data volume of the machine`);
        }
        return machine.state === "Running" ? passInto(work, machine, "Stopping") : { before: machine.state };
    },
    async act(work) {
        const { hypervisor } = work.cloud;
        const plan = machinePlan(work.cloud, machineAt(work));
        await hypervisor.stop(plan, work.arguments.forced === true);
        for (const volume of dataVolumes(work)) await hypervisor.detach(plan, volumePlan(volume));
        if (work.arguments.expunge === true) await hypervisor.expunge(plan);
        await applySecurityGroups(work.cloud);
    },
    finish(work) {
        const machine = machineAt(work);
        for (const volume of dataVolumes(work)) {
            if ((work.arguments.volumeids ?? []).includes(volume.id)) removeVolume(work.cloud, volume);
            else markDetached(work.cloud, volume);
        }
        // A machine in state Error becomes Expunging, and keeps its name until it is expunged.
        const state = memoOf(work).before === "Error" ? "Expunging" : "Destroyed";
        const destroyed = isDestroyed(machine)
            ? machine
            : setState(work.cloud, machine, state, { destroyed: work.cloud.now(), statisticsFrom: undefined });
        if (work.arguments.expunge !== true) return machineResult(work, destroyed);
        removeMachine(work.cloud, destroyed);
        // As in CloudStack, the result has no fields of an expunged machine.
        return { virtualmachine: { jobid: work.job.id, jobstatus: 0 } };
    },
    abandon: fallBack,
};

function instanceNameOf(work: Work, machine: Machine): string {
    return machinePlan(work.cloud, machine).instanceName;
}

const expungeVirtualMachine: AsyncCommand = {
    ...common("ExpungeVMCmd", "VM.EXPUNGE"),
    java: "admin.vm.ExpungeVMCmd",
    begin(work) {
        if (!mayExpunge(work)) {
            throw failed(
                "Expunging a vm can only be done by an Admin. Or when the allow.user.expunge.recover.vm key is set.",
            );
        }
        const machine = machineAt(work);
        if (!isDestroyed(machine) && machine.state !== "Error") {
            throw invalid(`Please destroy vm with specified vmId before expunge; it is in state ${machine.state}`);
        }
    },
    act: (work) => work.cloud.hypervisor.expunge(machinePlan(work.cloud, machineAt(work))),
    finish(work) {
        removeMachine(work.cloud, machineAt(work));
        return { success: true };
    },
};

function recoverVirtualMachine(request: Request): object {
    const machine = machineOf(request);
    if (!mayExpunge(request))
        throw denied(
            "Recovering a vm can only be done by an Admin. Or when the allow.user.expunge.recover.vm key is set.",
        );
    if (machine.state !== "Destroyed")
        throw invalid(`Unable to recover vm with specified vmId: it is in state ${machine.state}, not Destroyed`);
    const owner = request.cloud.store.accounts.need(machine.ownerId);
    checkLimits(request.cloud, owner, { user_vm: 1, cpu: machine.size.cpuNumber, memory: machine.size.memory });
    const recovered = setState(request.cloud, machine, "Stopped", { destroyed: undefined });
    return { virtualmachine: machineAnswer(request.cloud, recovered, { admin: request.caller.isAdmin }) };
}

export const lifecycleCommands: Commands = {
    startVirtualMachine,
    stopVirtualMachine,
    rebootVirtualMachine,
    restoreVirtualMachine,
    destroyVirtualMachine,
    expungeVirtualMachine,
    recoverVirtualMachine: { entity: "machine", event: "VM.RECOVER", run: recoverVirtualMachine },
};
