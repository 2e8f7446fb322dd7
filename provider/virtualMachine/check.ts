import { toNumber } from "../addresses";
import * as net from "node:net";
import { claim } from "../claims";
import type { Inputs } from "../handler";
import { hasUnknown, isUnknown, same } from "../handler";
import { formerOf, isFormer } from "../identity";
import { markWithoutDigest } from "../marks";
import type { Problems } from "../lifecycle";
import { isInState, say } from "../lifecycle";
import { checkLimits } from "../limits";
import { isKept, resolveReference } from "../references";
import type { ApiMachine, ApiNetwork, ApiNic, Session } from "../session";
import { isId, sessionFor } from "../session";
import type { ZonePlace } from "../zone";
import { checkZone } from "../zone";
import { checkTags } from "../tags";
import { checkLists } from "./lists";
import { isDestroyed } from "./outputs";
import { adoptionRefusal } from "./adopt";
import { keepStable, withoutStable } from "./stable";
import { encodedUserData, isBase64 } from "./userData";

/** CloudStack's default of `vm.userdata.max.length`, in characters of base64. */
const USER_DATA_MAX_LENGTH = 32_768;

/** What a machine uses of its account's limits, as far as a preview knows. */
interface Size {
    cpuNumber?: number;
    memoryMiB?: number;
    rootDiskGiB?: number;
}

/** Fills in defaults and reports all invalid arguments of a machine, including those that the cloud does not offer. */
export async function checkMachine(problems: Problems, inputs: Inputs, given: Inputs | undefined): Promise<void> {
    const olds = given === undefined ? undefined : withoutStable(given);
    checkShape(problems, inputs, olds);
    const session = sessionFor(inputs);
    const zone = await checkZone(problems, inputs, olds, session);
    const [offered, rootDiskGiB, networkId] = await Promise.all([
        checkOffering(problems, inputs, olds, session),
        zone === undefined ? undefined : checkTemplate(problems, inputs, olds, session, zone),
        zone === undefined ? undefined : checkNetwork(problems, inputs, olds, session, zone),
    ]);
    await checkLists(problems, inputs, olds, session);
    if (zone !== undefined) claimNameAndAddress(problems, inputs, session, zone, networkId);
    if (olds === undefined && zone !== undefined) {
        await announceAdoption(inputs, session);
        await checkNameAndAddressAreFree(problems, inputs, session, zone, networkId);
        await checkLimit(problems, inputs, { ...offered, rootDiskGiB }, session);
    }
    if (given !== undefined) await keepStable(inputs, given, session);
}

/** The checks that need no API call. */
export function checkShape(problems: Problems, inputs: Inputs, olds: Inputs | undefined): void {
    const name = problems.requiredString(inputs, "name", "give a host name");
    if (name !== undefined) checkHostName(problems, "name", name);
    for (const property of ["displayName", "group", "ipAddress"]) problems.optionalString(inputs, property);
    problems.optionalName(inputs, "network");
    checkTags(problems, inputs);
    problems.map(inputs, "details", DETAIL_LENGTH);
    checkDetails(problems, inputs);
    problems.names(inputs, "sshKeyPairs", "the whole name of an SSH key pair (key.name of an SshKeyPair)");
    for (const property of ["running", "allowRestart", "allowDataLoss", "deleteProtection"])
        problems.boolean(inputs, property);
    problems.ids(
        inputs,
        "securityGroups",
        "the id of a SecurityGroup (group.id), or getSecurityGroupOutput({ name }).id",
    );
    problems.ids(inputs, "affinityGroups", "the id of an AffinityGroup (group.id)");
    problems.oneOf(inputs, "onUserDataChange", ["ignore", "update", "restart", "reinstall", "replace"]);
    problems.oneOf(inputs, "onTemplateChange", ["replace", "reinstall"]);
    problems.integer(inputs, "rootDiskSizeGiB", 1, 65_536, "GiB");
    problems.integer(inputs, "maxUnavailable", 1, 10_000, "machines");
    problems.integer(inputs, "userDataMaxLength", 1, 1_048_576, "characters");
    problems.timeouts(inputs);
    checkUserData(problems, inputs);
    const size = inputs.rootDiskSizeGiB;
    if (typeof size === "number" && typeof olds?.rootDiskSizeGiB === "number" && size < olds.rootDiskSizeGiB) {
        problems.add(
            "rootDiskSizeGiB",
            `cannot shrink from ${olds.rootDiskSizeGiB} to ${size}: CloudStack only grows root disks; replace the machine instead`,
        );
    }
    const address = inputs.ipAddress;
    if (typeof address === "string" && !isUnknown(address) && !net.isIPv4(address))
        problems.add("ipAddress", `"${address}" is not an IPv4 address`);
}

