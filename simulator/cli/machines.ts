/** The machines of a state, as the cloud tells of them and as they are, also while no cloud serves the state. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type ListedMachine, machineList } from "../api/machineList";
import { type Machine, machinesOf } from "../hypervisors/nspawn";
import { StateError, Store } from "../state/store";
import { ask, running } from "./control";
import { type StateFolder, UserError } from "./stateFolder";

/** One machine of a state. */
export interface KnownMachine extends Omit<ListedMachine, "state"> {
    /** Undefined where neither a cloud nor its state can tell. */
    readonly state?: ListedMachine["state"];
    /** How it is on this computer; undefined where it has never been started here. */
    readonly real?: Machine;
}

/** What a state holds, read from a copy: nobody is kept from starting it meanwhile. */
function glance(folder: StateFolder): ListedMachine[] | undefined {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-glance-"));
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

/** What is put down about a machine where it runs, for one that no list has. */
function fromNote(real: Machine): KnownMachine {
    const { instanceName, note } = real;
    return {
        id: note?.id ?? "",
        name: real.name,
        instanceName,
        addresses: note?.addresses ?? [],
        template: note?.templateName ?? "",
        cpuNumber: note?.cpuNumber ?? 0,
        memoryMiB: note?.memoryMiB ?? 0,
        volumeIds: note?.dataVolumeIds ?? [],
        real,
    };
}

/**
 * All machines: as the cloud tells that serves the state, else as the state has it.
 *
 * @throws UserError where there is no cloud
 */
export async function knownMachines(folder: StateFolder): Promise<KnownMachine[]> {
    if (!folder.hasCloud)
        throw new UserError(`There is no cloud in ${folder.folder} yet: cloudstack-local start makes one.`);
    const cloud = await running(folder);
    const listed =
        cloud === undefined
            ? (glance(folder) ?? [])
            : (await ask<{ machines: ListedMachine[] }>(cloud.server, "GET", "machines")).machines;
    const real = process.platform === "linux" ? machinesOf(folder.folder) : [];
    const realOf = (name: string) => real.find(({ instanceName }) => instanceName === name);
    const known = listed.map((one) => ({ ...one, real: realOf(one.instanceName) }));
    const isKnown = (name: string) => known.some(({ instanceName }) => instanceName === name);
    const unlisted = real.filter(({ instanceName, runs }) => runs && !isKnown(instanceName));
    return [...known, ...unlisted.map(fromNote)];
}

/** Why there is nothing to look into; undefined where machines are real. */
export function statesOnly(folder: StateFolder): string | undefined {
    if (folder.credentials()?.hypervisor !== "none") return undefined;
    return "Machines of this cloud keep their states only (hypervisor none): nothing runs in them, not even a console.";
}

/**
 * The machine of a name; an id, an address or an instance name will do as well.
 *
 * @throws UserError that lists those that there are
 */
export async function findMachine(folder: StateFolder, name: string): Promise<KnownMachine> {
    const machines = await knownMachines(folder);
    const nothing = statesOnly(folder);
    if (nothing !== undefined) throw new UserError(nothing);
    const found = machines.filter(
        (one) => [one.name, one.id, one.instanceName].includes(name) || one.addresses.includes(name),
    );
    if (found.length === 1) return found[0];
    if (found.length > 1) {
        const names = found.map(({ instanceName, addresses }) => `${instanceName} (${addresses.join(", ")})`);
        throw new UserError(`Several machines are called "${name}"; their instance names: ${names.join(", ")}.`);
    }
    throw new UserError(`There is no machine "${name}". ${runningNames(machines)}`);
}

/** "Those that run: a, b." */
export function runningNames(machines: readonly KnownMachine[]): string {
    const names = machines.filter(({ real }) => real?.runs).map(({ name }) => name);
    return names.length === 0 ? "None runs." : `Those that run: ${names.join(", ")}.`;
}
