/** The end of all that a cloud has on the host. */
import * as fs from "node:fs";
import * as path from "node:path";
import { removeGroup } from "./cgroups";
import { attempt, kill, until } from "./host";
import { nspawnFolder } from "./owner";
import { isEmpty, loopDevicesBelow, type HostResources, hostResourcesOf, runningMachines } from "./hostResources";
import { registrationOf, unregister } from "./register";

/** How long the kernel may take to let go of a disk that nobody uses any more, in milliseconds. */
const DETACH_TIMEOUT = 10_000;

/**
 * Names are made of a part of a sum: two clouds may get the same ones.
 *
 * @throws Error where this is so, and the other one is still there
 */
export function checkOwner(prefix: string, stateDir: string): void {
    const other = registrationOf(prefix)?.stateDir;
    if (other === undefined || other === path.resolve(stateDir) || !fs.existsSync(other)) return;
    throw new Error(
        `the clouds of ${other} and ${stateDir} have the same name on this host (${prefix}): use another folder`,
    );
}

/**
 * Takes away everything of a cloud but its files: machines shut down first, where `force` does not cut their power.
 * Safe to repeat, and to do wherever an earlier attempt or a crash has stopped.
 *
 * @throws Error that names what is still there
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
    if (!isEmpty(left)) throw new Error(`Still there of ${stateDir ?? prefix}: ${describeResources(left).join(", ")}`);
}

/** Nobody is on the networks of a state any more. */
function removeRouterEntries(stateDir: string): void {
    const networks = path.join(nspawnFolder(stateDir), "networks");
    if (!fs.existsSync(networks)) return;
    for (const name of fs.readdirSync(networks))
        fs.rmSync(path.join(networks, name, "machines"), { recursive: true, force: true });
}

/** What there is, one by one, in words. */
export function describeResources({ processes, namespaces, links, groups, loopDevices, mounts }: HostResources): string[] {
    return [
        ...processes.map((pid) => `process ${pid}`),
        ...namespaces.map((name) => `namespace ${name}`),
        ...links.map((name) => `link ${name}`),
        ...groups.map((folder) => `control group ${folder}`),
        ...loopDevices.map((device) => `loop device ${device}`),
        ...mounts.map((where) => `mount ${where}`),
    ];
}
