/** Changes of a virtual machine: in place, or only while it is stopped. */
import type { Machine } from "../../state/records";
import { machineAnswer, READ_ONLY_DETAILS } from "../answers/machine";
import type { AsyncCommand, Commands, Request, Work } from "../command";
import { failed, internal, invalid } from "../errors";
import { checkLimits } from "../limits";
import { isHostName, NAME_RULE } from "../parameters";
import { machinePlan } from "../plan";
import { findAffinityGroups, findGroups } from "./deploy";
import {
    checkNameIsFree,
    describeMachine,
    instanceGroup,
    keyPairDetails,
    machineAt,
    machineOf,
    machineResult,
    newPassword,
    onMachine,
    readDetails,
    readUserData,
    sizeOf,
} from "./machineRules";

const ownerOf = (request: Request, machine: Machine) => request.cloud.store.accounts.need(machine.ownerId);

function answer(request: Request, machine: Machine): object {
    return { virtualmachine: machineAnswer(request.cloud, machine, { admin: request.caller.isAdmin }) };
}

function newName(request: Request, machine: Machine): string {
    const { cloud } = request;
    const name = request.arguments.name as string | undefined;
    if (name === undefined) return machine.name;
    if (!isHostName(name)) throw invalid(`Invalid name. Vm name ${NAME_RULE}`);
    checkNameIsFree(
        cloud,
        name,
        machine.nics.map((nic) => cloud.store.networks.need(nic.networkId)),
        machine.id,
    );
    return name;
}

/** Replaces all details, except the read-only ones, which a user may not change. */
function newDetails(request: Request, machine: Machine): Record<string, string> {
    if (request.arguments.cleanupdetails === true) return {};
    if (request.arguments.details === undefined) return { ...machine.details };
    const { kept } = readDetails(request);
    const forbidden = request.caller.isAdmin
        ? undefined
        : Object.keys(kept).find((key) => READ_ONLY_DETAILS.includes(key));
    if (forbidden !== undefined) throw invalid(`You're not allowed to add or edit the read-only setting: ${forbidden}`);
    return kept;
}

/** Refused while the machine runs, even if the groups do not change. An empty list is valid. */
function newSecurityGroups(request: Request, machine: Machine): readonly string[] {
    const { securitygroupids, securitygroupnames } = request.arguments;
    if (securitygroupids === undefined && securitygroupnames === undefined) return machine.securityGroupIds;
    if (!request.cloud.store.zones.need(machine.zoneId).securityGroups) {
        throw invalid("Virtual machine cannot have security groups: the zone has none");
    }
    if (machine.state !== "Stopped") throw internal();
    return findGroups(request, ownerOf(request, machine), securitygroupids, securitygroupnames).map(
        (group) => group.id,
    );
}

/** Updates what the metadata service serves to running machines; stopped ones get it when they start. */
function describe({ cloud }: Request, machine: Machine): void {
    void cloud.hypervisor.updateMetadata(machinePlan(cloud, machine)).catch(() => undefined);
}

function updateVirtualMachine(request: Request): object {
    const { cloud, arguments: given } = request;
    const machine = machineOf(request);
    // A machine in state Error cannot be changed.
    if (machine.state === "Error") throw internal();
    const changed = cloud.store.machines.change(machine.id, {
        name: newName(request, machine),
        displayName: given.displayname ?? machine.displayName,
        instanceGroupId:
            given.group === undefined
                ? machine.instanceGroupId
                : instanceGroup(cloud, ownerOf(request, machine), given.group),
        haEnabled: given.haenable ?? machine.haEnabled,
        dynamicallyScalable: given.isdynamicallyscalable ?? machine.dynamicallyScalable,
        deleteProtection: given.deleteprotection ?? machine.deleteProtection,
        details: newDetails(request, machine),
        userData: given.userdata === undefined ? machine.userData : readUserData(request, given.userdata),
        securityGroupIds: newSecurityGroups(request, machine),
    });
    describe(request, changed);
    return answer(request, changed);
}

/** Changes the machine's offering. @throws ApiError 431 outside of a custom offering's bounds, 535 over a limit */
function withOffering(request: Request, machine: Machine): Machine {
    const { cloud } = request;
    const offering = cloud.store.serviceOfferings.need(request.arguments.serviceofferingid);
    const size = sizeOf(offering, readDetails(request).size);
    checkLimits(cloud, ownerOf(request, machine), {
        cpu: Math.max(0, size.cpuNumber - machine.size.cpuNumber),
        memory: Math.max(0, size.memory - machine.size.memory),
    });
    return cloud.store.machines.change(machine.id, { serviceOfferingId: offering.id, size });
}

function changeServiceForVirtualMachine(request: Request): object {
    const machine = machineOf(request);
    if (machine.state !== "Stopped") {
        throw invalid(
            `Unable to upgrade virtual machine ${describeMachine(request.cloud, machine)}  in state ` +
                `${machine.state}; make sure the virtual machine is stopped`,
        );
    }
    return answer(request, withOffering(request, machine));
}

