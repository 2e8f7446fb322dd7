/** Volumes: data disks that are made, attached, grown, detached and deleted. */
import { randomUUID } from "node:crypto";
import type { Machine, Volume } from "../../state/records";
import { volumeAnswer } from "../answers/volume";
import type { AsyncCommand, Commands, Request, Work } from "../command";
import { failed, invalid } from "../errors";
import { markDetached, removeVolume } from "../expunge";
import { checkLimits } from "../limits";
import { contains, matches, equalsName, page } from "../lists";
import { checkAccess, ownerOf, scopeOf } from "../ownership";
import { machinePlan, volumePlan } from "../plan";
import { machineOf } from "./machineRules";
import { hasTags } from "./tags";

/** Smallest and largest custom volume in GiB (`custom.diskoffering.size.min` and `max`). */
const SIZE = { min: 1, max: 1024 } as const;

/** How many data volumes a machine can have. */
const DEVICES = 15;

function volumeOf(request: Request, id: string = request.arguments.id): Volume {
    const volume = request.cloud.store.volumes.get(id);
    if (volume === undefined || volume.removed !== undefined) throw invalid(`Unable to find volume with ID: ${id}`);
    checkAccess(request, volume.ownerId);
    return volume;
}

const volumeAt = (work: Work) => volumeOf(work, work.job.instanceId);

function volumeResult(work: Work, volume: Volume): object {
    return { volume: { ...volumeAnswer(work.cloud, volume), jobid: work.job.id, jobstatus: 0 } };
}

/** Jobs on an attached volume and on its machine share a queue. */
const queueOf = (volume: Volume) => volume.machineId ?? volume.id;

function customSize(size: number | undefined): number {
    if (size === undefined) throw invalid("This disk offering requires a custom size specified");
    if (size < SIZE.min || size > SIZE.max)
        throw invalid(`Volume size: ${size} GB is out of allowed range. Min: ${SIZE.min}. Max: ${SIZE.max}`);
    return size;
}

function submitCreate(request: Request) {
    const { cloud, arguments: given } = request;
    const { store } = cloud;
    if (given.diskofferingid === undefined)
        throw invalid("At least one of disk Offering ID or snapshot ID must be passed whilst creating volume");
    const offering = store.diskOfferings.need(given.diskofferingid);
    const machine = given.virtualmachineid === undefined ? undefined : machineOf(request, given.virtualmachineid);
    const zoneId = given.zoneid ?? machine?.zoneId;
    if (zoneId === undefined) throw invalid("ZoneId/diskOfferingId must be specified");
    if (offering.sizeGiB !== 0 && given.size !== undefined)
        throw invalid("This disk offering does not allow custom size");
    const sizeGiB = offering.sizeGiB === 0 ? customSize(given.size) : offering.sizeGiB;
    const owner = ownerOf(request);
    checkLimits(cloud, owner, { volume: 1, primary_storage: sizeGiB });
    const id = randomUUID();
    const number = store.next("volume");
    store.volumes.insert({
        id,
        number,
        name: given.name ?? `Volume-${number}`,
        type: "DATADISK",
        ownerId: owner.id,
        zoneId,
        diskOfferingId: offering.id,
        sizeGiB,
        state: "Allocated",
        created: cloud.now(),
        deleteProtection: false,
    });
    return { created: id, instanceId: id, queue: machine?.id ?? id };
}

const createVolume: AsyncCommand = {
    java: "user.volume.CreateVolumeCmd",
    instanceType: "Volume",
    event: "VOLUME.CREATE",
    submit: submitCreate,
    async act(work) {
        const machineId = work.arguments.virtualmachineid as string | undefined;
        if (machineId === undefined) return;
        const volume = volumeAt(work);
        await work.cloud.hypervisor.attach(machinePlan(work.cloud, machineOf(work, machineId)), {
            ...volumePlan(volume),
            deviceId: freeDevice(work, machineId),
        });
    },
    finish(work) {
        const machineId = work.arguments.virtualmachineid as string | undefined;
        if (machineId === undefined) return volumeResult(work, volumeAt(work));
        return volumeResult(
            work,
            attach(work, volumeAt(work), machineOf(work, machineId), freeDevice(work, machineId)),
        );
    },
    abandon(work) {
        const volume = work.cloud.store.volumes.get(work.job.instanceId);
        if (volume !== undefined && volume.removed === undefined) removeVolume(work.cloud, volume);
    },
};

