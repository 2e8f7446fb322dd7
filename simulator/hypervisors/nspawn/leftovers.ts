/** What clouds have on this host: found by their names alone, so that what a crashed one has left is found, too. */
import * as fs from "node:fs";
import * as path from "node:path";
import { processesOf, removeGroup, topGroups } from "./cgroups";
import { attempt, kill, readJson, run, until, writeWhole } from "./host";
import { Machine } from "./machine";
import { PREFIX } from "./names";
import { Volumes } from "./volumes";

/** Where it stands which state a prefix belongs to. Gone with a boot of the host, as all that it tells of. */
const REGISTER = "/run/cloudstack-local";

/** What one cloud has on the host. */
export interface Possessions {
    readonly prefix: string;
    /** Unknown where somebody has cleared the register. */
    readonly stateDir?: string;
    readonly namespaces: readonly string[];
    readonly hasLink: boolean;
    readonly hasGroups: boolean;
    /** Of machines and routers. */
    readonly processes: readonly number[];
    readonly loopDevices: readonly string[];
}

export function register(prefix: string, stateDir: string): void {
    fs.mkdirSync(REGISTER, { recursive: true });
    writeWhole(path.join(REGISTER, `${prefix}.json`), JSON.stringify({ stateDir: path.resolve(stateDir) }));
}

function forget(prefix: string): void {
    fs.rmSync(path.join(REGISTER, `${prefix}.json`), { force: true });
}

const names = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

const prefixIn = (name: string): string | undefined => PREFIX.exec(name)?.[0];

/** The folder that holds machines, disks and routers of a state. */
export const nspawnFolder = (stateDir: string) => path.join(path.resolve(stateDir), "nspawn");

/** All clouds that have anything here. */
export async function allPossessions(): Promise<Possessions[]> {
    const found = [...names("/run/netns"), ...names("/sys/class/net"), ...topGroups(PREFIX), ...names(REGISTER)];
    const prefixes = new Set(found.flatMap((name) => prefixIn(name) ?? []));
    return Promise.all([...prefixes].sort().map(possessionsOf));
}

export async function possessionsOf(prefix: string): Promise<Possessions> {
    const stateDir = readJson<{ stateDir: string }>(path.join(REGISTER, `${prefix}.json`))?.stateDir;
    const namespaces = names("/run/netns").filter((name) => prefixIn(name) === prefix);
    const inNamespaces = await Promise.all(
        namespaces.map(async (name) => (await run("ip", ["netns", "pids", name]).catch(() => "")).split("\n")),
    );
    const processes = new Set([...inNamespaces.flat().filter(Boolean).map(Number), ...processesOf(prefix)]);
    return {
        prefix,
        ...(stateDir === undefined ? {} : { stateDir }),
        namespaces,
        hasLink: names("/sys/class/net").includes(prefix),
        hasGroups: topGroups(PREFIX).includes(prefix),
        processes: [...processes],
        loopDevices: stateDir === undefined ? [] : await loopDevicesBelow(nspawnFolder(stateDir)),
    };
}

async function loopDevicesBelow(folder: string): Promise<string[]> {
    const text = await run("losetup", ["--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE"]);
    return text
        .split("\n")
        .map((line) => line.split(" "))
        .filter(([, file]) => file?.startsWith(`${folder}/`))
        .map(([name]) => name);
}

export function isEmpty(found: Possessions): boolean {
    const { namespaces, hasLink, hasGroups, processes, loopDevices } = found;
    return namespaces.length + processes.length + loopDevices.length === 0 && !hasLink && !hasGroups;
}

/** The machines of a state that run, whoever started them. */
export function runningMachines(prefix: string, stateDir: string): Machine[] {
    const folder = path.join(nspawnFolder(stateDir), "machines");
    return names(folder)
        .map((name) => new Machine(prefix, folder, name))
        .filter((machine) => machine.runs);
}

/**
 * Takes away everything of a cloud but its disks: machines shut down first, where `force` does not cut their power.
 * Safe to repeat, and wherever an earlier attempt or a crash has stopped.
 */
export async function takeDown(prefix: string, stateDir: string | undefined, force: boolean): Promise<void> {
    const machines = stateDir === undefined ? [] : runningMachines(prefix, stateDir);
    await Promise.all(machines.map((machine) => (force ? machine.cutPower() : machine.shutDown())));
    const { namespaces, processes, hasLink } = await possessionsOf(prefix);
    for (const pid of processes) kill(pid, "SIGTERM");
    const areGone = () => processes.every((pid) => !fs.existsSync(`/proc/${pid}`));
    if (!(await until(areGone, 2_000))) for (const pid of processes) kill(pid, "SIGKILL");
    await removeGroup(prefix);
    if (hasLink) await attempt("ip", ["link", "delete", prefix]);
    for (const namespace of namespaces) await attempt("ip", ["netns", "delete", namespace]);
    if (stateDir !== undefined) await new Volumes(path.join(nspawnFolder(stateDir), "volumes")).disconnectAll();
    forget(prefix);
}