const common = {
    instanceType: "VirtualMachine",
    entity: "machine",
    submit: (request: Request) => onMachine(request),
} as const;

const scaleVirtualMachine: AsyncCommand = {
    ...common,
    java: "user.vm.ScaleVMCmd",
    event: "VM.UPGRADE",
    begin(work) {
        const { state } = machineAt(work);
        if (state === "Running")
            throw failed("Dynamically scaling virtual machines is disabled for this zone, please contact your admin.");
        if (state !== "Stopped") throw failed("Failed to scale vm");
    },
    finish: (work) => machineResult(work, withOffering(work, machineAt(work))),
};

/** Replaces the machine's key pairs; a machine of a template with passwords also gets a new password. */
const resetSSHKeyForVirtualMachine: AsyncCommand = {
    ...common,
    java: "user.vm.ResetVMSSHKeyCmd",
    event: "VM.RESETSSHKEY",
    begin(work) {
        const machine = machineAt(work);
        const { keypair, keypairs } = work.arguments;
        const names = [...(keypairs ?? []), ...(keypair === undefined ? [] : [keypair])];
        if (names.length === 0) throw invalid("Please provide a key pair: keypair or keypairs");
        if (machine.state !== "Stopped")
            throw invalid(`Vm ${describeMachine(work.cloud, machine)} should be stopped to do SSH Key reset`);
        return keyPairDetails(work.cloud, ownerOf(work, machine), names);
    },
    finish(work) {
        const machine = machineAt(work);
        const details = { ...machine.details, ...(work.job.memo as Record<string, string>) };
        return withPassword(work, work.cloud.store.machines.change(machine.id, { details }));
    },
};

/** The result, with a new password if the template supports passwords. */
function withPassword(work: Work, machine: Machine): object {
    const result = machineResult(work, machine) as { virtualmachine: object };
    if (!work.cloud.store.templates.need(machine.templateId).passwordEnabled) return result;
    const password = newPassword();
    work.cloud.store.machines.change(machine.id, { password });
    return { virtualmachine: { ...result.virtualmachine, password } };
}

const resetPasswordForVirtualMachine: AsyncCommand = {
    ...common,
    java: "user.vm.ResetVMPasswordCmd",
    event: "VM.RESETPASSWORD",
    begin(work) {
        const machine = machineAt(work);
        if (!work.cloud.store.templates.need(machine.templateId).passwordEnabled) {
            throw invalid("Fail to reset password for the virtual machine, the template is not password enabled");
        }
        if (machine.state !== "Stopped")
            throw invalid(`Vm ${describeMachine(work.cloud, machine)} should be stopped to do password reset`);
    },
    finish: (work) => withPassword(work, machineAt(work)),
};

/** Its job names no instance, and its result shows the affinity groups only, as in CloudStack. */
const updateVMAffinityGroup: AsyncCommand = {
    java: "user.affinitygroup.UpdateVMAffinityGroupCmd",
    entity: "machine",
    event: "VM.AFFINITY.GROUP.UPDATE",
    submit(request) {
        const { affinitygroupids, affinitygroupnames } = request.arguments;
        if (affinitygroupids === undefined && affinitygroupnames === undefined) {
            throw invalid("affinitygroupids or affinitygroupnames is required by updateVMAffinityGroup");
        }
        return { queue: machineOf(request).id };
    },
    begin(work) {
        const machine = machineOf(work);
        if (machine.state !== "Stopped")
            throw invalid(
                `Unable update affinity groups of the virtual machine ${describeMachine(work.cloud, machine)}  ` +
                    `in state ${machine.state}; make sure the virtual machine is stopped`,
            );
    },
    finish(work) {
        const machine = machineOf(work);
        const { affinitygroupids, affinitygroupnames } = work.arguments;
        const affinityGroupIds = findAffinityGroups(work, ownerOf(work, machine), affinitygroupids, affinitygroupnames);
        const changed = work.cloud.store.machines.change(machine.id, { affinityGroupIds });
        return {
            virtualmachine: machineAnswer(work.cloud, changed, { admin: work.caller.isAdmin, details: ["affgrp"] }),
        };
    },
};

function resetUserDataForVirtualMachine(request: Request): object {
    const machine = machineOf(request);
    if (machine.state !== "Stopped")
        throw invalid(`Vm ${describeMachine(request.cloud, machine)} should be stopped to do UserData reset`);
    return answer(
        request,
        request.cloud.store.machines.change(machine.id, {
            userData: readUserData(request, request.arguments.userdata),
        }),
    );
}

export const changeCommands: Commands = {
    updateVirtualMachine: { entity: "machine", event: "VM.UPDATE", run: updateVirtualMachine },
    changeServiceForVirtualMachine: { entity: "machine", event: "VM.UPGRADE", run: changeServiceForVirtualMachine },
    scaleVirtualMachine,
    resetSSHKeyForVirtualMachine,
    resetPasswordForVirtualMachine,
    updateVMAffinityGroup,
    resetUserDataForVirtualMachine: {
        entity: "machine",
        event: "VM.RESETUSERDATA",
        run: resetUserDataForVirtualMachine,
    },
};
