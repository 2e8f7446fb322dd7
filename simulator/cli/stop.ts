/** `cloudstack-local stop`: the end of a cloud's process, of its machines, and of all that it has on this computer. */
import { parseArgs } from "node:util";
import { isEmpty, type Machine, possessionsOf, prefixOf, runningMachines, takeDown } from "../hypervisors/nspawn";
import { isAlive } from "../hypervisors/nspawn/host";
import { running } from "./control";
import { type ServerFile, STATE_HELP, type StateFolder, stateFolder, UserError } from "./stateFolder";
import { counted } from "./table";
import { waitFor } from "./waiting";

export const STOP_HELP = `cloudstack-local stop [--state DIR] [--force]

Stops the cloud. Its machines shut down first, all at the same time, and come back with the next start, as do jobs that
were at work; its state and all disks are kept. Machines that run without their cloud, since it was killed, are stopped
as well.

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

/** What there was to stop. */
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

/** @throws UserError where something does not end */
export async function stopCloud(folder: StateFolder, force: boolean): Promise<Found> {
    const server = await serverOf(folder);
    if (server !== undefined) await stopServer(folder, server, force);
    folder.forgetServer();
    return { hadServer: server !== undefined, machines: await takeDownRest(folder, force) };
}

/** @throws UserError where there is a process of which nobody knows whether it is the cloud's */
async function serverOf(folder: StateFolder): Promise<ServerFile | undefined> {
    const found = folder.serverProcess() ?? (await running(folder))?.server;
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

/** How many machines are named before the rest is counted. */
const NAMED = 5;

function waitingFor(machines: readonly Machine[]): string {
    const names = machines.slice(0, NAMED).map(({ name }) => name);
    const more = machines.length > NAMED ? `, and ${machines.length - NAMED} more` : "";
    return `Waiting for ${counted(machines.length, "machine")} to shut down: ${names.join(", ")}${more}`;
}

/** How long a cloud may take to end when none of its machines runs any more, in milliseconds. */
const PATIENCE = { orderly: 180_000, forced: 10_000 };

/** Comes back when the server has gone, or has not within its time. */
async function untilGone(folder: StateFolder, server: ServerFile, patience: number): Promise<boolean> {
    const { pid } = server;
    let idleSince = Date.now();
    let machines: Machine[] = [];
    const isGone = () => folder.server()?.pid !== pid || hasEnded(server);
    const goesOn = () => {
        machines = runningOf(folder);
        if (machines.length > 0) idleSince = Date.now();
        return Date.now() - idleSince < patience;
    };
    const text = () => (machines.length > 0 ? waitingFor(machines) : `Waiting for process ${pid} to end`);
    return waitFor(isGone, text, goesOn);
}

async function stopServer(folder: StateFolder, server: ServerFile, force: boolean): Promise<void> {
    const { pid } = server;
    if (force) process.kill(pid, "SIGQUIT");
    else if (server.isStopping !== true) process.kill(pid, "SIGTERM");
    if (await untilGone(folder, server, force ? PATIENCE.forced : PATIENCE.orderly)) return;
    // A state survives the end of its process at any moment.
    if (force) process.kill(pid, "SIGKILL");
    if (force && (await untilGone(folder, server, PATIENCE.forced))) return;
    throw new UserError(
        `Process ${pid} did not stop within ${PATIENCE[force ? "forced" : "orderly"] / 1000} s.` +
            (force ? "" : ` It will with cloudstack-local stop --force --state ${folder.folder}`),
    );
}

/** Waits for a cloud that is just stopping. */
export async function stopped(folder: StateFolder): Promise<void> {
    const server = folder.serverProcess();
    if (server?.isStopping === true) await untilGone(folder, server, PATIENCE.orderly);
}

/** What a server that was killed has left; answers how many machines ran. */
async function takeDownRest({ folder }: StateFolder, force: boolean): Promise<number> {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return 0;
    const prefix = prefixOf(folder);
    if (isEmpty(possessionsOf(prefix, folder))) return 0;
    const machines = runningMachines(folder);
    let isDone = false;
    const work = takeDown(prefix, folder, force).finally(() => (isDone = true));
    const text = () => waitingFor(machines.filter(({ runs }) => runs));
    await Promise.all([waitFor(() => isDone, text), work]).catch((error: Error) => {
        throw new UserError(error.message);
    });
    return machines.length;
}
