import * as pulumi from "@pulumi/pulumi";
import type { ApiTemplate, ApiZone, Session } from "../session";
import { pick } from "../session";
import { nearestNames } from "../nearest";
import type { LookupScope } from "./lookup";
import { lookup, outputTwin } from "./lookup";

/** The same arguments as inputs. */
type AsInputs<A> = { [K in keyof A]: pulumi.Input<A[K]> };

export interface GetZoneArgs extends LookupScope {
    /** The zone's name or id. @default `cloudstack:zone`, or the only zone that there is */
    name?: string;
}

export interface GetZoneResult {
    /** CloudStack's id of the zone. */
    id: string;
    /** The zone's name. */
    name: string;
    /** `Advanced` or `Basic`. */
    networkType: string;
    /** Whether the zone has security groups. */
    securityGroupsEnabled: boolean;
}

/**
 * A zone.
 *
 * @example
 * ```ts
 * const zone = await cloudstack.getZone({ name: "zone-1" });
 * ```
 * @throws when there is no such zone; the message offers the nearest names
 */
export async function getZone(args: GetZoneArgs = {}): Promise<GetZoneResult> {
    return lookup(findZone)(args);
}

/** {@link getZone} with outputs as arguments. */
export const getZoneOutput: (args: AsInputs<GetZoneArgs>) => pulumi.Output<GetZoneResult> = outputTwin(getZone);

async function findZone(session: Session, args: GetZoneArgs): Promise<GetZoneResult> {
    const zone = await zoneOf(session, args.name);
    return {
        id: zone.id,
        name: zone.name,
        networkType: zone.networktype,
        securityGroupsEnabled: zone.securitygroupsenabled,
    };
}

export interface GetTemplateArgs extends LookupScope {
    /** The template's name or id. Set this, `nameRegex` or another filter. */
    name?: string;
    /** A regular expression that the whole name matches, such as `debian-13-.*`. */
    nameRegex?: string;
    /** The zone's name or id. @default `cloudstack:zone`, or the only zone that there is */
    zone?: string;
    /** Which hypervisor it is for, such as `KVM`. @default any */
    hypervisor?: string;
    /** The processor's architecture, as CloudStack spells it: `x86_64` or `aarch64`. @default any @example "aarch64" */
    arch?: string;
    /** Only templates that the cloud features. @default false */
    featured?: boolean;
    /** Only templates with all of these tags. @default none @example { release: "stable" } */
    tags?: Record<string, string>;
    /**
     * Whether the newest of several templates is used; with `false`, several are an error that lists them.
     * @default true
     */
    newest?: boolean;
}

export interface GetTemplateResult {
    /** CloudStack's id of the template. */
    id: string;
    /** The template's name, which need not be unique. */
    name: string;
    /** The text that CloudStack shows for it. */
    displayText: string;
    /** When it was registered (ISO 8601). */
    created: string;
    /** The hypervisor that it is for, such as `KVM`. */
    hypervisor: string;
    /** The processor's architecture: `x86_64` or `aarch64`. */
    arch: string;
    /** The operating system type that it is registered with, such as `Debian GNU/Linux 13 (64-bit)`. */
    osType: string;
    /** Whether CloudStack generates a password for each machine. */
    passwordEnabled: boolean;
    /** The size of a root disk in GiB. */
    sizeGiB: number;
}

/**
 * A ready template of a zone: by name, by filters, the newest of several.
 *
 * @example The newest Debian 13 of this cloud
 * ```ts
 * const template = await cloudstack.getTemplate({ nameRegex: "debian-13.*", featured: true });
 * ```
 * @throws when no template matches; the message offers the nearest names
 */
export async function getTemplate(args: GetTemplateArgs): Promise<GetTemplateResult> {
    return lookup(findTemplate)(args);
}

/** {@link getTemplate} with outputs as arguments. */
export const getTemplateOutput: (args: AsInputs<GetTemplateArgs>) => pulumi.Output<GetTemplateResult> =
    outputTwin(getTemplate);

