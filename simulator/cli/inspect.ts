/** `cloudstack-local stop`, `status`, `env` and `logs`. */
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { manifestFile } from "../artifacts/mirror";
import { cacheFolder } from "../cache";
import { prefixOf, runningMachines, takeDown } from "../hypervisors/nspawn";
import { running } from "./control";
import { environment, FORMATS, type Format } from "./environment";
import { follow } from "./machines";
import { stateFolder, UserError, type StateFolder } from "./stateFolder";

const STATE = "  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)\n";

export const STOP_HELP = `cloudstack-local stop [--state DIR]

Stops the cloud, its machines first. Its state and their disks are kept; machines and jobs go on with the next start.

${STATE}`;

export const STATUS_HELP = `cloudstack-local status [--state DIR] [--json]

Says whether the cloud runs, where, and what it holds. Exit code 1 where it does not run.

${STATE}  --json             the same for programs
`;

export const ENV_HELP = `cloudstack-local env [--state DIR] [--account NAME] [--format FORMAT]

Prints what clients read: this package, the Python client cs and Terraform's CloudStack provider from the environment
(format shell: eval "$(cloudstack-local env)"), cmk and cs from a file.

${STATE}  --account NAME     user (default; may not expunge), expunger (may), or admin (root administrator)
  --format FORMAT    ${FORMATS.join(", ")} (default shell)
`;

export const LOGS_HELP = `cloudstack-local logs [--state DIR] [--lines N] [--follow]

Prints the end of the cloud's log: one line per call of the API.

${STATE}  --lines N          how many (default 50)
  --follow           go on as it grows
`;

function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

/** How long a cloud may take to stop, in milliseconds: its machines shut down first. */
const PATIENCE = 180_000;

export async function stop(args: string[]): Promise<void> {
    const { values } = parseArgs({ args, options: { state: { type: "string" } } });
    const folder = stateFolder(values.state);
    const found = await running(folder);
    if (found === undefined) {
        const stale = folder.server();
        if (stale !== undefined && isAlive(stale.pid)) {
            throw new UserError(
                `Process ${stale.pid}, which served ${folder.folder}, does not answer. If it is the cloud (see ` +
                    `ps -p ${stale.pid}), end it with kill ${stale.pid}.`,
            );
        }
        folder.forgetServer();
        console.log(`No cloud is running on ${folder.folder}.`);
        return takeDownMachines(folder);
    }
    const { pid } = found.server;
    process.kill(pid, "SIGTERM");
    const deadline = Date.now() + PATIENCE;
    while (folder.server()?.pid === pid && isAlive(pid)) {
        if (Date.now() > deadline) throw new UserError(`Process ${pid} did not stop within ${PATIENCE / 1000} s.`);
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    console.log("cloudstack-local has stopped; its state is kept.");
}

/** Machines outlive a cloud that was killed. */
async function takeDownMachines({ folder }: StateFolder): Promise<void> {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return;
    const machines = runningMachines(folder);
    if (machines.length > 0) console.log(`Its machines run without it: shutting down ${machines.length}.`);
    await takeDown(prefixOf(folder), folder, false);
}

export async function status(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    const found = await running(folder);
    if (values.json) {
        const answer =
            found === undefined
                ? { running: false, state: folder.folder }
                : { running: true, state: folder.folder, endpoint: `${found.server.url}/client/api`, ...found.status };
        console.log(JSON.stringify(answer, null, 2));
    } else if (found === undefined) {
        console.log(`No cloud is running on ${folder.folder}.`);
    } else {
        const { server, status: now } = found;
        const machines =
            Object.entries(now.machines)
                .map(([state, count]) => `${count} ${state}`)
                .join(", ") || "none";
        console.log(
            [
                `endpoint      ${server.url}/client/api`,
                `process       ${server.pid}`,
                `state         ${folder.folder}`,
                `hypervisor    ${now.hypervisor}`,
                `network       ${now.network}`,
                `jobs          ${now.pendingJobs} pending, ${now.jobSeconds} s each`,
                `machines      ${machines}`,
                `volumes       ${now.volumes}`,
                `groups        ${now.securityGroups}`,
            ].join("\n"),
        );
    }
    if (found === undefined) process.exitCode = 1;
}

export async function env(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            state: { type: "string" },
            account: { type: "string", default: "user" },
            format: { type: "string", default: "shell" },
        },
    });
    const folder = stateFolder(values.state);
    const credentials = folder.credentials();
    if (credentials === undefined)
        throw new UserError(`There is no cloud in ${folder.folder} yet: cloudstack-local start makes one.`);
    if (!(FORMATS as readonly string[]).includes(values.format))
        throw new UserError(`--format must be one of ${FORMATS.join(", ")}, not "${values.format}".`, 2);
    const account = Object.entries(credentials.accounts).find(([name]) => name === values.account)?.[1];
    if (account === undefined)
        throw new UserError(
            `--account must be one of ${Object.keys(credentials.accounts).join(", ")}, not "${values.account}".`,
            2,
        );
    const found = await running(folder);
    if (found === undefined) console.error("The cloud is not running: start it with cloudstack-local start.");
    const cloud = found && { ...found.status, manifest: manifestFile(cacheFolder()) };
    process.stdout.write(environment({ endpoint: credentials.endpoint, ...account, cloud }, values.format as Format));
}

export async function logs(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            state: { type: "string" },
            lines: { type: "string", default: "50" },
            follow: { type: "boolean", default: false },
        },
    });
    const { logFile } = stateFolder(values.state);
    if (!fs.existsSync(logFile))
        throw new UserError(`There is no log at ${logFile}: the cloud was never started in the background there.`);
    const count = Number(values.lines);
    if (!Number.isInteger(count) || count < 0)
        throw new UserError(`--lines must be a whole number from 0, not "${values.lines}".`, 2);
    const text = fs.readFileSync(logFile);
    const lines = text.toString().replace(/\n$/, "").split("\n");
    if (count > 0) console.log(lines.slice(-count).join("\n"));
    if (values.follow) await follow(logFile, text.length);
}
