/**
 * Functions that several commands on virtual machines share: lookup, states, names, addresses, sizes and user data.
 */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Cloud } from "../../cloud";
import { firstFree, isWithin } from "../../state/addresses";
import type { Account, Machine, MachineState, Network, Nic, ServiceOffering } from "../../state/records";
import { instanceName, machineAnswer, type MachineView } from "../answers/machine";
import type { Request, Work } from "../command";
import { ApiError, failed, internal, invalid, malformed } from "../errors";
import { checkColumns, COLUMN_LENGTHS, merged } from "../parameters";
import { implementNetwork, isBroken } from "../networkState";
import { checkAccess } from "../ownership";

/** The machine of a request. An expunged one is not found, although its id is still known. */
export function machineOf(request: Request, id: string = request.arguments.id): Machine {
    const machine = request.cloud.store.machines.get(id);
    if (machine === undefined || machine.removed !== undefined)
        throw invalid(`Unable to find a virtual machine with id ${id}`);
    checkAccess(request, machine.ownerId);
    return machine;
}

/** The machine that a job works on. */
export function machineAt(work: Work): Machine {
    return machineOf(work, work.job.instanceId);
}

/** A machine in CloudStack's error texts. */
export function describeMachine(cloud: Cloud, machine: Machine): string {
    return `VM instance ${JSON.stringify({
        id: machine.number,
        instanceName: instanceName(cloud, machine),
        state: machine.state,
        type: "User",
        uuid: machine.id,
    })}`;
}

export function setState(cloud: Cloud, machine: Machine, state: MachineState, more: Partial<Machine> = {}): Machine {
    const now = cloud.now();
    const first =
        state === "Running" && machine.statisticsFrom === undefined
            ? { statisticsFrom: now + cloud.settings.statisticsSeconds * 1000 }
            : {};
    return cloud.store.machines.change(machine.id, { state, updated: now, ...first, ...more });
}

/** The machine's answer as the result of a job on it. */
export function machineResult(work: Work, machine: Machine, view: Omit<MachineView, "admin"> = {}): object {
    const answer = machineAnswer(work.cloud, machine, { admin: work.caller.isAdmin, ...view });
    return { virtualmachine: { ...answer, jobid: work.job.id, jobstatus: 0 } };
}

/** The submission of a job on one machine; jobs on a machine run one after the other. */
export function onMachine(request: Request, id: string = request.arguments.id): { instanceId: string; queue: string } {
    const machine = machineOf(request, id);
    return { instanceId: machine.id, queue: machine.id };
}

/**
 * @throws ApiError 431 if another machine of a network has the name, including destroyed ones that are not expunged
 */
export function checkNameIsFree(cloud: Cloud, name: string, networks: readonly Network[], except?: string): void {
    for (const network of networks) {
        const holder = cloud.store.machines.find(
            (m) =>
                m.id !== except &&
                m.name.toLowerCase() === name.toLowerCase() &&
                m.nics.some((nic) => nic.networkId === network.id),
        );
        if (holder !== undefined) {
            throw invalid(
                `The vm with hostName ${name} already exists in the network domain: ${network.domain}; ` +
                    `network=${network.name}`,
            );
        }
    }
}

/** @throws ApiError 530 if the virtual router of one of the machine's networks cannot be configured */
export function checkNetworks(cloud: Cloud, machine: Machine): void {
    for (const { networkId } of machine.nics)
        if (isBroken(cloud, networkId))
            throw failed(`Unable to orchestrate the start of ${describeMachine(cloud, machine)}`);
}

/**
 * A new NIC with the requested address, or the first free one.
 *
 * @throws ApiError 530 without a reason if the address is in use or out of range (as in CloudStack), 533 if none is
 * free
 */
export function newNic(
    cloud: Cloud,
    network: Network,
    wanted: string | undefined,
    deviceId: number,
    isDefault: boolean,
): Nic {
    const address = takeAddress(cloud, network, wanted);
    if (address === undefined) {
        throw wanted === undefined
            ? new ApiError(533, `Unable to allocate an address: network ${network.name} has none left`, 4335)
            : internal(0);
    }
    const number = cloud.store.next("mac");
    const mac = [
        "1e",
        "00",
        randomBytes(1).toString("hex"),
        ...[16, 8, 0].map((shift) => ((number >> shift) & 255).toString(16).padStart(2, "0")),
    ].join(":");
    return { id: randomUUID(), networkId: network.id, address, mac, isDefault, deviceId };
}

/** A free address of the network; undefined if there is none. */
export function takeAddress(cloud: Cloud, network: Network, wanted: string | undefined): string | undefined {
    if (network.cidr === "") return wanted === undefined ? "" : undefined;
    const taken = new Set<string>();
    for (const machine of cloud.store.machines.all()) {
        for (const nic of machine.nics) if (nic.networkId === network.id) taken.add(nic.address);
    }
    if (wanted === undefined) return firstFree(network.start, network.end, taken);
    return isWithin(wanted, network.start, network.end) && !taken.has(wanted) ? wanted : undefined;
}

/**
 * CPU and memory of an offering; those of a custom one are in the details.
 *
 * @throws ApiError 431 if they are out of the offering's bounds
 */
