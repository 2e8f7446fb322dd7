/** Virtual machines in answers. */
import { timestamp, type Cloud } from "../../cloud";
import { netmaskOf } from "../../state/addresses";
import type { Machine, Nic, Volume } from "../../state/records";
import { accountFields, ownerFields } from "../ownership";
import { nestedGroupAnswer } from "./securityGroup";
import { nestedTagAnswer, tagsOf } from "./tags";

/** The values of `details` of `listVirtualMachines`. */
export const MACHINE_DETAILS = [
    "all",
    "group",
    "nics",
    "stats",
    "secgrp",
    "tmpl",
    "servoff",
    "diskoff",
    "backoff",
    "iso",
    "volume",
    "min",
    "affgrp",
] as const;

export type MachineDetail = (typeof MACHINE_DETAILS)[number];

export interface MachineView {
    readonly admin: boolean;
    /** Default: all. */
    readonly details?: readonly MachineDetail[];
    readonly userData?: boolean;
}

export function instanceName(cloud: Cloud, machine: Machine): string {
    return `i-${cloud.store.accounts.need(machine.ownerId).number}-${machine.number}-VM`;
}

export function rootVolumeOf(cloud: Cloud, machineId: string): Volume | undefined {
    return cloud.store.volumes.find(
        (volume) => volume.machineId === machineId && volume.type === "ROOT" && volume.removed === undefined,
    );
}

export function defaultNic(machine: Machine): Nic | undefined {
    return machine.nics.find((nic) => nic.isDefault);
}

export function nicAnswer(cloud: Cloud, nic: Nic): object {
    const network = cloud.store.networks.need(nic.networkId);
    const offering = cloud.store.networkOfferings.need(network.offeringId);
    const vlan = `vlan://${network.vlan}`;
    return {
        id: nic.id,
        networkid: network.id,
        networkname: network.name,
        ...(network.cidr === ""
            ? {}
            : { netmask: netmaskOf(network.cidr), gateway: network.gateway, ipaddress: nic.address }),
        isolationuri: vlan,
        broadcasturi: vlan,
        traffictype: "Guest",
        type: offering.guestType,
        isdefault: nic.isDefault,
        macaddress: nic.mac,
        secondaryip: [],
        extradhcpoption: [],
        deviceid: String(nic.deviceId),
    };
}

function templateFields(cloud: Cloud, machine: Machine): object {
    const template = cloud.store.templates.need(machine.templateId);
    return {
        templateid: template.id,
        templatename: template.name,
        templatetype: "USER",
        templateformat: "QCOW2",
        templatedisplaytext: template.displayText,
        passwordenabled: template.passwordEnabled,
    };
}

function offeringFields(cloud: Cloud, machine: Machine): object {
    const offering = cloud.store.serviceOfferings.need(machine.serviceOfferingId);
    const { cpuNumber, cpuSpeed, memory } = machine.size;
    return {
        serviceofferingid: offering.id,
        serviceofferingname: offering.name,
        cpunumber: cpuNumber,
        cpuspeed: cpuSpeed,
        memory,
    };
}

/** Statistics of an idle machine, since no real ones are collected. */
const IDLE_STATISTICS = {
    cpuused: "0%",
    networkkbsread: 0,
    networkkbswrite: 0,
    diskkbsread: 0,
    diskkbswrite: 0,
    memorykbs: 0,
    memoryintfreekbs: 0,
    memorytargetkbs: 0,
    diskioread: 0,
    diskiowrite: 0,
};

function groupFields(cloud: Cloud, machine: Machine): object {
    const group = cloud.store.instanceGroups.get(machine.instanceGroupId);
    return group === undefined ? {} : { groupid: group.id, group: group.name };
}

function affinityFields(cloud: Cloud, machine: Machine): object[] {
    return machine.affinityGroupIds.map((id) => {
        const group = cloud.store.affinityGroups.need(id);
        const description = group.description === undefined ? {} : { description: group.description };
        return { id: group.id, name: group.name, ...description, ...accountFields({ cloud }, group.ownerId) };
    });
}