/** The longest value of a machine's detail that CloudStack's database stores, in characters. */
const DETAIL_LENGTH = 5120;

/** Details that this package or CloudStack writes. */
const RESERVED_DETAILS = ["owner", "deployvm"];

function checkDetails(problems: Problems, inputs: Inputs): void {
    if (inputs.details === null || typeof inputs.details !== "object") return;
    for (const key of RESERVED_DETAILS.filter((reserved) => reserved in inputs.details))
        problems.add(`details.${key}`, "is reserved: choose another key");
}

function checkHostName(problems: Problems, property: string, name: string): void {
    if (/^[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name)) return;
    problems.add(
        property,
        `"${name}" is not a host name: 1 to 63 letters, digits and hyphens, a letter first, no hyphen last`,
    );
}

function checkUserData(problems: Problems, inputs: Inputs): void {
    for (const property of ["userData", "userDataBase64"]) {
        const value = inputs[property];
        if (value !== undefined && typeof value !== "string") problems.add(property, "must be a string");
    }
    if (inputs.userData !== undefined && inputs.userDataBase64 !== undefined) {
        problems.add("userDataBase64", "cannot be set together with userData: set one of them");
    }
    const base64 = inputs.userDataBase64;
    if (typeof base64 === "string" && !isUnknown(base64) && !isBase64(base64))
        problems.add("userDataBase64", "is not base64");
    if (isUnknown(inputs.userData) || isUnknown(base64)) return;
    const length = encodedUserData(inputs)?.length ?? 0;
    const most = inputs.userDataMaxLength ?? USER_DATA_MAX_LENGTH;
    if (typeof most === "number" && length > most) {
        problems.add(
            inputs.userData === undefined ? "userDataBase64" : "userData",
            `is ${length} characters of base64, but CloudStack allows at most ${most} (setting vm.userdata.max.length): shorten it, gzip it ` +
                "(userDataBase64), or raise userDataMaxLength where the cloud allows more",
        );
    }
}

/** @returns the size, where it is known */
async function checkOffering(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
): Promise<Size> {
    const text = problems.requiredString(
        inputs,
        "serviceOffering",
        "give the name of a service offering, such as those that getServiceOffering finds",
    );
    const { catalogue } = session;
    const id = await resolveReference(problems, inputs, olds, "serviceOffering", (name) =>
        catalogue.serviceOffering(name),
    );
    if (text === undefined || id === undefined) return {};
    if (isKept(inputs, olds, "serviceOffering") && same(inputs.details, olds?.details)) return {};
    const offering = (await catalogue.serviceOfferings()).find((item) => item.id === id);
    if (offering === undefined || hasUnknown(inputs.details)) return {};
    if (offering.iscustomized !== true || offering.cpunumber !== undefined)
        return { cpuNumber: offering.cpunumber, memoryMiB: offering.memory };
    const asked = ["cpuNumber", "memory", ...(offering.cpuspeed === undefined ? ["cpuSpeed"] : [])];
    const missing = asked.filter((key) => inputs.details?.[key] === undefined);
    if (missing.length > 0) {
        problems.add(
            "details",
            `must set ${missing.join(" and ")} for custom offering "${text}", as strings (memory in MiB, cpuSpeed in MHz)`,
        );
    }
    const { cpuNumber, memory } = inputs.details ?? {};
    checkBounds(problems, "details.cpuNumber", cpuNumber, offering.serviceofferingdetails, [
        "mincpunumber",
        "maxcpunumber",
    ]);
    checkBounds(problems, "details.memory", memory, offering.serviceofferingdetails, ["minmemory", "maxmemory"]);
    return { cpuNumber: Number(cpuNumber) || undefined, memoryMiB: Number(memory) || undefined };
}

function checkBounds(
    problems: Problems,
    path: string,
    value: unknown,
    bounds: Record<string, string> | undefined,
    [least, most]: [string, string],
): void {
    if (typeof value !== "string" || bounds?.[least] === undefined) return;
    if (Number(value) >= Number(bounds[least]) && Number(value) <= Number(bounds[most])) return;
    problems.add(path, `"${value}" is not a number from ${bounds[least]} to ${bounds[most]}, as the offering requires`);
}