/** The first free device number after the root volume's 0; CloudStack reserves 3 for the CD drive. */
function freeDevice(work: Work, machineId: string): number {
    const taken = new Set(work.cloud.store.volumes.filter((v) => v.machineId === machineId).map((v) => v.deviceId));
    for (let device = 1; device <= DEVICES; device += 1) if (device !== 3 && !taken.has(device)) return device;
    throw invalid(
        `The specified VM already has the maximum number of data disks (${DEVICES - 1}) attached. Please ` +
            "specify another VM.",
    );
}

function attach(work: Work, volume: Volume, machine: Machine, deviceId: number): Volume {
    return work.cloud.store.volumes.change(volume.id, {
        machineId: machine.id,
        deviceId,
        attached: work.cloud.now(),
        state: "Ready",
    });
}

const attachVolume: AsyncCommand = {
    java: "user.volume.AttachVolumeCmd",
    instanceType: "Volume",
    entity: "volume",
    event: "VOLUME.ATTACH",
    submit(request) {
        const volume = volumeOf(request);
        return { instanceId: volume.id, queue: machineOf(request, request.arguments.virtualmachineid).id };
    },
    begin(work) {
        const volume = volumeAt(work);
        const machine = machineOf(work, work.arguments.virtualmachineid);
        if (volume.type !== "DATADISK") throw invalid("Please specify a data volume");
        if (volume.machineId !== undefined) throw invalid("Please specify a volume that is not attached to any VM.");
        if (volume.zoneId !== machine.zoneId)
            throw invalid("Please specify a VM that is in the same zone as the volume.");
        if (volume.ownerId !== machine.ownerId) throw invalid("Volume and machine belong to different accounts.");
        if (machine.state !== "Running" && machine.state !== "Stopped")
            throw invalid("Please specify a VM that is either running or stopped.");
        const asked = work.arguments.deviceid as number | undefined;
        if (asked === undefined) return freeDevice(work, machine.id);
        if (asked < 1 || asked === 3 || asked > DEVICES)
            throw invalid(`deviceId ${asked} is not available; specify one from 1 to ${DEVICES}, not 3`);
        if (work.cloud.store.volumes.find((v) => v.machineId === machine.id && v.deviceId === asked) !== undefined)
            throw invalid(`deviceId ${asked} is used by another volume`);
        return asked;
    },
    async act(work) {
        const plan = machinePlan(work.cloud, machineOf(work, work.arguments.virtualmachineid));
        await work.cloud.hypervisor.attach(plan, { ...volumePlan(volumeAt(work)), deviceId: work.job.memo as number });
    },
    finish: (work) =>
        volumeResult(
            work,
            attach(work, volumeAt(work), machineOf(work, work.arguments.virtualmachineid), work.job.memo as number),
        ),
};

/** The volume of a detachVolume request: by its id, or by machine and device. */
function toDetach(request: Request): Volume {
    const { id, virtualmachineid, deviceid } = request.arguments;
    if (id !== undefined) {
        if (virtualmachineid !== undefined || deviceid !== undefined)
            throw invalid("Please provide either a volume id, or a tuple(device id, instance id)");
        return volumeOf(request);
    }
    if (virtualmachineid === undefined || deviceid === undefined)
        throw invalid("Please provide either a volume id, or a tuple(device id, instance id)");
    const machine = machineOf(request, virtualmachineid);
    const volume = request.cloud.store.volumes.find((v) => v.machineId === machine.id && v.deviceId === deviceid);
    if (volume === undefined) throw invalid(`Unable to find a volume at device ${deviceid} of machine ${machine.id}`);
    return volumeOf(request, volume.id);
}

const detachVolume: AsyncCommand = {
    java: "user.volume.DetachVolumeCmd",
    instanceType: "Volume",
    entity: "volume",
    event: "VOLUME.DETACH",
    submit(request) {
        const volume = toDetach(request);
        return { instanceId: volume.id, queue: queueOf(volume) };
    },
    begin(work) {
        const volume = volumeAt(work);
        if (volume.machineId === undefined) throw invalid("The specified volume is not attached to a VM.");
        if (volume.type !== "DATADISK")
            throw invalid("Please specify a data volume; a root volume cannot be detached here.");
    },
    async act(work) {
        const volume = volumeAt(work);
        const machine = work.cloud.store.machines.need(volume.machineId!);
        await work.cloud.hypervisor.detach(machinePlan(work.cloud, machine), volumePlan(volume));
    },
    finish: (work) => volumeResult(work, markDetached(work.cloud, volumeAt(work))),
};

