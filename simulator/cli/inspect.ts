/** `cloudstack-local status`, `env` and `logs`. */
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { manifestFile } from "../artifacts/mirror";
import { cacheFolder } from "../cache";
import { follow, lastLines } from "../tail";
import { runningCloud } from "./control";
import { environment, FORMATS, type Format } from "./environment";
import { lineCount } from "./console";
import { STATE_HELP, stateFolder, UserError } from "./stateFolder";

export const STATUS_HELP = `cloudstack-local status [--state DIR] [--json]

Reports whether the cloud is running, its endpoint, and what it holds. Exit code 1 if it is not running.

${STATE_HELP}  --json             print JSON
`;

export const ENV_HELP = `cloudstack-local env [--state DIR] [--account NAME] [--format FORMAT]

Prints the configuration of clients: environment variables for this package, the Python client cs and Terraform's
CloudStack provider (format shell: eval "$(cloudstack-local env)"), or the configuration file of cmk or cs.

${STATE_HELP}  --account NAME     user (default; may not expunge), expunger (may), or admin (root administrator)
  --format FORMAT    ${FORMATS.join(", ")} (default shell)
`;

export const LOGS_HELP = `cloudstack-local logs [--state DIR] [--lines N] [--follow]

Prints the end of the cloud's log: one line per call of the API.

${STATE_HELP}  --lines N          number of lines (default 50)
  --follow           keep printing lines as they are added
`;

export async function status(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    const found = await runningCloud(folder);
    if (values.json) {
        const answer =
            found === undefined
                ? { running: false, state: folder.folder }
                : { running: true, state: folder.folder, endpoint: `${found.server.url}/client/api`, ...found.status };
        console.log(JSON.stringify(answer, null, 2));
    } else if (found === undefined) {
        const isStopping = folder.serverProcess()?.isStopping === true;
        const { folder: where } = folder;
        console.log(isStopping ? `The cloud of ${where} is stopping.` : `No cloud is running on ${where}.`);
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
                ...(now.timing > 0 ? [`timing        ${now.timing} of a real server's time, with its locks`] : []),
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
    const found = await runningCloud(folder);
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
    const { text, size } = lastLines(logFile, lineCount(values.lines));
    process.stdout.write(text);
    if (values.follow) await follow(logFile, size, (part) => process.stdout.write(part));
}