/** @returns the size of a new root disk in GiB, where it is known */
async function checkTemplate(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
    zone: ZonePlace,
): Promise<number | undefined> {
    const text = problems.requiredString(
        inputs,
        "template",
        "give the name of a template, such as those that getTemplate finds",
    );
    const { catalogue } = session;
    const id = await resolveReference(problems, inputs, olds, "template", (name) => catalogue.template(name, zone));
    if (isKept(inputs, olds, "template")) {
        if (olds?.templateSizeGiB !== undefined) inputs.templateSizeGiB = olds.templateSizeGiB;
        return undefined;
    }
    if (text === undefined || id === undefined) return undefined;
    const template = (await catalogue.templates()).find((item) => item.id === id);
    const size = (template?.size ?? 0) / 2 ** 30;
    // A later change that erases the disk reports its size.
    if (size > 0) inputs.templateSizeGiB = size;
    if (olds !== undefined) return undefined;
    const wanted = inputs.rootDiskSizeGiB;
    if (typeof wanted !== "number") return size === 0 ? undefined : size;
    if (wanted < size)
        problems.add(
            "rootDiskSizeGiB",
            `${wanted} is less than the size of template "${text}", ${Math.ceil(size)} GiB`,
        );
    return wanted;
}

/** @returns the network's id, where it is known */
async function checkNetwork(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    session: Session,
    zone: ZonePlace,
): Promise<string | undefined> {
    const kept = (property: string) => olds !== undefined && same(inputs[property], olds[property]);
    if (!["zone", "securityGroups", "network"].every(kept)) await checkKindOfZone(problems, inputs, session, zone);
    if (isUnknown(inputs.network)) return undefined;
    const networks = () => session.catalogue.networks();
    if (inputs.network === undefined) {
        if (inputs.ipAddress === undefined) return undefined;
        // CloudStack chooses one of the zone's networks with security groups. It is known if there is only one.
        const shared = (await networks()).filter((item) => item.zoneid === zone.id && item.type === "Shared");
        if (shared.length === 1 && !["zone", "ipAddress"].every(kept)) checkAddress(problems, inputs, shared[0]);
        return undefined;
    }
    const id = await resolveReference(problems, inputs, olds, "network", async (text) => {
        // A network that this program creates may not be in the list yet, so its id is not looked up.
        if (isId(text) && !(await networks()).some((known) => known.id === text)) return { id: text };
        return session.catalogue.network(text, zone);
    });
    if (["network", "ipAddress"].every(kept)) return id;
    const network = (await networks()).find((item) => item.id === id);
    if (network !== undefined) checkAddress(problems, inputs, network);
    return id;
}

/** Reports arguments that a zone without security groups does not support, or that it requires. */
async function checkKindOfZone(problems: Problems, inputs: Inputs, session: Session, { id }: ZonePlace): Promise<void> {
    const zone = (await session.catalogue.zones()).find((item) => item.id === id);
    if (zone === undefined || zone.securitygroupsenabled) return;
    if (!isUnknown(inputs.securityGroups) && inputs.securityGroups?.length > 0) {
        problems.add(
            "securityGroups",
            `cannot be used in zone ${zone.name}, which has no security groups: leave them out and use the network's firewall`,
        );
    }
    if (inputs.network !== undefined) return;
    const names = (await session.catalogue.networks())
        .filter((network) => network.zoneid === zone.id)
        .map((network) => `"${network.name}"`);
    problems.add(
        "network",
        `is required in zone ${zone.name}: ${names.length === 0 ? "it has none yet" : `it has ${names.join(", ")}`}`,
    );
}

/** Reports invalid addresses, because CloudStack only answers "Internal error executing command" to them. */
function checkAddress(problems: Problems, inputs: Inputs, network: ApiNetwork): void {
    const address = inputs.ipAddress;
    if (typeof address !== "string" || network.cidr === undefined || !net.isIPv4(address)) return;
    const [base, bits] = network.cidr.split("/");
    const block = new net.BlockList();
    block.addSubnet(base, Number(bits));
    if (!block.check(address))
        problems.add("ipAddress", `${address} is outside of network ${network.name} (${network.cidr})`);
    else if (isFirstOrLast(address, Number(bits)))
        problems.add(
            "ipAddress",
            `${address} is the network or broadcast address of network ${network.name} (${network.cidr})`,
        );
    if (address === network.gateway) problems.add("ipAddress", `${address} is the gateway of network ${network.name}`);
}