export function sizeOf(offering: ServiceOffering, details: Record<string, string>): Machine["size"] {
    const { bounds } = offering;
    if (bounds === undefined) {
        if (["cpuNumber", "cpuSpeed", "memory"].some((key) => details[key] !== undefined)) {
            throw invalid("cpuNumber, cpuSpeed and memory cannot be specified for a non-dynamic service offering");
        }
        return { cpuNumber: offering.cpuNumber!, cpuSpeed: offering.cpuSpeed!, memory: offering.memory! };
    }
    const value = (key: string, words: string, min: number, max: number) => {
        const number = Number(details[key]);
        if (!Number.isInteger(number) || number < min || number > max)
            throw invalid(`Invalid ${words} value, specify a value between ${min} and ${max}`);
        return number;
    };
    return {
        cpuNumber: value("cpuNumber", "CPU cores", bounds.minCpu, bounds.maxCpu),
        cpuSpeed: offering.cpuSpeed ?? value("cpuSpeed", "CPU speed", 1, 2 ** 31 - 1),
        memory: value("memory", "memory", bounds.minMemory, bounds.maxMemory),
    };
}

const SIZES: readonly string[] = ["cpuNumber", "cpuSpeed", "memory"];

/** Separates the machine's own details from those of its custom offering. */
export function readDetails(request: Request): { kept: Record<string, string>; size: Record<string, string> } {
    const given = merged(request.arguments.details);
    checkColumns(given, COLUMN_LENGTHS.detail);
    const all = Object.entries(given);
    const part = (wanted: boolean) => Object.fromEntries(all.filter(([key]) => SIZES.includes(key) === wanted));
    return { kept: part(false), size: part(true) };
}

/** Longest user data by GET, in base64 characters. */
const GET_LIMIT = 4096;

/**
 * Normalizes user data to base64 with padding; undefined if it is empty.
 *
 * @throws ApiError 431 with CloudStack's text if it is too long or not base64
 */
export function readUserData(request: Request, text: string | undefined): string | undefined {
    if (text === undefined || text === "") return undefined;
    const decoded = text.includes("%") ? decodeOnceMore(text) : text;
    if (!/^[A-Za-z0-9+/_\s-]*=*\s*$/.test(decoded)) throw invalid("User data is not base64 encoded");
    if (request.method === "GET" && decoded.length > GET_LIMIT)
        throw invalid("User data is too long for an http GET request");
    const { userDataLength } = request.cloud.settings;
    if (decoded.length > userDataLength)
        throw invalid(`User data has exceeded configurable max length: ${userDataLength}`);
    return Buffer.from(decoded, "base64").toString("base64");
}

/** Decodes user data, which may be URL-encoded a second time; errors have the text of Java's URLDecoder. */
function decodeOnceMore(text: string): string {
    const bad = /%(?![0-9A-Fa-f]{2})/.exec(text);
    if (bad === null) return decodeURIComponent(text.replace(/\+/g, "%2B"));
    const digits = text.slice(bad.index + 1, bad.index + 3);
    if (digits.length < 2) throw malformed("URLDecoder: Incomplete trailing escape (%) pattern");
    const at = /^[0-9A-Fa-f]/.test(digits) ? 1 : 0;
    throw malformed(`URLDecoder: Illegal hex characters in escape (%) pattern - Error at index ${at} in: "${digits}"`);
}

/** The id of an account's instance group of that name, which is created at its first use. */
export function instanceGroup(cloud: Cloud, owner: Account, name: string | undefined): string | undefined {
    if (name === undefined || name === "") return undefined;
    const { instanceGroups } = cloud.store;
    const group = instanceGroups.find((g) => g.ownerId === owner.id && g.name === name);
    return (group ?? instanceGroups.insert({ id: randomUUID(), name, ownerId: owner.id, created: cloud.now() })).id;
}

/** The details that store key pairs. @throws ApiError 431 if one of them does not exist */
export function keyPairDetails(cloud: Cloud, owner: Account, names: readonly string[]): Record<string, string> {
    const pairs = names.map((name) =>
        cloud.store.keyPairs.find((pair) => pair.ownerId === owner.id && pair.name === name),
    );
    const found = pairs.filter((pair) => pair !== undefined);
    if (found.length < names.length) throw invalid("Not all specified keypairs exist");
    if (found.length === 0) return {};
    return {
        "SSH.PublicKey": found.map((pair) => pair.publicKey).join("\n"),
        "SSH.KeyPairNames": found.map((pair) => pair.name).join(","),
    };
}

/** Unambiguous letters and digits, as in CloudStack's PasswordGenerator. */
const PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

/** Generates a password. It does not begin with a dash, which commands would take for an option. */
export function newPassword(): string {
    return Array.from({ length: 8 }, () => PASSWORD_LETTERS[randomInt(PASSWORD_LETTERS.length)]).join("");
}

/** The detail that marks a machine that has never been started (VmDetailConstants.DEPLOY_VM). */
export const NEVER_STARTED = { deployvm: "true" } as const;

/**
 * The result of a start. The first start creates the machine's volumes and its networks' router, and its job returns
 * the password; a deployment with startvm=false does not (UserVmManagerImpl).
 */
export function startedResult(work: Work, machine: Machine): object {
    const { store } = work.cloud;
    const { deployvm, ...details } = machine.details;
    const running = setState(work.cloud, machine, "Running", { details });
    for (const volume of store.volumes.filter((v) => v.machineId === machine.id && v.state === "Allocated"))
        store.volumes.change(volume.id, { state: "Ready" });
    for (const { networkId } of machine.nics) implementNetwork(work.cloud, store.networks.need(networkId));
    const result = machineResult(work, running) as { virtualmachine: object };
    if (deployvm === undefined || machine.password === undefined) return result;
    return { virtualmachine: { ...result.virtualmachine, password: machine.password } };
}
