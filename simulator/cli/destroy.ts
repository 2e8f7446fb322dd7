/** `cloudstack-local destroy`: deletes a cloud with its disks. */
import * as readline from "node:readline/promises";
import { parseArgs } from "node:util";
import { STATE_HELP, stateFolder, type StateFolder, UserError } from "./stateFolder";
import { stopCloud } from "./stop";

export const DESTROY_HELP = `cloudstack-local destroy [--state DIR] [--yes]

Cuts the power of the cloud's machines, stops it, and deletes its state with all disks. This cannot be undone. Other
files in the state folder are kept. Templates and release files, which clouds share, stay in the cache.

${STATE_HELP}  --yes              do not ask for confirmation
`;

export async function destroy(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, yes: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    if (folder.hasCloud && !values.yes) await confirm(folder);
    const { hadServer, machines } = await stopCloud(folder, true);
    const hadAnything = folder.hasCloud || hadServer || machines > 0;
    folder.remove();
    console.log(hadAnything ? `The cloud of ${folder.folder} was deleted.` : `There is no cloud in ${folder.folder}.`);
}

/** @throws UserError unless the user confirms */
async function confirm({ folder }: StateFolder): Promise<void> {
    if (!process.stdin.isTTY)
        throw new UserError(
            `This deletes the cloud of ${folder} with all disks: without a terminal to confirm it, use --yes.`,
            2,
        );
    const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
    const question = `Delete the cloud of ${folder} with all machines and disks? Type "yes" to confirm: `;
    const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    const answer = await Promise.race([terminal.question(question), closed]);
    terminal.close();
    if (answer.trim() !== "yes") throw new UserError("Nothing was deleted.");
}
