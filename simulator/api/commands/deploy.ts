/**
 * deployVirtualMachine: the checks and the creation of the stopped machine before the job, and the job that starts it.
 */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import type { Account, Machine, Network, SecurityGroup, Template, Zone } from "../../state/records";
import type { AsyncCommand, Request, Submission } from "../command";
import { invalid } from "../errors";
import { checkLimits } from "../limits";
import { checkAccess, ownerOf } from "../ownership";
import { applySecurityGroups, machinePlan } from "../plan";
import {
    checkNameIsFree,
    checkNetworks,
    instanceGroup,
    keyPairDetails,
    machineAt,
    machineResult,
    newNic,
    newPassword,
    readDetails,
    readUserData,
    NEVER_STARTED,
    setState,
    sizeOf,
    startedResult,
} from "./machineRules";
import { createGuestNetwork, defaultIsolatedNetworks } from "./networks";
import { defaultGroup } from "./securityGroups";

function templateFor(request: Request, zone: Zone): Template {
    const id = request.arguments.templateid as string | undefined;
    if (id === undefined) throw invalid("Unable to deploy a virtual machine without a template: templateid is missing");
    const template = request.cloud.store.templates.need(id);
    if (!template.zoneIds.includes(zone.id))
        throw invalid(`Template ${template.name} has not been completely downloaded to zone ${zone.name}`);
    return template;
}

interface Placement {
    readonly network: Network;
    readonly address?: string;
}

/** The requested networks with their addresses, or the zone's default. */
function placements(request: Request, zone: Zone, owner: Account): Placement[] {
    const { store } = request.cloud;
    const { networkids, iptonetworklist, ipaddress } = request.arguments;
    if (networkids !== undefined && iptonetworklist !== undefined)
        throw invalid("ipToNetworkMap can't be specified along with networkIds or ipAddress");
    const asked: { id: string; address?: string }[] =
        iptonetworklist === undefined
            ? ((networkids ?? []) as string[]).map((id, index) => ({
                  id,
                  address: index === 0 ? ipaddress : undefined,
              }))
            : (iptonetworklist as Record<string, string>[]).map(({ networkid, ip }) => ({
                  id: networkid,
                  address: ip,
              }));
    if (asked.length === 0) return [{ network: chosenByZone(request, zone, owner), address: ipaddress }];
    return asked.map(({ id, address }) => {
        const network = store.networks.get(id);
        if (network === undefined || network.removed !== undefined) throw invalid(`Unable to find network by id ${id}`);
        if (network.zoneId !== zone.id) throw invalid(`Network id=${network.id} doesn't belong to zone ${zone.name}`);
        if (network.ownerId !== undefined && network.ownerId !== owner.id) checkAccess(request, network.ownerId);
        return { network, address };
    });
}

function chosenByZone(request: Request, zone: Zone, owner: Account): Network {
    const { cloud } = request;
    if (zone.securityGroups) return cloud.store.networks.find((n) => n.zoneId === zone.id && n.ownerId === undefined)!;
    const own = defaultIsolatedNetworks(cloud, owner, zone);
    if (own.length > 1)
        throw invalid(
            `More than 1 default Isolated networks are found for account ${owner.name}; please specify networkIds`,
        );
    return own[0] ?? createGuestNetwork(cloud, owner, zone, { name: `${owner.name}-network` });
}

/** The requested groups, by id or name, or the account's default; none in a zone without security groups. */
function securityGroups(request: Request, zone: Zone, owner: Account): SecurityGroup[] {
    const { cloud } = request;
    const { securitygroupids, securitygroupnames } = request.arguments;
    if (securitygroupids !== undefined && securitygroupnames !== undefined) {
        throw invalid("securitygroupids parameter is mutually exclusive with securitygroupnames parameter");
    }
    if (!zone.securityGroups) {
        if ((securitygroupids ?? securitygroupnames ?? []).length > 0) {
            throw invalid("Can't create vm with security groups; security group feature is not enabled per zone");
        }
        return [];
    }
    const groups = findGroups(request, owner, securitygroupids, securitygroupnames);
    return groups.length === 0 ? [defaultGroup(cloud, owner)] : groups;
}

/** @throws ApiError 431 for a group that does not exist, 531 for one of another account */
export function findGroups(
    request: Request,
    owner: Account,
    ids: string[] | undefined,
    names: string[] | undefined,
): SecurityGroup[] {
    const { store } = request.cloud;
    const byName = (names ?? []).map((name) => {
        const group = store.securityGroups.find((g) => g.ownerId === owner.id && g.name === name);
        if (group === undefined) throw invalid(`Unable to find group by name ${name}`);
        return group;
    });
    const groups = [...(ids ?? []).map((id) => store.securityGroups.need(id)), ...byName];
    for (const group of groups) if (group.ownerId !== owner.id) checkAccess(request, group.ownerId);
    return [...new Map(groups.map((group) => [group.id, group])).values()];
}

/** @throws ApiError 431 for a group that does not exist */
export function findAffinityGroups(
    request: Request,
    owner: Account,
    ids: string[] | undefined,
    names: string[] | undefined,
): string[] {
    const { store } = request.cloud;
    if (ids !== undefined && names !== undefined)
        throw invalid("affinitygroupids parameter is mutually exclusive with affinitygroupnames parameter");
    const byName = (names ?? []).map((name) => {
        const group = store.affinityGroups.find((g) => g.ownerId === owner.id && g.name === name);
        if (group === undefined) throw invalid(`Unable to find affinity group by name ${name}`);
        return group.id;
    });
    for (const id of ids ?? []) checkAccess(request, store.affinityGroups.need(id).ownerId);
    return [...new Set([...(ids ?? []), ...byName])];
}

