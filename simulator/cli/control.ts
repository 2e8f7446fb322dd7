/** Talking to a running cloud's control endpoint. */
import { UserError, type ServerFile, type StateFolder } from "./stateFolder";

export interface Status {
    readonly pid: number;
    readonly hypervisor: string;
    readonly jobSeconds: number;
    readonly timing: number;
    readonly expungeSeconds: number;
    readonly network: string;
    readonly gateway: string;
    /** Of this computer in the network, where machines are real. */
    readonly hostAddress?: string;
    readonly machines: Readonly<Record<string, number>>;
    readonly volumes: number;
    readonly securityGroups: number;
    readonly pendingJobs: number;
}

/** How long a cloud on this computer may take to answer, in milliseconds. */
const PATIENCE = 3_000;

/** @throws UserError with the cloud's own message where it refuses */
export async function ask<T>(server: ServerFile, method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${server.url}/control/${path}`, {
        method,
        headers: { Authorization: `Bearer ${server.token}` },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new UserError(answer.error ?? `The cloud answered ${response.status}.`);
    return answer;
}

/**
 * The cloud that serves a state now, or nothing: a file of a process that is gone, or of another cloud, does not
 * count.
 */
export async function running(folder: StateFolder): Promise<{ server: ServerFile; status: Status } | undefined> {
    const server = folder.server();
    if (server === undefined) return undefined;
    try {
        const status = await ask<Status>(server, "GET", "status");
        return status.pid === server.pid ? { server, status } : undefined;
    } catch {
        return undefined;
    }
}

/** @throws UserError where no cloud serves the state */
export async function needRunning(folder: StateFolder): Promise<{ server: ServerFile; status: Status }> {
    const found = await running(folder);
    if (found === undefined)
        throw new UserError(`No cloud is running on ${folder.folder}: start it with cloudstack-local start.`);
    return found;
}
