/** `cloudstack-local ps`, `exec` and `console`: they look at machines from the host, also while no cloud serves them. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { type Machine, memoryOf, processorSecondsOf, runningMachines } from "../hypervisors/nspawn";
import { ask, running } from "./control";
import { stateFolder, type StateFolder, UserError } from "./stateFolder";

const STATE = "  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)\n";

export const PS_HELP = `cloudstack-local ps [--state DIR] [--json]

Lists the machines: the state that the API tells, and of those that run what they use.

${STATE}  --json             the same for programs
`;

export const EXEC_HELP = `cloudstack-local exec [--state DIR] NAME -- COMMAND [ARGUMENTS]

Runs a command as root in a machine that runs, within its limits, and ends with the command's exit code.

${STATE}`;

export const CONSOLE_HELP = `cloudstack-local console [--state DIR] NAME [--lines N] [--follow]

Prints what a machine has written to its console: its boot, its journal, cloud-init.

${STATE}  --lines N          how many (default 200)
  --follow           go on as it grows
`;

/** A machine as the cloud knows it. */
interface Known {
    readonly name: string;
    readonly instanceName: string;
    readonly state: string;
    readonly addresses: readonly string[];
    readonly template: string;
    readonly memoryMiB: number;
}

const runningHere = (folder: StateFolder) => runningMachines(folder.folder);

/** The machine of a name, or of an address. @throws UserError that lists those that run */
function find(folder: StateFolder, name: string): Machine {
    const machines = runningHere(folder);
    const found = machines.find(
        (machine) =>
            [machine.note?.name, machine.instanceName].includes(name) || machine.note?.addresses?.includes(name),
    );
    if (found !== undefined) return found;
    const others = machines.map((machine) => machine.note?.name).join(", ") || "none";
    const isPlain = folder.credentials()?.hypervisor === "none";
    throw new UserError(
        isPlain
            ? "Machines of this cloud keep their states only (hypervisor none): there is nothing to look into."
            : `No machine "${name}" runs here. Those that run: ${others}.`,
    );
}

function mebibytes(bytes: number): number {
    return Math.round(bytes / 2 ** 20);
}

export async function ps(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    const cloud = await running(folder);
    const known = cloud === undefined ? [] : (await ask<{ machines: Known[] }>(cloud.server, "GET", "machines")).machines;
    const alive = new Map(runningHere(folder).map((machine) => [machine.instanceName, machine]));
    const unknown = [...alive.values()].filter(({ instanceName }) => !known.some((one) => one.instanceName === instanceName));
    const rows = [
        ...known,
        ...unknown.map(({ instanceName, note: is }) => ({
            ...{ name: is?.name ?? "?", instanceName, state: "(no cloud)", addresses: is?.addresses ?? [] },
            ...{ template: "", memoryMiB: 0 },
        })),
    ].map((one) => ({ ...one, ...usage(alive.get(one.instanceName)) }));
    if (values.json) return console.log(JSON.stringify(rows, null, 2));
    if (rows.length === 0) return console.log("There are no machines.");
    printTable(
        ["NAME", "ADDRESS", "STATE", "MEMORY (MiB)", "CPU (s)", "TEMPLATE", "INSTANCE"],
        rows.map((row) => [
            ...[row.name, row.addresses.join(","), row.state],
            row.usedMiB === undefined ? "-" : `${row.usedMiB} of ${row.memoryMiB}`,
            row.processorSeconds === undefined ? "-" : row.processorSeconds.toFixed(1),
            ...[row.template, row.instanceName],
        ]),
    );
}

function usage(machine: Machine | undefined): { usedMiB?: number; peakMiB?: number; processorSeconds?: number } {
    if (machine === undefined) return {};
    const { used, peak } = memoryOf(machine.group);
    return { usedMiB: mebibytes(used), peakMiB: mebibytes(peak), processorSeconds: processorSecondsOf(machine.group) };
}

function printTable(head: string[], rows: string[][]): void {
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
    for (const row of [head, ...rows])
        console.log(row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
}

export async function exec(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: { state: { type: "string" } },
    });
    const [name, ...command] = positionals;
    if (name === undefined || command.length === 0)
        throw new UserError("Name a machine and a command: cloudstack-local exec NAME -- COMMAND", 2);
    const [program, ...words] = find(stateFolder(values.state), name).commandLine(command);
    const child = spawn(program, words, { stdio: "inherit" });
    process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => resolve(code ?? 1));
    });
}

export async function showConsole(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: {
            state: { type: "string" },
            lines: { type: "string", default: "200" },
            follow: { type: "boolean", default: false },
        },
    });
    const [name] = positionals;
    if (name === undefined) throw new UserError("Name a machine: cloudstack-local console NAME", 2);
    const count = Number(values.lines);
    if (!Number.isInteger(count) || count < 0)
        throw new UserError(`--lines must be a whole number from 0, not "${values.lines}".`, 2);
    const { consoleFile } = find(stateFolder(values.state), name);
    const text = fs.existsSync(consoleFile) ? fs.readFileSync(consoleFile) : Buffer.alloc(0);
    const lines = text.toString().replace(/\n$/, "").split("\n");
    if (count > 0) console.log(lines.slice(-count).join("\n"));
    if (values.follow) await follow(consoleFile, text.length);
}

/** Prints what a file gets from now on, until the process is ended. */
export async function follow(file: string, from: number): Promise<never> {
    let position = from;
    for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const { size } = fs.statSync(file);
        if (size <= position) continue;
        const stream = fs.createReadStream(file, { start: position, end: size - 1 });
        position = size;
        for await (const chunk of stream) process.stdout.write(chunk);
    }
}
