/** Derives a hypervisor's plans from the cloud's records. */
import type { Cloud } from "../cloud";
import type { FilterPlan, MachinePlan, VolumePlan } from "../hypervisors/hypervisor";
import { netmaskOf } from "../state/addresses";
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
                netmask: netmaskOf(network.cidr),
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

/** States in which a machine is connected to its network. */
const CONNECTED_STATES = ["Starting", "Running", "Stopping"];

/** Passes the current rules of all security groups to the hypervisor. */
export async function applySecurityGroups(cloud: Cloud): Promise<void> {
    const plan = filterPlan(cloud);
    if (plan !== undefined) await cloud.hypervisor.filter(plan);
}

function filterPlan(cloud: Cloud): FilterPlan | undefined {
    const { store } = cloud;
    const network = store.networks.find(({ ownerId }) => ownerId === undefined);
    if (network === undefined) return undefined;
    const machines = store.machines.filter(
        ({ state, removed }) => removed === undefined && CONNECTED_STATES.includes(state),
    );
    return {
        cidr: network.cidr,
        hostAddress: cloud.hypervisor.hostAddress(network.cidr) ?? network.gateway,
        machines: machines.flatMap((machine) =>
            machine.nics
                .filter(({ networkId }) => networkId === network.id)
                .map(({ address, mac }) => ({
                    instanceName: instanceName(cloud, machine),
                    address,
                    mac,
                    securityGroupIds: machine.securityGroupIds,
                })),
        ),
        groups: store.securityGroups.all().map(({ id }) => ({
            id,
            rules: store.rules.filter(({ groupId }) => groupId === id),
        })),
    };
}
