/**
 * The names of a cloud's resources on the host. All begin with the cloud's prefix, which is a hash of its state folder,
 * so that several clouds can run side by side, and resources left by a crash can be attributed to their cloud.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";

/** The prefix in the name of any cloud's resource; undefined for other names. */
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
    if (number === undefined) throw new TypeError(`${instanceName} is not an instance name`);
    return number;
}

/**
 * The namespace of a network, which holds its bridge and its virtual router; the shared network's is named as the
 * prefix.
 */
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
/** The end of the host's link that is a port of the shared network's bridge; the host's end is named as the prefix. */
export const HOST_PORT = "host0";
