/** `cloudstack-local ps`: lists the machines, and the resources that they use. */
import { parseArgs } from "node:util";
import { type Usage, usageOf } from "../hypervisors/nspawn";
import { runningCloud } from "./control";
import { type KnownMachine, knownMachines, whyNoneBoots } from "./machines";
import { STATE_HELP, stateFolder } from "./stateFolder";
import { duration, size, table } from "./table";

export const PS_HELP = `cloudstack-local ps [--state DIR] [--json]

Lists all machines: the state that the API reports, whether they really run, and what they use. Works also while the
cloud is stopped, or was killed while its machines run on.

  MEMORY   memory in use, without reclaimable file cache, of the offering's memory
  CPU      processor time since it was started
  UP       time since its last boot
  DISK     disk space of this computer that its root disk and attached volumes take

${STATE_HELP}  --json             print JSON, in bytes and seconds
`;

const HEAD = ["NAME", "ADDRESS", "STATE", "RUNS", "MEMORY", "CPU", "UP", "DISK", "TEMPLATE", "INSTANCE"];

const NOT_RUNNING =
    "The cloud is not running. Its next start starts machines in state Running, or takes over those that still run.";

interface Row extends Omit<KnownMachine, "real">, Partial<Usage> {
    readonly runs: boolean;
}

export async function ps(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    const machines = await knownMachines(folder);
    const rows: Row[] = await Promise.all(
        machines.map(async ({ real, ...known }) => ({
            ...known,
            runs: real?.runs ?? false,
            ...(real && (await usageOf(real, folder.folder, known.volumeIds))),
        })),
    );
    if (values.json) return console.log(JSON.stringify(rows, null, 2));
    console.log(rows.length === 0 ? "There are no machines." : table(HEAD, rows.map(cells)));
    const notes = [whyNoneBoots(folder), (await runningCloud(folder)) === undefined ? NOT_RUNNING : undefined];
    for (const note of notes) if (note !== undefined) console.error(note);
}

function cells(row: Row): string[] {
    const { memoryBytes, processorSeconds, upSeconds, rootDiskBytes, volumeBytes } = row;
    return [
        ...[row.name, row.addresses.join(","), row.state ?? "unknown", row.runs ? "yes" : "no"],
        memoryBytes === undefined ? "-" : `${size(memoryBytes)} of ${size(row.memoryMiB * 2 ** 20)}`,
        processorSeconds === undefined ? "-" : duration(processorSeconds),
        upSeconds === undefined ? "-" : duration(upSeconds),
        rootDiskBytes === undefined ? "-" : size(rootDiskBytes + (volumeBytes ?? 0)),
        ...[row.template, row.instanceName],
    ];
}
