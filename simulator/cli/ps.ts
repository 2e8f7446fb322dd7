/** `cloudstack-local ps`: the machines, and what they use. */
import { parseArgs } from "node:util";
import { type Usage, usageOf } from "../hypervisors/nspawn";
import { running } from "./control";
import { type KnownMachine, knownMachines, statesOnly } from "./machines";
import { STATE_HELP, stateFolder } from "./stateFolder";
import { duration, size, table } from "./table";

export const PS_HELP = `cloudstack-local ps [--state DIR] [--json]

Lists all machines: the state that the API tells, whether they really run, and what they use. It works also while the
cloud is stopped, or was killed and its machines run on.

  MEMORY   in use, without file cache that can be had back at once, of what the offering allows
  CPU      time of a processor that it has had since it was switched on
  UP       time since its last boot
  DISK     what its root disk and its attached volumes take of this computer's disk

${STATE_HELP}  --json             the same for programs, in bytes and seconds
`;

const HEAD = ["NAME", "ADDRESS", "STATE", "RUNS", "MEMORY", "CPU", "UP", "DISK", "TEMPLATE", "INSTANCE"];

const AWAY = "The cloud does not run. Machines that are Running come back, or go on, with cloudstack-local start.";

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
    const notes = [statesOnly(folder), (await running(folder)) === undefined ? AWAY : undefined];
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