/** The details that its user has set, those of its custom offering, and for administrators internal ones. */
function detailFields(cloud: Cloud, machine: Machine, admin: boolean): Record<string, string> {
    const offering = cloud.store.serviceOfferings.need(machine.serviceOfferingId);
    const { cpuNumber, cpuSpeed, memory } = machine.size;
    const custom: Record<string, string> =
        offering.bounds === undefined
            ? {}
            : { cpuNumber: String(cpuNumber), cpuSpeed: String(cpuSpeed), memory: String(memory) };
    const internal: Record<string, string> = admin
        ? { memoryOvercommitRatio: "1.0", "Message.ReservedCapacityFreed.Flag": "false", cpuOvercommitRatio: "1.0" }
        : {};
    return { ...internal, ...machine.details, ...custom };
}

export function machineAnswer(cloud: Cloud, machine: Machine, view: MachineView): object {
    const { store } = cloud;
    const chosen = view.details ?? ["all"];
    const shows = (detail: MachineDetail) => chosen.includes("all") || chosen.includes(detail);
    const part = (detail: MachineDetail, fields: () => object) => (shows(detail) ? fields() : {});
    const zone = store.zones.need(machine.zoneId);
    const osType = store.osTypes.need(store.templates.need(machine.templateId).osTypeId);
    const root = rootVolumeOf(cloud, machine.id);
    const measured = machine.statisticsFrom !== undefined && cloud.now() >= machine.statisticsFrom;
    const keyPairs = machine.details["SSH.KeyPairNames"];
    return {
        id: machine.id,
        name: machine.name,
        displayname: machine.displayName,
        ...ownerFields({ cloud }, machine.ownerId),
        userid: machine.userId,
        username: store.users.need(machine.userId).name,
        created: timestamp(machine.created),
        lastupdated: timestamp(machine.updated),
        state: machine.state,
        haenable: machine.haEnabled,
        ...part("group", () => groupFields(cloud, machine)),
        zoneid: zone.id,
        zonename: zone.name,
        ...(machine.state === "Running" || machine.state === "Stopping" ? { hostcontrolstate: "Enabled" } : {}),
        ...part("tmpl", () => templateFields(cloud, machine)),
        ...part("servoff", () => offeringFields(cloud, machine)),
        ...(measured ? part("stats", () => IDLE_STATISTICS) : {}),
        guestosid: osType.id,
        ...(root === undefined ? {} : part("volume", () => ({ rootdeviceid: 0, rootdevicetype: "ROOT" }))),
        securitygroup: shows("secgrp")
            ? machine.securityGroupIds.map((id) => nestedGroupAnswer(cloud, store.securityGroups.need(id)))
            : [],
        nic: shows("nics") ? machine.nics.map((nic) => nicAnswer(cloud, nic)) : [],
        hypervisor: "KVM",
        ...(defaultNic(machine)?.address ? part("nics", () => ({ ipaddress: defaultNic(machine)!.address })) : {}),
        ...(view.admin ? { instancename: instanceName(cloud, machine) } : {}),
        details: detailFields(cloud, machine, view.admin),
        ...(view.admin ? {} : { readonlydetails: READ_ONLY_DETAILS.join(", ") }),
        ...(keyPairs === undefined ? {} : { keypairs: keyPairs }),
        affinitygroup: shows("affgrp") ? affinityFields(cloud, machine) : [],
        ...(view.admin ? { displayvm: true } : {}),
        isdynamicallyscalable: machine.dynamicallyScalable,
        deleteprotection: machine.deleteProtection,
        ostypeid: osType.id,
        osdisplayname: osType.name,
        ...(root?.state === "Ready" ? { pooltype: "NetworkFilesystem" } : {}),
        receivedbytes: 0,
        sentbytes: 0,
        ...(view.userData === true && machine.userData !== undefined ? { userdata: machine.userData } : {}),
        ...(view.admin ? { arch: "x86_64" } : {}),
        tags: tagsOf(cloud, machine.id).map((tag) => nestedTagAnswer(cloud, tag)),
        hasannotations: false,
    };
}

/** Details of a machine that a user may not change. */
export const READ_ONLY_DETAILS: readonly string[] = ["dataDiskController", "rootDiskController"];