const resizeVolume: AsyncCommand = {
    java: "user.volume.ResizeVolumeCmd",
    instanceType: "Volume",
    entity: "volume",
    event: "VOLUME.RESIZE",
    submit(request) {
        const volume = volumeOf(request);
        return { instanceId: volume.id, queue: queueOf(volume) };
    },
    begin(work) {
        const volume = volumeAt(work);
        const { size, diskofferingid, shrinkok } = work.arguments;
        const offering = work.cloud.store.diskOfferings.get(diskofferingid ?? volume.diskOfferingId);
        if (size === undefined && diskofferingid === undefined)
            throw invalid("Either a new disk offering or a new size is needed");
        if (offering !== undefined && offering.sizeGiB !== 0 && size !== undefined)
            throw invalid("To resize a volume of a fixed disk offering, give another disk offering");
        const sizeGiB =
            offering === undefined || offering.sizeGiB === 0 ? customSize(size ?? volume.sizeGiB) : offering.sizeGiB;
        if (sizeGiB < volume.sizeGiB && (shrinkok !== true || volume.type === "ROOT")) {
            throw invalid(
                `Going from existing size of ${volume.sizeGiB * 2 ** 30} to size of ${sizeGiB * 2 ** 30} would ` +
                    "shrink the volume." +
                    "Need to sign off by supplying the shrinkok parameter with value of true.",
            );
        }
        checkLimits(work.cloud, work.cloud.store.accounts.need(volume.ownerId), {
            primary_storage: Math.max(0, sizeGiB - volume.sizeGiB),
        });
        return { sizeGiB, diskOfferingId: offering?.id };
    },
    act(work) {
        const volume = volumeAt(work);
        const machine = work.cloud.store.machines.get(volume.machineId);
        const plan = { ...volumePlan(volume), sizeGiB: (work.job.memo as { sizeGiB: number }).sizeGiB };
        return work.cloud.hypervisor.resize(plan, machine && machinePlan(work.cloud, machine));
    },
    finish: (work) =>
        volumeResult(
            work,
            work.cloud.store.volumes.change(
                volumeAt(work).id,
                work.job.memo as Pick<Volume, "sizeGiB" | "diskOfferingId">,
            ),
        ),
};

function deleteVolume(request: Request): object {
    const volume = volumeOf(request);
    if (volume.machineId !== undefined) throw invalid("Please specify a volume that is not attached to any VM.");
    if (volume.deleteProtection)
        throw invalid(
            `Volume [id = ${volume.id}, name = ${volume.name}] has delete protection enabled and cannot be deleted.`,
        );
    removeVolume(request.cloud, volume);
    // Not awaited, since the command is synchronous; a failure leaves the volume's file behind.
    void request.cloud.hypervisor.deleteVolume(volume.id).catch(() => undefined);
    return { success: true };
}

function listVolumes(request: Request): object {
    const { cloud, arguments: given } = request;
    const inScope = scopeOf(request);
    const volumes = cloud.store.volumes.filter(
        (v) =>
            v.removed === undefined &&
            inScope(v.ownerId) &&
            matches(v.id, given.id) &&
            (given.ids === undefined || given.ids.includes(v.id)) &&
            equalsName(v.name, given.name) &&
            contains(v.name, given.keyword) &&
            equalsName(v.type, given.type) &&
            equalsName(v.state, given.state) &&
            matches(v.zoneId, given.zoneid) &&
            matches(v.machineId, given.virtualmachineid) &&
            matches(v.diskOfferingId, given.diskofferingid) &&
            hasTags(cloud, v.id, given.tags),
    );
    return page(request, "volume", volumes, (volume) => volumeAnswer(cloud, volume));
}

const updateVolume: AsyncCommand = {
    java: "user.volume.UpdateVolumeCmd",
    instanceType: "Volume",
    entity: "volume",
    event: "VOLUME.UPDATE",
    submit(request) {
        if (request.arguments.id === undefined) throw failed("Unable to find volume: id is missing");
        const volume = volumeOf(request);
        return { instanceId: volume.id, queue: queueOf(volume) };
    },
    finish(work) {
        const volume = volumeAt(work);
        const { name, deleteprotection } = work.arguments;
        return volumeResult(
            work,
            work.cloud.store.volumes.change(volume.id, {
                name: name ?? volume.name,
                deleteProtection: deleteprotection ?? volume.deleteProtection,
            }),
        );
    },
};

export const volumeCommands: Commands = {
    createVolume,
    attachVolume,
    detachVolume,
    resizeVolume,
    updateVolume,
    deleteVolume: { entity: "volume", event: "VOLUME.DELETE", run: deleteVolume },
    listVolumes: { entity: "volume", run: listVolumes },
};
