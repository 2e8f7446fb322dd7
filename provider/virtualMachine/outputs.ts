import type { Inputs, Outputs } from "../handler";
import { type Reference, actualId, referenceText } from "../references";
import type { ApiMachine, ApiNic, CloudIdentity } from "../session";
import { managed, tagsOf } from "../tags";
import { userDataHash, userDataSource } from "./userData";

/** Inputs that are not copied to the outputs: user data is stored as a hash, `__provider` belongs to the engine. */
const NOT_ECHOED = ["userData", "userDataBase64", "__provider"];

/**
 * The outputs of a machine. They contain every argument with its actual value in the cloud, so that `diff` can compare
 * them with the arguments and detect drift.
 *
 * @param inputs the arguments, or at a refresh the previous outputs
 */
export function toOutputs(machine: ApiMachine, inputs: Inputs, cloud: CloudIdentity): Outputs {
    const nic = defaultNic(machine);
    const text = (property: Reference, id: string | undefined, name: string | undefined) =>
        referenceText(inputs, property, actualId(inputs, property), id, name);
    return {
        ...echoed(inputs),
        name: machine.name,
        displayName: machine.displayname ?? machine.name,
        serviceOffering: text("serviceOffering", machine.serviceofferingid, machine.serviceofferingname),
        template: text("template", machine.templateid, machine.templatename),
        zone: text("zone", machine.zoneid, machine.zonename),
        ...(inputs.network === undefined ? {} : { network: text("network", nic?.networkid, nic?.networkname) }),
        ...(inputs.securityGroups === undefined
            ? {}
            : { securityGroups: inOrderOf(inputs.securityGroups, idsOf(machine.securitygroup)) }),
        ...(inputs.affinityGroups === undefined
            ? {}
            : { affinityGroups: inOrderOf(inputs.affinityGroups, idsOf(machine.affinitygroup)) }),
        ...(inputs.sshKeyPairs === undefined
            ? {}
            : { sshKeyPairs: inOrderOf(inputs.sshKeyPairs, keyPairNames(machine)) }),
        ...(inputs.group === undefined ? {} : { group: machine.group ?? "" }),
        ...(inputs.tags === undefined ? {} : { tags: managed(inputs.tags, tagsOf(machine)) }),
        ...(inputs.details === undefined ? {} : { details: managed(inputs.details, machine.details ?? {}) }),
        deleteProtection: machine.deleteprotection ?? false,
        running: isRunning(machine.state),
        state: machine.state,
        ipAddress: nic?.ipaddress ?? "",
        // Whether the program pinned this address. A destroyed machine would keep it, so it is released before.
        addressIsFixed: inputs.addressIsFixed ?? inputs.ipAddress !== undefined,
        networkInterfaces: (machine.nic ?? [])
            .map(toInterface)
            .sort((a, b) => Number(b.isDefault) - Number(a.isDefault)),
        cpuNumber: machine.cpunumber ?? 0,
        memoryMiB: machine.memory ?? 0,
        zoneId: machine.zoneid,
        templateId: machine.templateid,
        serviceOfferingId: machine.serviceofferingid,
        userDataHash: userDataHash(machine.userdata),
        // Which argument set it, so that a refresh returns it as that argument.
        userDataFrom: userDataSource(inputs) ?? inputs.userDataFrom,
        created: machine.created ?? "",
        ...(machine.password === undefined ? {} : { password: machine.password }),
        cloud,
    };
}

/** The arguments that are copied to the outputs. */
export function echoed(inputs: Inputs): Outputs {
    return Object.fromEntries(Object.entries(inputs).filter(([key]) => !NOT_ECHOED.includes(key)));
}

/** Whether a machine in this state counts as running, including one that is starting. */
export function isRunning(state: string): boolean {
    return ["Running", "Starting", "Migrating"].includes(state);
}

/** Whether a machine in this state counts as deleted. */
export function isDestroyed(state: string): boolean {
    return ["Destroyed", "Expunging", "Expunged"].includes(state);
}

export function defaultNic(machine: ApiMachine): ApiNic | undefined {
    return machine.nic?.find((nic) => nic.isdefault) ?? machine.nic?.[0];
}

export function keyPairNames(machine: ApiMachine): string[] {
    return (machine.keypairs ?? "").split(",").filter((name) => name !== "");
}

function idsOf(groups: readonly { id: string }[] | undefined): string[] {
    return (groups ?? []).map((group) => group.id);
}

/** The actual members, in the order of the wanted ones: the order has no meaning in CloudStack. */
function inOrderOf(wanted: readonly string[], actual: readonly string[]): string[] {
    return [
        ...wanted.filter((item) => actual.includes(item)),
        ...actual.filter((item) => !wanted.includes(item)).sort(),
    ];
}

function toInterface(nic: ApiNic) {
    return {
        id: nic.id,
        networkId: nic.networkid,
        networkName: nic.networkname,
        ipAddress: nic.ipaddress ?? "",
        macAddress: nic.macaddress ?? "",
        isDefault: nic.isdefault,
    };
}
