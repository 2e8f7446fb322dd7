/** `cloudstack-local console`: prints what a machine writes to its console. */
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { follow, lastLines } from "../tail";
import { findMachine } from "./machines";
import { STATE_HELP, stateFolder, UserError } from "./stateFolder";

export const CONSOLE_HELP = `cloudstack-local console [--state DIR] NAME [--lines N] [--follow]

Prints the end of a machine's console log: its boot, its journal, cloud-init. Works also for stopped machines, and while
the cloud is stopped.

${STATE_HELP}  NAME               a machine's name, address, id or instance name
  --lines N          number of lines (default 200)
  --follow           keep printing lines as they are added
`;

/** @throws UserError if the text is not a whole number from 0 */
export function lineCount(text: string): number {
    const count = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
        throw new UserError(`--lines must be a whole number from 0, not "${text}".`, 2);
    return count;
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
    if (positionals.length !== 1)
        throw new UserError("Exactly one machine is required: cloudstack-local console NAME", 2);
    const count = lineCount(values.lines);
    const { real, name: fullName } = await findMachine(stateFolder(values.state), name);
    if (real === undefined)
        throw new UserError(`The machine "${fullName}" has never been started: it has no console yet.`);
    const { consoleFile } = real;
    const { text, size } = lastLines(consoleFile, count);
    process.stdout.write(text);
    if (!values.follow) return;
    // Ends when the machine is expunged, which deletes its folder.
    await follow(
        consoleFile,
        size,
        (part) => process.stdout.write(part),
        () => fs.existsSync(consoleFile),
    );
}
