/** Reads of virtual machines: list, password, console log. */
import type { Machine } from "../../state/records";
import { MACHINE_DETAILS, machineAnswer, type MachineDetail } from "../answers/machine";
import type { Commands, Request } from "../command";
import { invalid } from "../errors";
import { contains, matches, equalsName, page } from "../lists";
import { ownerFields, scopeOf } from "../ownership";
import { timestamp } from "../../cloud";
import { deployVirtualMachine } from "./deploy";
import { isDestroyed } from "../expunge";
import { machinePlan } from "../plan";
import { machineOf } from "./machineRules";
import { hasTags } from "./tags";

function chosenDetails(names: string[] | undefined): MachineDetail[] | undefined {
    if (names === undefined || names.length === 0) return undefined;
    const unknown = names.find((name) => !(MACHINE_DETAILS as readonly string[]).includes(name));
    if (unknown !== undefined)
        throw invalid(
            "The details parameter contains a non permitted value. The allowed values are " +
                `[${MACHINE_DETAILS.join(", ")}]`,
        );
    return names as MachineDetail[];
}

function inState(machine: Machine, wanted: string | undefined): boolean {
    if (wanted === undefined) return true;
    if (wanted === "Present") return !isDestroyed(machine);
    return equalsName(machine.state, wanted);
}

function listVirtualMachines(request: Request): object {
    const { cloud, caller, arguments: given } = request;
    const details = chosenDetails(given.details);
    const inScope = scopeOf(request);
    if (given.id !== undefined && given.ids !== undefined)
        throw invalid("Specify either id or ids but not both parameters");
    const machines = cloud.store.machines.filter(
        (m) =>
            // Users do not see destroyed machines (allow.user.view.destroyed.vm is false).
            m.removed === undefined &&
            (caller.isAdmin || !isDestroyed(m)) &&
            inScope(m.ownerId) &&
            matches(m.id, given.id) &&
            (given.ids === undefined || given.ids.includes(m.id)) &&
            equalsName(m.name, given.name) &&
            (contains(m.name, given.keyword) || contains(m.displayName, given.keyword)) &&
            inState(m, given.state) &&
            matches(m.zoneId, given.zoneid) &&
            matches(m.templateId, given.templateid) &&
            matches(m.serviceOfferingId, given.serviceofferingid) &&
            matches(m.userId, given.userid) &&
            matches(m.instanceGroupId, given.groupid) &&
            (given.networkid === undefined || m.nics.some((nic) => nic.networkId === given.networkid)) &&
            (given.securitygroupid === undefined || m.securityGroupIds.includes(given.securitygroupid)) &&
            (given.affinitygroupid === undefined || m.affinityGroupIds.includes(given.affinitygroupid)) &&
            (given.keypair === undefined || (m.details["SSH.KeyPairNames"] ?? "").split(",").includes(given.keypair)) &&
            hasTags(cloud, m.id, given.tags),
    );
    return page(request, "virtualmachine", machines, (m) =>
        machineAnswer(cloud, m, { admin: caller.isAdmin, details, userData: given.userdata === true }),
    );
}

function getVirtualMachineUserData(request: Request): object {
    const machine = machineOf(request, request.arguments.virtualmachineid);
    return {
        virtualmachineuserdata: {
            virtualmachineid: machine.id,
            ...(machine.userData === undefined ? {} : { userdata: machine.userData }),
        },
    };
}

/** CloudStack encrypts the password with the machine's SSH key; without one it returns none. */
function getVMPassword(request: Request): object {
    machineOf(request);
    throw invalid(
        `No password for VM with id '${request.arguments.id}' found. When deploying a VM with a key pair, ` +
            "its password is in the deploy job's result.",
    );
}

/** Not a command of CloudStack: the end of the machine's console log. */
function getVirtualMachineConsoleLog(request: Request): object {
    const machine = machineOf(request);
    const log = request.cloud.hypervisor.console(machinePlan(request.cloud, machine));
    return { console: { virtualmachineid: machine.id, log } };
}

function listInstanceGroups(request: Request): object {
    const { cloud } = request;
    const { id, name, keyword } = request.arguments;
    const inScope = scopeOf(request);
    const groups = cloud.store.instanceGroups.filter(
        (g) => inScope(g.ownerId) && matches(g.id, id) && equalsName(g.name, name) && contains(g.name, keyword),
    );
    return page(request, "instancegroup", groups, (g) => ({
        id: g.id,
        name: g.name,
        created: timestamp(g.created),
        ...ownerFields(request, g.ownerId),
        hasannotations: false,
    }));
}

export const machineCommands: Commands = {
    deployVirtualMachine,
    listVirtualMachines: { entity: "machine", run: listVirtualMachines },
    getVirtualMachineUserData: { run: getVirtualMachineUserData },
    getVirtualMachineConsoleLog: { entity: "machine", run: getVirtualMachineConsoleLog },
    getVMPassword: { entity: "machine", run: getVMPassword },
    listInstanceGroups: { entity: "instanceGroup", run: listInstanceGroups },
};
