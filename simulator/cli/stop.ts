/** `cloudstack-local stop`: stops a cloud's process and its machines, and removes what they hold on this computer. */
import { parseArgs } from "node:util";
import { isEmpty, type Machine, hostResourcesOf, prefixOf, runningMachines, takeDown } from "../hypervisors/nspawn";
import { isAlive } from "../hypervisors/nspawn/host";
import { runningCloud } from "./control";
import { type ServerFile, STATE_HELP, type StateFolder, stateFolder, UserError } from "./stateFolder";
import { counted } from "./table";
import { waitFor } from "./waiting";

export const STOP_HELP = `cloudstack-local stop [--state DIR] [--force]

Stops the cloud. Its machines shut down first, all at the same time, and are started again with the next start, which
also resumes interrupted jobs; its state and all disks are kept. Machines that run without their cloud, because it was
killed, are stopped as well.

${STATE_HELP}  --force            cut the machines' power instead of waiting until they have shut down
`;

export async function stop(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, force: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    const found = await stopCloud(folder, values.force);
    console.log(outcome(folder, found));
}

/** What was stopped. */
interface Found {
    readonly hadServer: boolean;
    /** How many machines ran without a server. */
    readonly machines: number;
}

function outcome({ folder }: StateFolder, { hadServer, machines }: Found): string {
    if (hadServer) return "cloudstack-local has stopped; its state is kept.";
    if (machines === 0) return `No cloud is running on ${folder}.`;
    return `No cloud was running on ${folder}. Stopped without it: ${counted(machines, "machine")}.`;
}

/** @throws UserError if a process does not end */
export async function stopCloud(folder: StateFolder, force: boolean): Promise<Found> {
    const server = await serverOf(folder);
    if (server !== undefined) await stopServer(folder, server, force);
    folder.removeServerFile();
    return { hadServer: server !== undefined, machines: await takeDownLeftovers(folder, force) };
}

/** @throws UserError if a process has the recorded pid, but it is unknown whether it is the cloud's */
async function serverOf(folder: StateFolder): Promise<ServerFile | undefined> {
    const found = folder.serverProcess() ?? (await runningCloud(folder))?.server;
    if (found !== undefined) return found;
    const file = folder.server();
    if (file === undefined || file.process !== undefined || !exists(file.pid)) return undefined;
    throw new UserError(
        `Process ${file.pid}, which served ${folder.folder}, does not answer. If it is the cloud (see ` +
            `ps -p ${file.pid}), end it with kill ${file.pid}.`,
    );
}

const hasEnded = ({ pid, process: known }: ServerFile) => (known === undefined ? !exists(pid) : !isAlive(known));

function exists(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

const runningOf = ({ folder }: StateFolder): Machine[] => (process.platform === "linux" ? runningMachines(folder) : []);

/** How many machines are listed by name before the rest is only counted. */
const MAX_NAMES = 5;

function waitingFor(machines: readonly Machine[]): string {
    const names = machines.slice(0, MAX_NAMES).map(({ name }) => name);
    const more = machines.length > MAX_NAMES ? `, and ${machines.length - MAX_NAMES} more` : "";
    return `Waiting for ${counted(machines.length, "machine")} to shut down: ${names.join(", ")}${more}`;
}

/** How long a cloud may take to end after its last machine has stopped, in milliseconds. */
const TIMEOUT = { orderly: 180_000, forced: 10_000 };

/** Resolves to true when the server has ended, to false when it did not within the timeout. */
async function untilGone(folder: StateFolder, server: ServerFile, timeout: number): Promise<boolean> {
    const { pid } = server;
    let idleSince = Date.now();
    let machines: Machine[] = [];
    const isGone = () => folder.server()?.pid !== pid || hasEnded(server);
    const keepWaiting = () => {
        machines = runningOf(folder);
        if (machines.length > 0) idleSince = Date.now();
        return Date.now() - idleSince < timeout;
    };
    const text = () => (machines.length > 0 ? waitingFor(machines) : `Waiting for process ${pid} to end`);
    return waitFor(isGone, text, keepWaiting);
}

async function stopServer(folder: StateFolder, server: ServerFile, force: boolean): Promise<void> {
    const { pid } = server;
    if (force) process.kill(pid, "SIGQUIT");
    else if (server.isStopping !== true) process.kill(pid, "SIGTERM");
    if (await untilGone(folder, server, force ? TIMEOUT.forced : TIMEOUT.orderly)) return;
    // The state on disk survives SIGKILL at any moment.
    if (force) process.kill(pid, "SIGKILL");
    if (force && (await untilGone(folder, server, TIMEOUT.forced))) return;
    throw new UserError(
        `Process ${pid} did not stop within ${TIMEOUT[force ? "forced" : "orderly"] / 1000} s.` +
            (force ? "" : ` Force it: cloudstack-local stop --force --state ${folder.folder}`),
    );
}

/** Waits for a cloud that is already stopping. */
export async function untilStopped(folder: StateFolder): Promise<void> {
    const server = folder.serverProcess();
    if (server?.isStopping === true) await untilGone(folder, server, TIMEOUT.orderly);
}

/** Removes what a killed server has left; returns how many machines were running. */
async function takeDownLeftovers({ folder }: StateFolder, force: boolean): Promise<number> {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return 0;
    const prefix = prefixOf(folder);
    if (isEmpty(hostResourcesOf(prefix, folder))) return 0;
    const machines = runningMachines(folder);
    let isDone = false;
    const work = takeDown(prefix, folder, force).finally(() => (isDone = true));
    const text = () => waitingFor(machines.filter(({ runs }) => runs));
    await Promise.all([waitFor(() => isDone, text), work]).catch((error: Error) => {
        throw new UserError(error.message);
    });
    return machines.length;
}
