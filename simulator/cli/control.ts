/** Requests to the control endpoint of a running cloud. */
import { UserError, type ServerFile, type StateFolder } from "./stateFolder";

export interface Status {
    readonly pid: number;
    readonly hypervisor: string;
    readonly jobSeconds: number;
    readonly timing: number;
    readonly expungeSeconds: number;
    readonly network: string;
    readonly gateway: string;
    /** This computer's address in the network; undefined where no machines boot. */
    readonly hostAddress?: string;
    readonly machines: Readonly<Record<string, number>>;
    readonly volumes: number;
    readonly securityGroups: number;
    readonly pendingJobs: number;
}

/** How long a cloud on this computer may take to answer, in milliseconds. */
const TIMEOUT = 3_000;

/** @throws UserError with the cloud's own message if it refuses the request */
export async function callControl<T>(server: ServerFile, method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${server.url}/control/${path}`, {
        method,
        headers: { Authorization: `Bearer ${server.token}` },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new UserError(answer.error ?? `The cloud answered ${response.status}.`);
    return answer;
}

/**
 * The running cloud that serves a state; undefined if there is none, also where the state folder still has the file of
 * a process that has ended, or of another cloud.
 */
export async function runningCloud(folder: StateFolder): Promise<{ server: ServerFile; status: Status } | undefined> {
    const server = folder.server();
    if (server === undefined) return undefined;
    try {
        const status = await callControl<Status>(server, "GET", "status");
        return status.pid === server.pid ? { server, status } : undefined;
    } catch {
        return undefined;
    }
}

/** @throws UserError if no cloud serves the state */
export async function requireRunningCloud(folder: StateFolder): Promise<{ server: ServerFile; status: Status }> {
    const found = await runningCloud(folder);
    if (found === undefined)
        throw new UserError(`No cloud is running on ${folder.folder}: start it with cloudstack-local start.`);
    return found;
}