async function findTemplate(session: Session, args: GetTemplateArgs): Promise<GetTemplateResult> {
    const zone = await zoneOf(session, args.zone);
    const here = (await session.catalogue.templates()).filter(
        (template) => template.isready && (template.zoneid ?? zone.id) === zone.id,
    );
    const matching = here
        .filter((template) => matches(template, args))
        .sort((a, b) => (a.created < b.created ? 1 : -1));
    const wanted = args.name ?? args.nameRegex ?? "";
    if (matching.length === 0) {
        const near = nearestNames(
            wanted,
            here.map((template) => template.name),
        ).map((name) => `"${name}"`);
        throw new Error(
            `no template in zone ${zone.name} matches ${JSON.stringify(args)}: ${near.length === 0 ? "it has none" : `did you mean ${near.join(", ")}?`}`,
        );
    }
    if (matching.length > 1 && args.newest === false) {
        throw new Error(
            `${matching.length} templates in zone ${zone.name} match ${JSON.stringify(args)}: ${matching.map(({ name, created, id }) => `${name} of ${created} (${id})`).join(", ")}`,
        );
    }
    const [template] = matching;
    return {
        id: template.id,
        name: template.name,
        displayText: template.displaytext ?? template.name,
        created: template.created,
        hypervisor: template.hypervisor ?? "",
        arch: template.arch ?? "",
        osType: template.ostypename ?? "",
        passwordEnabled: template.passwordenabled ?? false,
        sizeGiB: (template.size ?? 0) / 2 ** 30,
    };
}

export interface GetServiceOfferingArgs extends LookupScope {
    /** The offering's name or id. Set this or the minimum size. */
    name?: string;
    /** The minimum number of processors. The smallest matching offering is used. @default any */
    leastCpuNumber?: number;
    /** The minimum memory in MiB. The smallest matching offering is used. @default any @example 2048 */
    leastMemoryMiB?: number;
}

export interface GetServiceOfferingResult {
    /** CloudStack's id of the offering. */
    id: string;
    /** The offering's name. */
    name: string;
    /** 0 for an offering of custom size. */
    cpuNumber: number;
    /** 0 for an offering of custom size. */
    memoryMiB: number;
    /** Whether machines set their own size with `details`. */
    customized: boolean;
}

/**
 * A service offering: by name, or the smallest that is large enough.
 *
 * @example
 * ```ts
 * const small = await cloudstack.getServiceOffering({ leastCpuNumber: 2, leastMemoryMiB: 2048 });
 * ```
 * @throws when no offering matches; the message offers the nearest names
 */
export async function getServiceOffering(args: GetServiceOfferingArgs): Promise<GetServiceOfferingResult> {
    return lookup(findServiceOffering)(args);
}

/** {@link getServiceOffering} with outputs as arguments. */
export const getServiceOfferingOutput: (
    args: AsInputs<GetServiceOfferingArgs>,
) => pulumi.Output<GetServiceOfferingResult> = outputTwin(getServiceOffering);

async function findServiceOffering(session: Session, args: GetServiceOfferingArgs): Promise<GetServiceOfferingResult> {
    const offerings = await session.catalogue.serviceOfferings();
    const fits = offerings
        .filter(
            (item) =>
                (item.cpunumber ?? 0) >= (args.leastCpuNumber ?? 0) &&
                (item.memory ?? 0) >= (args.leastMemoryMiB ?? 0) &&
                !item.iscustomized,
        )
        .sort((a, b) => (a.memory ?? 0) - (b.memory ?? 0) || (a.cpunumber ?? 0) - (b.cpunumber ?? 0));
    if (args.name === undefined && fits.length === 0) {
        throw new Error(
            `no service offering has ${args.leastCpuNumber ?? 0} processors and ${args.leastMemoryMiB ?? 0} MiB: there are ${offerings.map((item) => `"${item.name}"`).join(", ")}`,
        );
    }
    const offering = args.name === undefined ? fits[0] : pick("service offering", args.name, offerings);
    return {
        id: offering.id,
        name: offering.name,
        cpuNumber: offering.cpunumber ?? 0,
        memoryMiB: offering.memory ?? 0,
        customized: offering.iscustomized ?? false,
    };
}

export interface GetNetworkArgs extends LookupScope {
    /** The network's name or id. @default the zone's only network */
    name?: string;
    /** The zone's name or id. @default `cloudstack:zone`, or the only zone that there is */
    zone?: string;
}

