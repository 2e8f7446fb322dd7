/** What the cloud offers: zones, templates, offerings, hypervisors, operating systems. */
import { timestamp } from "../../cloud";
import type { DiskOffering, ServiceOffering, Template, Zone } from "../../state/records";
import { networkOfferingAnswer } from "../answers/network";
import type { Commands, Request } from "../command";
import { DOMAIN } from "../entities";
import { invalid } from "../errors";
import { contains, matches, equalsName, page } from "../lists";

const HYPERVISORS = ["KVM", "VMware", "XenServer", "Hyperv", "BareMetal", "Ovm", "LXC", "Ovm3", "External"];

const TEMPLATE_FILTERS = ["featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all"];

function zoneAnswer(zone: Zone): object {
    return {
        id: zone.id,
        name: zone.name,
        networktype: "Advanced",
        securitygroupsenabled: zone.securityGroups,
        gputotal: 0,
        gpuused: 0,
        allocationstate: "Enabled",
        zonetoken: zone.token,
        dhcpprovider: "VirtualRouter",
        localstorageenabled: false,
        tags: [],
        allowuserspecifyvrmtu: false,
        routerprivateinterfacemaxmtu: 1500,
        routerpublicinterfacemaxmtu: 1500,
        type: "Core",
        isnsxenabled: false,
        ismultiarch: false,
        asnrange: "",
        routedmodeenabled: true,
        hasannotations: false,
    };
}

function listZones(request: Request): object {
    const { id, ids, name, keyword, networktype } = request.arguments;
    const zones = request.cloud.store.zones.filter(
        (z) =>
            z.retired !== true &&
            matches(z.id, id) &&
            (ids === undefined || ids.includes(z.id)) &&
            equalsName(z.name, name) &&
            contains(z.name, keyword) &&
            equalsName("Advanced", networktype),
    );
    return page(request, "zone", zones, zoneAnswer);
}

function templateAnswer(request: Request, template: Template, zone: Zone): object {
    const { store } = request.cloud;
    const bytes = template.sizeGiB * 2 ** 30;
    return {
        id: template.id,
        name: template.name,
        displaytext: template.displayText,
        ispublic: true,
        created: timestamp(template.created),
        isready: true,
        passwordenabled: template.passwordEnabled,
        format: "QCOW2",
        isfeatured: true,
        crossZones: true,
        ostypeid: template.osTypeId,
        ostypename: store.osTypes.need(template.osTypeId).name,
        account: "system",
        zoneid: zone.id,
        zonename: zone.name,
        size: bytes,
        physicalsize: bytes,
        templatetype: "USER",
        hypervisor: "KVM",
        domain: DOMAIN.name,
        domainpath: DOMAIN.name,
        domainid: DOMAIN.id,
        isextractable: false,
        checksum: "",
        details: {},
        downloaddetails: [{ downloadState: "DOWNLOADED", datastore: "secondary", downloadPercent: "100" }],
        arch: "x86_64",
        bits: 0,
        sshkeyenabled: true,
        isdynamicallyscalable: false,
        directdownload: false,
        deployasis: false,
        forcks: false,
        requireshvm: false,
        tags: [],
        hasannotations: false,
    };
}

/** A template is listed once per zone. */
function listTemplates(request: Request): object {
    const { store } = request.cloud;
    const { id, ids, name, keyword, zoneid, templatefilter, hypervisor, tags } = request.arguments;
    if (!TEMPLATE_FILTERS.includes(templatefilter.toLowerCase()))
        throw invalid("Please specify a valid template filter.");
    if (templatefilter.toLowerCase() === "all" && !request.caller.isAdmin)
        throw invalid("Filter all can be specified by admin only");
    // All templates are public, featured ones of the system, so filters for the caller's own templates match none.
    const shown =
        !["self", "selfexecutable", "sharedexecutable"].includes(templatefilter.toLowerCase()) &&
        (tags ?? []).length === 0;
    const entries = store.templates
        .filter(
            (t) =>
                shown &&
                t.retired !== true &&
                matches(t.id, id) &&
                (ids === undefined || ids.includes(t.id)) &&
                equalsName(t.name, name) &&
                contains(t.name, keyword) &&
                equalsName("KVM", hypervisor),
        )
        .flatMap((template) =>
            template.zoneIds
                .filter((zone) => matches(zone, zoneid))
                .map((zone) => ({ template, zone: store.zones.need(zone) })),
        );
    return page(request, "template", entries, ({ template, zone }) => templateAnswer(request, template, zone));
}

function serviceOfferingAnswer(offering: ServiceOffering): object {
    return {
        id: offering.id,
        name: offering.name,
        state: "Active",
        displaytext: offering.name,
        ...offeredSize(offering),
        created: timestamp(offering.created),
        storagetype: "shared",
        provisioningtype: "thin",
        offerha: false,
        limitcpuuse: false,
        isvolatile: false,
        issystem: false,
        defaultuse: false,
        iscustomized: offering.bounds !== undefined,
        rootdisksize: 0,
        dynamicscalingenabled: true,
        diskofferingstrictness: false,
        diskofferingid: offering.diskOfferingId,
        diskofferingname: offering.name,
        diskofferingdisplaytext: offering.name,
        encryptroot: false,
        gpudisplay: false,
        hasannotations: false,
    };
}

