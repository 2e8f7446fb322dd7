/** `cloudstack-local destroy`: the end of a cloud, with its disks. */
import * as fs from "node:fs";
import * as readline from "node:readline/promises";
import { parseArgs } from "node:util";
import { prefixOf, takeDown } from "../hypervisors/nspawn";
import { stop } from "./inspect";
import { stateFolder, type StateFolder, UserError } from "./stateFolder";

export const DESTROY_HELP = `cloudstack-local destroy [--state DIR] [--yes]

Stops the cloud and deletes its state folder with all disks. There is no way back.

  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)
  --yes              do not ask
`;

export async function destroy(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { state: { type: "string" }, yes: { type: "boolean", default: false } },
    });
    const folder = stateFolder(values.state);
    if (folder.credentials() === undefined && !fs.existsSync(folder.logFile))
        return console.log(`There is no cloud in ${folder.folder}.`);
    if (!values.yes) await confirm(folder);
    await stop(values.state === undefined ? [] : ["--state", values.state]);
    if (process.getuid?.() === 0 && process.platform === "linux")
        await takeDown(prefixOf(folder.folder), folder.folder, true);
    fs.rmSync(folder.folder, { recursive: true, force: true });
    console.log(`${folder.folder} is deleted.`);
}

/** @throws UserError where nobody says yes */
async function confirm({ folder }: StateFolder): Promise<void> {
    if (!process.stdin.isTTY) throw new UserError(`This deletes ${folder} with all disks: say --yes.`, 2);
    const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
    const answer = await terminal.question(`Delete ${folder} with all machines and disks? Only "yes" will do: `);
    terminal.close();
    if (answer !== "yes") throw new UserError("Nothing was deleted.");
}
