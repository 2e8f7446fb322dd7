/** Volumes in answers. */
import { timestamp, type Cloud } from "../../cloud";
import type { Volume } from "../../state/records";
import { ownerFields } from "../ownership";
import { nestedTagAnswer, tagsOf } from "./tags";

const GIB = 2 ** 30;

function machineFields(cloud: Cloud, volume: Volume): object {
    const machine = cloud.store.machines.get(volume.machineId);
    if (machine === undefined) return {};
    const template = volume.type === "ROOT" ? cloud.store.templates.need(machine.templateId) : undefined;
    return {
        deviceid: volume.deviceId,
        virtualmachineid: machine.id,
        ...(template === undefined
            ? {}
            : { templateid: template.id, templatename: template.name, templatedisplaytext: template.displayText }),
        vmname: machine.name,
        vmdisplayname: machine.displayName,
        vmstate: machine.state,
        vmtype: "User",
    };
}

/** A root volume has the fields of its machine's service offering, with its internal number as id, as in CloudStack. */
function offeringFields(cloud: Cloud, volume: Volume): object {
    const machine = volume.type === "ROOT" ? cloud.store.machines.get(volume.machineId) : undefined;
    if (machine === undefined) return {};
    const offering = cloud.store.serviceOfferings.need(machine.serviceOfferingId);
    return {
        serviceofferingid: String(offering.number),
        serviceofferingname: offering.name,
        serviceofferingdisplaytext: offering.name,
    };
}

function diskOfferingFields(cloud: Cloud, volume: Volume): object {
    const offering = cloud.store.diskOfferings.get(volume.diskOfferingId);
    return offering === undefined
        ? {}
        : {
              diskofferingid: offering.id,
              diskofferingname: offering.name,
              diskofferingdisplaytext: offering.displayText,
          };
}

export function volumeAnswer(cloud: Cloud, volume: Volume): object {
    const zone = cloud.store.zones.need(volume.zoneId);
    const attached = volume.machineId !== undefined;
    return {
        id: volume.id,
        name: volume.name,
        zoneid: zone.id,
        zonename: zone.name,
        type: volume.type,
        ...machineFields(cloud, volume),
        provisioningtype: "thin",
        size: volume.sizeGiB * GIB,
        created: timestamp(volume.created),
        state: volume.state,
        ...ownerFields({ cloud }, volume.ownerId),
        ...(attached ? { diskkbsread: 0, diskkbswrite: 0, diskioread: 0, diskiowrite: 0 } : {}),
        ...diskOfferingFields(cloud, volume),
        ...(volume.attached === undefined ? {} : { attached: timestamp(volume.attached) }),
        destroyed: false,
        ...offeringFields(cloud, volume),
        isextractable: volume.type === "DATADISK",
        quiescevm: false,
        supportsstoragesnapshot: false,
        deleteprotection: volume.deleteProtection,
        tags: tagsOf(cloud, volume.id).map((tag) => nestedTagAnswer(cloud, tag)),
        hasannotations: false,
    };
}
