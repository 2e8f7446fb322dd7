/** From the cloud's records to what a hypervisor is told. */
import type { Cloud } from "../cloud";
import type { MachinePlan, VolumePlan } from "../hypervisors/hypervisor";
import { rangeOf } from "../state/addresses";
import type { Machine, Volume } from "../state/records";
import { instanceName, rootVolumeOf } from "./answers/machine";

export function volumePlan(volume: Volume): VolumePlan {
    return { id: volume.id, sizeGiB: volume.sizeGiB, deviceId: volume.deviceId ?? 0 };
}

export function machinePlan(cloud: Cloud, machine: Machine): MachinePlan {
    const { store } = cloud;
    const root = rootVolumeOf(cloud, machine.id);
    const data = store.volumes.filter(
        (v) => v.machineId === machine.id && v.type === "DATADISK" && v.removed === undefined,
    );
    return {
        id: machine.id,
        instanceName: instanceName(cloud, machine),
        name: machine.name,
        templateName: store.templates.need(machine.templateId).name,
        cpuNumber: machine.size.cpuNumber,
        cpuSpeed: machine.size.cpuSpeed,
        memoryMiB: machine.size.memory,
        zoneName: store.zones.need(machine.zoneId).name,
        serviceOfferingName: store.serviceOfferings.need(machine.serviceOfferingId).name,
        nics: machine.nics.map((nic) => {
            const network = store.networks.need(nic.networkId);
            return {
                networkId: network.id,
                cidr: network.cidr,
                gateway: network.gateway,
                isShared: network.ownerId === undefined,
                address: nic.address,
                netmask: rangeOf(network.cidr).netmask,
                mac: nic.mac,
                isDefault: nic.isDefault,
            };
        }),
        securityGroupIds: machine.securityGroupIds,
        userData: machine.userData === undefined ? undefined : Buffer.from(machine.userData, "base64"),
        publicKeys: (machine.details["SSH.PublicKey"] ?? "")
            .split("\n")
            .map((key) => key.trim())
            .filter((key) => key !== ""),
        password: machine.password,
        rootVolume: root === undefined ? { id: machine.id, sizeGiB: 0, deviceId: 0 } : volumePlan(root),
        dataVolumes: data.map(volumePlan),
    };
}
