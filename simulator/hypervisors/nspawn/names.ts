/**
 * What things of one cloud are called on the host. All names begin with the cloud's prefix, which comes from its state
 * folder: several clouds run beside each other, and what a crashed one has left is known as its own.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";

/** The prefix of a name of ours, of whichever cloud; nothing for any other name. */
export function prefixIn(name: string): string | undefined {
    return /^(csl[0-9a-f]{4})(?:x[0-9a-f]{4}|-\d+)?$/.exec(name)?.[1];
}

export function prefixOf(stateDir: string): string {
    return `csl${hash(path.resolve(stateDir)).slice(0, 4)}`;
}

function hash(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

/** The number of i-2-7-VM is 7. */
export function numberOf(instanceName: string): string {
    const number = /^i-\d+-(\d+)-/.exec(instanceName)?.[1];
    if (number === undefined) throw new TypeError(`${instanceName} is no instance name`);
    return number;
}

/** The namespace of a network, which holds its bridge and what a virtual router gives. The shared network's is the prefix. */
export function networkNamespace(prefix: string, network: { id: string; isShared: boolean }): string {
    return network.isShared ? prefix : `${prefix}x${hash(network.id).slice(0, 4)}`;
}

/** The namespace of a machine. */
export function machineNamespace(prefix: string, instanceName: string): string {
    return `${prefix}-${numberOf(instanceName)}`;
}

/** The port of a machine on the bridge of a network, within that network's namespace. */
export function portOf(instanceName: string): string {
    return `m${numberOf(instanceName)}`;
}

export const BRIDGE = "br0";
/** The end of the host's link that is a port of the shared network's bridge; the host's end is called as the prefix. */
export const HOST_PORT = "host0";
