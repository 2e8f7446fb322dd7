/** Network interfaces of virtual machines. */
import type { Machine, Nic } from "../../state/records";
import { nicAnswer } from "../answers/machine";
import type { AsyncCommand, Commands, Request } from "../command";
import { invalid } from "../errors";
import { matches, page } from "../lists";
import { checkAccess } from "../ownership";
import {
    checkNameIsFree,
    describeMachine,
    machineAt,
    machineOf,
    machineResult,
    newNic,
    onMachine,
    takeAddress,
} from "./machineRules";

function listNics(request: Request): object {
    const { cloud } = request;
    const { virtualmachineid, nicid, networkid } = request.arguments;
    const machine = machineOf(request, virtualmachineid);
    const nics = machine.nics.filter((nic) => matches(nic.id, nicid) && matches(nic.networkId, networkid));
    return page(request, "nic", nics, (nic) => ({ ...nicAnswer(cloud, nic), virtualmachineid: machine.id }));
}

/**
 * A changed address takes effect at the machine's next start, so the machine must be stopped if the network has DHCP
 * (CloudStack's UserVmManagerImpl).
 */
function withNics(machine: Machine, change: (nic: Nic) => Nic): readonly Nic[] {
    return machine.nics.map(change);
}

const updateVmNicIp: AsyncCommand = {
    java: "user.vm.UpdateVmNicIpCmd",
    instanceType: "Nic",
    event: "NIC.UPDATE",
    submit(request) {
        const { nicid } = request.arguments;
        const machine = request.cloud.store.machines.find((m) => m.nics.some((nic) => nic.id === nicid))!;
        checkAccess(request, machine.ownerId);
        return { instanceId: machine.id, queue: machine.id };
    },
    begin(work) {
        const machine = machineAt(work);
        if (machine.state !== "Stopped")
            throw invalid("VM is not Stopped, unable to update the vm nic having the specified id");
        const nic = machine.nics.find((n) => n.id === work.arguments.nicid)!;
        const address = takeAddress(
            work.cloud,
            work.cloud.store.networks.need(nic.networkId),
            work.arguments.ipaddress,
        );
        if (address === undefined)
            throw invalid(`Allocating ip to guest nic ${nic.id} failed, please choose another ip`);
        work.cloud.store.machines.change(machine.id, {
            nics: withNics(machine, (n) => (n.id === nic.id ? { ...n, address } : n)),
        });
        return nic;
    },
    finish: (work) => machineResult(work, machineAt(work)),
    abandon(work) {
        const machine = machineAt(work);
        const before = work.job.memo as Nic;
        work.cloud.store.machines.change(machine.id, {
            nics: withNics(machine, (n) => (n.id === before.id ? before : n)),
        });
    },
};

const addNicToVirtualMachine: AsyncCommand = {
    java: "user.vm.AddNicToVMCmd",
    instanceType: "VirtualMachine",
    event: "NIC.CREATE",
    submit: (request) => onMachine(request, request.arguments.virtualmachineid),
    begin(work) {
        const { store } = work.cloud;
        const machine = machineAt(work);
        if (machine.state !== "Stopped" && machine.state !== "Running")
            throw invalid("NICs can only be added to a running or a stopped machine");
        const network = store.networks.need(work.arguments.networkid);
        if (network.removed !== undefined || network.zoneId !== machine.zoneId)
            throw invalid(`Network ${network.id} is not in the machine's zone`);
        if (network.ownerId !== undefined) checkAccess(work, network.ownerId);
        if (machine.nics.some((nic) => nic.networkId === network.id))
            throw invalid(
                `A NIC already exists for VM:${describeMachine(work.cloud, machine)} in network: ${network.id}`,
            );
        checkNameIsFree(work.cloud, machine.name, [network], machine.id);
        const deviceId = Math.max(-1, ...machine.nics.map((nic) => nic.deviceId)) + 1;
        const nic = newNic(work.cloud, network, work.arguments.ipaddress, deviceId, machine.nics.length === 0);
        store.machines.change(machine.id, { nics: [...machine.nics, nic] });
        return nic.id;
    },
    finish: (work) => machineResult(work, machineAt(work)),
    abandon(work) {
        const machine = machineAt(work);
        work.cloud.store.machines.change(machine.id, { nics: machine.nics.filter((nic) => nic.id !== work.job.memo) });
    },
};

const removeNicFromVirtualMachine: AsyncCommand = {
    java: "user.vm.RemoveNicFromVMCmd",
    instanceType: "VirtualMachine",
    event: "NIC.DELETE",
    submit: (request) => onMachine(request, request.arguments.virtualmachineid),
    finish(work) {
        const machine = machineAt(work);
        const nic = machine.nics.find((n) => n.id === work.arguments.nicid);
        if (nic === undefined) throw invalid(`There is no nic ${work.arguments.nicid} in VM ${machine.id}`);
        if (nic.isDefault) throw invalid("Unable to remove the default nic of a VM");
        return machineResult(
            work,
            work.cloud.store.machines.change(machine.id, { nics: machine.nics.filter((n) => n.id !== nic.id) }),
        );
    },
};

export const nicCommands: Commands = {
    listNics: { run: listNics },
    updateVmNicIp,
    addNicToVirtualMachine,
    removeNicFromVirtualMachine,
};