function rootDiskSize(request: Request, template: Template): number {
    const asked = request.arguments.rootdisksize as number | undefined;
    if (asked === undefined) return template.sizeGiB;
    if (asked <= 0) throw invalid("Root disk size should be a positive number.");
    if (asked < template.sizeGiB) {
        throw invalid(
            `The root disk size override (${asked} GB) is smaller than the template size (${template.sizeGiB} GB)`,
        );
    }
    return asked;
}

/** Size of the data disk that is created with the machine; undefined without one. */
function dataDisk(request: Request): { offeringId: string; sizeGiB: number } | undefined {
    const { diskofferingid, size } = request.arguments;
    if (diskofferingid === undefined) return undefined;
    const offering = request.cloud.store.diskOfferings.need(diskofferingid);
    if (offering.sizeGiB === 0 && size === undefined) throw invalid("Disk size is required for a custom disk offering");
    return { offeringId: offering.id, sizeGiB: offering.sizeGiB === 0 ? size : offering.sizeGiB };
}

function makeVolumes(cloud: Cloud, machine: Machine, rootGiB: number, data: ReturnType<typeof dataDisk>): void {
    const common = {
        ownerId: machine.ownerId,
        zoneId: machine.zoneId,
        state: "Allocated",
        created: cloud.now(),
        machineId: machine.id,
        deleteProtection: false,
    } as const;
    const attached = { attached: cloud.now() };
    cloud.store.volumes.insert({
        id: randomUUID(),
        number: cloud.store.next("volume"),
        name: `ROOT-${machine.number}`,
        type: "ROOT",
        sizeGiB: rootGiB,
        deviceId: 0,
        ...common,
        ...attached,
    });
    if (data === undefined) return;
    cloud.store.volumes.insert({
        id: randomUUID(),
        number: cloud.store.next("volume"),
        name: `DATA-${machine.number}`,
        type: "DATADISK",
        diskOfferingId: data.offeringId,
        sizeGiB: data.sizeGiB,
        deviceId: 1,
        ...common,
        ...attached,
    });
}

function submit(request: Request): Submission {
    const { cloud, arguments: given } = request;
    const { store } = cloud;
    const owner = ownerOf(request);
    const zone = store.zones.need(given.zoneid);
    const offering = store.serviceOfferings.need(given.serviceofferingid);
    const template = templateFor(request, zone);
    const groups = securityGroups(request, zone, owner);
    const userData = readUserData(request, given.userdata);
    const keys = keyPairDetails(cloud, owner, [
        ...(given.keypairs ?? []),
        ...(given.keypair === undefined ? [] : [given.keypair]),
    ]);
    const affinityGroupIds = findAffinityGroups(request, owner, given.affinitygroupids, given.affinitygroupnames);
    const details = readDetails(request);
    const size = sizeOf(offering, details.size);
    const rootGiB = rootDiskSize(request, template);
    const data = dataDisk(request);
    const placed = placements(request, zone, owner);
    const id = randomUUID();
    const name = given.name ?? `VM-${id}`;
    checkNameIsFree(
        cloud,
        name,
        placed.map(({ network }) => network),
    );
    const wanted = {
        user_vm: 1,
        volume: data === undefined ? 1 : 2,
        cpu: size.cpuNumber,
        memory: size.memory,
        primary_storage: rootGiB + (data?.sizeGiB ?? 0),
    };
    checkLimits(cloud, owner, wanted, true);
    const machine = store.machines.insert({
        id,
        number: store.next("machine"),
        name,
        displayName: given.displayname ?? name,
        ownerId: owner.id,
        userId: request.caller.user.id,
        zoneId: zone.id,
        templateId: template.id,
        serviceOfferingId: offering.id,
        state: "Stopped",
        created: cloud.now(),
        updated: cloud.now(),
        instanceGroupId: instanceGroup(cloud, owner, given.group),
        haEnabled: false,
        dynamicallyScalable: false,
        deleteProtection: false,
        size,
        details: { ...details.kept, ...keys, ...NEVER_STARTED },
        userData,
        securityGroupIds: groups.map((group) => group.id),
        affinityGroupIds,
        nics: placed.map(({ network, address }, index) => newNic(cloud, network, address, index, index === 0)),
        password: template.passwordEnabled ? newPassword() : undefined,
    });
    makeVolumes(cloud, machine, rootGiB, data);
    return { created: machine.id, instanceId: machine.id, queue: machine.id };
}

const starts = (given: Request["arguments"]) => given.startvm !== false;

export const deployVirtualMachine: AsyncCommand = {
    java: "user.vm.DeployVMCmd",
    instanceType: "VirtualMachine",
    event: "VM.CREATE",
    submit,
    begin(work) {
        if (starts(work.arguments)) setState(work.cloud, machineAt(work), "Starting");
    },
    async act(work) {
        if (!starts(work.arguments)) return;
        const machine = machineAt(work);
        checkNetworks(work.cloud, machine);
        await applySecurityGroups(work.cloud);
        await work.cloud.hypervisor.start(machinePlan(work.cloud, machine));
    },
    finish(work) {
        return starts(work.arguments) ? startedResult(work, machineAt(work)) : machineResult(work, machineAt(work));
    },
    /**
     * As in CloudStack, a machine that cannot be started at its creation is left in state Error, and its owner must
     * destroy it. With startvm=false it stays stopped.
     */
    abandon(work) {
        if (!starts(work.arguments)) return;
        const machine = work.cloud.store.machines.get(work.job.instanceId);
        if (machine !== undefined && machine.removed === undefined) setState(work.cloud, machine, "Error");
    },
};
