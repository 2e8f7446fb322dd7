/** Removes all resources of a cloud from the host. */
import * as fs from "node:fs";
import * as path from "node:path";
import { removeGroup } from "./cgroups";
import { attempt, kill, until } from "./host";
import { nspawnFolder } from "./owner";
import { isEmpty, loopDevicesBelow, type HostResources, hostResourcesOf, runningMachines } from "./hostResources";
import { registrationOf, unregister } from "./register";

/** How long the kernel may take to release an unused loop device, in milliseconds. */
const DETACH_TIMEOUT = 10_000;

/**
 * Prefixes are truncated hashes, so that two clouds may get the same one.
 *
 * @throws Error if another cloud, whose state folder exists, has this prefix
 */
export function checkOwner(prefix: string, stateDir: string): void {
    const other = registrationOf(prefix)?.stateDir;
    if (other === undefined || other === path.resolve(stateDir) || !fs.existsSync(other)) return;
    throw new Error(
        `the clouds of ${other} and ${stateDir} have the same prefix on this host (${prefix}): use another folder`,
    );
}

/**
 * Removes all resources of a cloud except its files. Machines are shut down first; `force` cuts their power instead.
 * Idempotent, also after an interrupted attempt or a crash.
 *
 * @throws Error that lists what could not be removed
 */
export async function takeDown(prefix: string, stateDir: string | undefined, force: boolean): Promise<void> {
    if (stateDir !== undefined) checkOwner(prefix, stateDir);
    const machines = stateDir === undefined ? [] : runningMachines(stateDir);
    await Promise.all(machines.map((machine) => (force ? machine.cutPower() : machine.shutDown())));
    const found = hostResourcesOf(prefix, stateDir);
    for (const pid of found.processes) kill(pid, "SIGKILL");
    await removeGroup(prefix);
    for (const link of found.links) await attempt("ip", ["link", "delete", link]);
    for (const namespace of found.namespaces) await attempt("ip", ["netns", "delete", namespace]);
    for (const where of found.mounts.toReversed()) await attempt("umount", ["--lazy", where]);
    for (const device of found.loopDevices) await attempt("losetup", ["--detach", device]);
    if (stateDir !== undefined) {
        await until(() => loopDevicesBelow(nspawnFolder(stateDir)).length === 0, DETACH_TIMEOUT);
        removeRouterEntries(stateDir);
    }
    unregister(prefix);
    const left = hostResourcesOf(prefix, stateDir);
    if (!isEmpty(left))
        throw new Error(
            `Resources of ${stateDir ?? prefix} that could not be removed: ${describeResources(left).join(", ")}`,
        );
}

/** Deletes the routers' entries of all machines of a state. */
function removeRouterEntries(stateDir: string): void {
    const networks = path.join(nspawnFolder(stateDir), "networks");
    if (!fs.existsSync(networks)) return;
    for (const name of fs.readdirSync(networks))
        fs.rmSync(path.join(networks, name, "machines"), { recursive: true, force: true });
}

/** One line per resource. */
export function describeResources({
    processes,
    namespaces,
    links,
    groups,
    loopDevices,
    mounts,
}: HostResources): string[] {
    return [
        ...processes.map((pid) => `process ${pid}`),
        ...namespaces.map((name) => `namespace ${name}`),
        ...links.map((name) => `link ${name}`),
        ...groups.map((folder) => `control group ${folder}`),
        ...loopDevices.map((device) => `loop device ${device}`),
        ...mounts.map((where) => `mount ${where}`),
    ];
}