/** Whether this is the network address or the broadcast address. */
function isFirstOrLast(address: string, bits: number): boolean {
    const hosts = 2 ** (32 - bits);
    const host = toNumber(address) % hosts;
    return host === 0 || host === hosts - 1;
}

/** Reports two machines of one run that have the same name or address in the same network: the second would fail. */
function claimNameAndAddress(
    problems: Problems,
    inputs: Inputs,
    session: Session,
    zone: ZonePlace,
    part: string | undefined,
): void {
    const { name, ipAddress } = inputs;
    const within = zone.id;
    if (typeof name === "string")
        claim(problems, session, inputs, "name", `resource ${inputs.owner}`, {
            what: "name",
            value: name,
            within,
            part,
        });
    if (typeof ipAddress === "string")
        claim(problems, session, inputs, "ipAddress", `machine ${name}`, {
            what: "address",
            value: ipAddress,
            within,
            part,
        });
}

/** Whether a machine is the one that is replaced, or was left by an interrupted run and can be adopted. */
function isOurs(machine: ApiMachine, inputs: Inputs): boolean {
    if (isFormer(inputs, machine.id, machine.details?.owner)) return true;
    const marks = [inputs.owner, markWithoutDigest(inputs.owner)];
    return marks.includes(machine.details?.owner) && !isInState(machine.id);
}

/**
 * Announces that the creation will adopt a machine, or why it cannot. The latter is not reported as a problem, because
 * `pulumi up --replace` may be about to delete that machine, and the engine does not say so.
 */
async function announceAdoption(inputs: Inputs, session: Session): Promise<void> {
    if (formerOf(inputs) !== undefined) return;
    const left = (await session.machines.before()).find(
        (machine) => machine.name === inputs.name && !isDestroyed(machine.state) && isOurs(machine, inputs),
    );
    if (left === undefined) return;
    const refusal = adoptionRefusal(left, inputs);
    say(
        refusal === undefined
            ? `machine ${left.name} (${left.id}) has this resource's mark and will be adopted`
            : `creating ${inputs.name} will fail unless this run replaces it: ${refusal}`,
    );
}

/**
 * Reports a name or address that another machine uses, as far as the account can see it. (CloudStack only answers
 * "Internal error executing command" to an address in use.)
 */
async function checkNameAndAddressAreFree(
    problems: Problems,
    inputs: Inputs,
    session: Session,
    zone: ZonePlace,
    networkId: string | undefined,
): Promise<void> {
    const { name, ipAddress, network } = inputs;
    const others = (await session.machines.before()).filter(
        (machine) => machine.zoneid === zone.id && !isOurs(machine, inputs),
    );
    const isThere = (nic: ApiNic) => networkId === undefined || nic.networkid === networkId;
    const namesake = others.find(
        (machine) => machine.name === name && (networkId === undefined || (machine.nic ?? []).some(isThere)),
    );
    if (namesake !== undefined && !isUnknown(name) && !isUnknown(network)) {
        const owner = namesake.details?.owner ?? "something other than this package";
        problems.add(
            "name",
            `"${name}" is taken by machine ${namesake.id}, created by ${owner}: choose another name, or remove that machine`,
        );
    }
    if (ipAddress === undefined || isUnknown(ipAddress)) return;
    const user = others.find((machine) =>
        (machine.nic ?? []).some((nic) => nic.ipaddress === ipAddress && isThere(nic)),
    );
    if (user !== undefined)
        problems.add(
            "ipAddress",
            `${ipAddress} is the address of machine ${user.name} (${user.id}): choose a free one`,
        );
}

/** A machine that is replaced or adopted is already counted by the cloud. */
async function checkLimit(problems: Problems, inputs: Inputs, size: Size, session: Session): Promise<void> {
    const needs = { vm: 1, volume: 1, cpu: size.cpuNumber, memory: size.memoryMiB, primarystorage: size.rootDiskGiB };
    const ours = (await session.machines.before()).find((machine) => isOurs(machine, inputs));
    const has =
        ours === undefined
            ? {}
            : { vm: 1, volume: 1, cpu: ours.cpunumber, memory: ours.memory, primarystorage: needs.primarystorage };
    await checkLimits(problems, session, inputs.owner, needs, has);
}