export interface GetNetworkResult {
    /** CloudStack's id of the network. */
    id: string;
    /** The network's name. */
    name: string;
    /** `Shared`, `Isolated` or `L2`. */
    type: string;
    /** Its addresses, such as `10.1.1.0/24`. */
    cidr: string;
    /** The address of its gateway. */
    gateway: string;
    /** Its netmask, such as `255.255.255.0`. */
    netmask: string;
    /** The domain of its machines' names. */
    networkDomain: string;
    /** What the network offers: `SecurityGroup`, `Lb`, `Dns`, … */
    services: string[];
}

/**
 * A network.
 *
 * @example
 * ```ts
 * const network = await cloudstack.getNetwork({ name: "guests" });
 * ```
 * @throws when there is no such network; the message offers the nearest names
 */
export async function getNetwork(args: GetNetworkArgs = {}): Promise<GetNetworkResult> {
    return lookup(findNetwork)(args);
}

/** {@link getNetwork} with outputs as arguments. */
export const getNetworkOutput: (args: AsInputs<GetNetworkArgs>) => pulumi.Output<GetNetworkResult> =
    outputTwin(getNetwork);

async function findNetwork(session: Session, args: GetNetworkArgs): Promise<GetNetworkResult> {
    const zone = await zoneOf(session, args.zone);
    const here = (await session.catalogue.networks()).filter((network) => network.zoneid === zone.id);
    if (args.name === undefined && here.length !== 1) {
        throw new Error(
            `zone ${zone.name} has ${here.length} networks (${here.map((network) => `"${network.name}"`).join(", ")}): give the name of one`,
        );
    }
    const network = args.name === undefined ? here[0] : pick("network", args.name, here, ` in zone ${zone.name}`);
    return {
        id: network.id,
        name: network.name,
        type: network.type,
        cidr: network.cidr ?? "",
        gateway: network.gateway ?? "",
        netmask: network.netmask ?? "",
        networkDomain: network.networkdomain ?? "",
        services: (network.service ?? []).map((service) => service.name),
    };
}

export interface GetSecurityGroupArgs extends LookupScope {
    /** The group's name or id. */
    name: string;
}

export interface GetSecurityGroupResult {
    /** CloudStack's id of the group. */
    id: string;
    /** The group's name. */
    name: string;
    /** The description, without the owner mark of this package. */
    description: string;
}

/**
 * A security group that exists already.
 *
 * @example
 * ```ts
 * const shared = cloudstack.getSecurityGroupOutput({ name: "monitoring" });
 * new cloudstack.VirtualMachine("web", { serviceOffering: "Small", template: "debian-13", securityGroups: [shared.id] });
 * ```
 * @throws when there is no such group; the message offers the nearest names
 */
export async function getSecurityGroup(args: GetSecurityGroupArgs): Promise<GetSecurityGroupResult> {
    return lookup(findSecurityGroup)(args);
}

/** {@link getSecurityGroup} with outputs as arguments. */
export const getSecurityGroupOutput: (args: AsInputs<GetSecurityGroupArgs>) => pulumi.Output<GetSecurityGroupResult> =
    outputTwin(getSecurityGroup);

async function findSecurityGroup(session: Session, args: GetSecurityGroupArgs): Promise<GetSecurityGroupResult> {
    const group = pick("security group", args.name, await session.securityGroups.all());
    return { id: group.id, name: group.name, description: group.description ?? "" };
}

async function zoneOf(session: Session, name: string | undefined): Promise<ApiZone> {
    const wanted = name ?? session.client.settings.zone;
    if (wanted !== undefined) return session.catalogue.zone(wanted);
    const zones = await session.catalogue.zones();
    if (zones.length === 1) return zones[0];
    throw new Error(
        `the cloud has ${zones.length} zones (${zones.map((zone) => `"${zone.name}"`).join(", ")}): name one, or set cloudstack:zone`,
    );
}

function matches(template: ApiTemplate, args: GetTemplateArgs): boolean {
    const tags = Object.fromEntries((template.tags ?? []).map(({ key, value }) => [key, value]));
    return (
        (args.name === undefined || template.name === args.name || template.id === args.name) &&
        (args.nameRegex === undefined || new RegExp(`^(?:${args.nameRegex})$`).test(template.name)) &&
        (args.hypervisor === undefined || template.hypervisor?.toLowerCase() === args.hypervisor.toLowerCase()) &&
        (args.arch === undefined || template.arch === args.arch) &&
        (args.featured !== true || template.isfeatured === true) &&
        Object.entries(args.tags ?? {}).every(([key, value]) => tags[key] === value)
    );
}
