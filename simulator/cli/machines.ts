/**
 * The machines of a state, as the API reports them and as they run on this computer, with or without a running cloud.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type ListedMachine, machineList } from "../api/machineList";
import { type Machine, machinesOf } from "../hypervisors/nspawn";
import { StateError, Store } from "../state/store";
import { callControl, runningCloud } from "./control";
import { type StateFolder, UserError } from "./stateFolder";

/** One machine of a state. */
export interface KnownMachine extends Omit<ListedMachine, "state"> {
    /** Undefined if neither a running cloud nor the state on disk lists the machine. */
    readonly state?: ListedMachine["state"];
    /** Its container on this computer; undefined if it has never been started here. */
    readonly real?: Machine;
}

/** The machines of a state, read from a copy, since opening the state itself would lock it against a start. */
function readStateCopy(folder: StateFolder): ListedMachine[] | undefined {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-copy-"));
    try {
        for (const name of ["cloud.sqlite", "cloud.sqlite-wal"]) {
            const file = path.join(folder.folder, name);
            if (fs.existsSync(file)) fs.copyFileSync(file, path.join(copy, name));
        }
        const store = new Store(copy);
        store.close();
        return machineList(store);
    } catch (error) {
        if (error instanceof StateError) return undefined;
        throw error;
    } finally {
        fs.rmSync(copy, { recursive: true, force: true });
    }
}

/** A machine that no list has, as its own folder describes it. */
function fromMachineFile(real: Machine): KnownMachine {
    const { instanceName, recorded } = real;
    return {
        id: recorded?.id ?? "",
        name: real.name,
        instanceName,
        addresses: recorded?.addresses ?? [],
        template: recorded?.templateName ?? "",
        cpuNumber: recorded?.cpuNumber ?? 0,
        memoryMiB: recorded?.memoryMiB ?? 0,
        volumeIds: recorded?.dataVolumeIds ?? [],
        real,
    };
}

/**
 * All machines: as the running cloud lists them, otherwise as the state on disk does.
 *
 * @throws UserError if the folder has no cloud
 */
export async function knownMachines(folder: StateFolder): Promise<KnownMachine[]> {
    if (!folder.hasCloud)
        throw new UserError(`There is no cloud in ${folder.folder} yet: cloudstack-local start makes one.`);
    const cloud = await runningCloud(folder);
    const listed =
        cloud === undefined
            ? (readStateCopy(folder) ?? [])
            : (await callControl<{ machines: ListedMachine[] }>(cloud.server, "GET", "machines")).machines;
    const real = process.platform === "linux" ? machinesOf(folder.folder) : [];
    const realOf = (name: string) => real.find(({ instanceName }) => instanceName === name);
    const known = listed.map((one) => ({ ...one, real: realOf(one.instanceName) }));
    const isKnown = (name: string) => known.some(({ instanceName }) => instanceName === name);
    const unlisted = real.filter(({ instanceName, runs }) => runs && !isKnown(instanceName));
    return [...known, ...unlisted.map(fromMachineFile)];
}

/** Why no machine can be entered; undefined where machines boot. */
export function whyNoneBoots(folder: StateFolder): string | undefined {
    if (folder.credentials()?.hypervisor !== "none") return undefined;
    return "Machines of this cloud do not boot (hypervisor none): they have no processes and no console.";
}

/**
 * Finds a machine by its name, id, address or instance name.
 *
 * @throws UserError that lists the running machines
 */
export async function findMachine(folder: StateFolder, name: string): Promise<KnownMachine> {
    const machines = await knownMachines(folder);
    const reason = whyNoneBoots(folder);
    if (reason !== undefined) throw new UserError(reason);
    const found = machines.filter(
        (one) => [one.name, one.id, one.instanceName].includes(name) || one.addresses.includes(name),
    );
    if (found.length === 1) return found[0];
    if (found.length > 1) {
        const names = found.map(({ instanceName, addresses }) => `${instanceName} (${addresses.join(", ")})`);
        throw new UserError(`Several machines are called "${name}"; their instance names: ${names.join(", ")}.`);
    }
    throw new UserError(`Machine "${name}" not found. ${runningNames(machines)}`);
}

/** "Running machines: a, b." */
export function runningNames(machines: readonly KnownMachine[]): string {
    const names = machines.filter(({ real }) => real?.runs).map(({ name }) => name);
    return names.length === 0 ? "No machine is running." : `Running machines: ${names.join(", ")}.`;
}