/** CPU and memory of a fixed offering, the bounds of a constrained one, no fields for an unconstrained one. */
function offeredSize({ bounds, cpuNumber, cpuSpeed, memory }: ServiceOffering): object {
    if (bounds === undefined) return { cpunumber: cpuNumber, cpuspeed: cpuSpeed, memory };
    if (cpuSpeed === undefined) return {};
    const { minCpu, maxCpu, minMemory, maxMemory } = bounds;
    return {
        cpuspeed: cpuSpeed,
        serviceofferingdetails: {
            mincpunumber: String(minCpu),
            maxcpunumber: String(maxCpu),
            minmemory: String(minMemory),
            maxmemory: String(maxMemory),
        },
    };
}

function listServiceOfferings(request: Request): object {
    const { store } = request.cloud;
    const { id, name, keyword, cpunumber, memory, issystem, virtualmachineid } = request.arguments;
    const machine = store.machines.get(virtualmachineid);
    const offerings = store.serviceOfferings.filter(
        (o) =>
            issystem !== true &&
            o.retired !== true &&
            matches(o.id, id) &&
            equalsName(o.name, name) &&
            contains(o.name, keyword) &&
            matches(o.cpuNumber, cpunumber) &&
            matches(o.memory, memory) &&
            // With a machine: the offerings that it could be changed to.
            (machine === undefined || o.id !== machine.serviceOfferingId || o.bounds !== undefined),
    );
    return page(request, "serviceoffering", offerings, serviceOfferingAnswer);
}

function diskOfferingAnswer(offering: DiskOffering): object {
    return {
        id: offering.id,
        name: offering.name,
        state: "Active",
        displaytext: offering.displayText,
        disksize: offering.sizeGiB,
        created: timestamp(offering.created),
        iscustomized: offering.sizeGiB === 0,
        storagetype: "shared",
        provisioningtype: "thin",
        displayoffering: true,
        disksizestrictness: false,
        encrypt: false,
        hasannotations: false,
    };
}

function listDiskOfferings(request: Request): object {
    const { id, name, keyword } = request.arguments;
    const offerings = request.cloud.store.diskOfferings.filter(
        (o) => o.retired !== true && matches(o.id, id) && equalsName(o.name, name) && contains(o.name, keyword),
    );
    return page(request, "diskoffering", offerings, diskOfferingAnswer);
}

function listNetworkOfferings(request: Request): object {
    const { id, name, keyword, guestiptype, state, forvpc, supportedservices } = request.arguments;
    const offerings = request.cloud.store.networkOfferings.filter(
        (o) =>
            matches(o.id, id) &&
            equalsName(o.name, name) &&
            contains(o.name, keyword) &&
            equalsName(o.guestType, guestiptype) &&
            equalsName("Enabled", state) &&
            forvpc !== true &&
            (supportedservices ?? []).every(
                (service: string) => service !== "SecurityGroup" || o.guestType === "Shared",
            ),
    );
    return page(request, "networkoffering", offerings, networkOfferingAnswer);
}

function listOsCategories(request: Request): object {
    const { id, name, keyword } = request.arguments;
    const categories = request.cloud.store.osCategories.filter(
        (c) => matches(c.id, id) && equalsName(c.name, name) && contains(c.name, keyword),
    );
    return page(request, "oscategory", categories, (c) => ({ id: c.id, name: c.name, isfeatured: true }));
}

function listOsTypes(request: Request): object {
    const { store } = request.cloud;
    const { id, oscategoryid, keyword, description } = request.arguments;
    const types = store.osTypes.filter(
        (t) =>
            matches(t.id, id) &&
            matches(t.categoryId, oscategoryid) &&
            contains(t.name, keyword) &&
            equalsName(t.name, description),
    );
    return page(request, "ostype", types, (t) => ({
        id: t.id,
        name: t.name,
        oscategoryid: t.categoryId,
        oscategoryname: store.osCategories.need(t.categoryId).name,
        description: t.name,
        isuserdefined: false,
    }));
}

export const catalogueCommands: Commands = {
    listZones: { entity: "zone", run: listZones },
    listTemplates: { entity: "template", run: listTemplates },
    listServiceOfferings: { entity: "serviceOffering", run: listServiceOfferings },
    listDiskOfferings: { entity: "diskOffering", run: listDiskOfferings },
    listNetworkOfferings: { entity: "networkOffering", run: listNetworkOfferings },
    listOsCategories: { entity: "osCategory", run: listOsCategories },
    listOsTypes: { entity: "osType", run: listOsTypes },
    listHypervisors: {
        run: (request) =>
            page(request, "hypervisor", request.arguments.zoneid === undefined ? HYPERVISORS : ["KVM"], (name) => ({
                name,
            })),
    },
};
