/** `cloudstack-local exec`: a command in a machine. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import type { Machine } from "../hypervisors/nspawn";
import { HOST_ENV } from "../hypervisors/nspawn/host";
import { shellWord } from "../shellWord";
import { findMachine, knownMachines, runningNames } from "./machines";
import { STATE_HELP, stateFolder, UserError } from "./stateFolder";

/** What it ends with where the command could not be run, as others do that run commands elsewhere. */
const NOT_RUN = 125;

export const EXEC_HELP = `cloudstack-local exec [--state DIR] NAME -- COMMAND [ARGUMENTS]

Runs a command as root in a machine that runs, within its limits. Input, output and exit code are the command's; it has
a terminal where this has one. It works also while the cloud that the machine belongs to is stopped or was killed.

${STATE_HELP}  NAME               a machine's name, address, id or instance name

    cloudstack-local exec web-1 -- bash
    cloudstack-local exec web-1 -- tar -C /etc -c . > etc.tar

Exit code ${NOT_RUN}: there is no such machine, or it does not run.
`;

export async function exec(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: { state: { type: "string" } },
    });
    const [name, ...command] = positionals;
    if (name === undefined || command.length === 0)
        throw new UserError("Name a machine and a command: cloudstack-local exec NAME -- COMMAND", NOT_RUN);
    const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const machine = await machineToEnter(values.state, name);
    process.exitCode = await runIn(machine, hasTerminal ? withTerminal(command) : command);
}

/** @throws UserError with the exit code of this command */
async function machineToEnter(state: string | undefined, name: string): Promise<Machine> {
    try {
        const folder = stateFolder(state);
        const { real, name: fullName } = await findMachine(folder, name);
        if (real !== undefined && (await real.isUp())) return real;
        throw new UserError(`The machine "${fullName}" does not run. ${runningNames(await knownMachines(folder))}`);
    } catch (error) {
        throw error instanceof UserError ? new UserError(error.message, NOT_RUN) : error;
    }
}

/** As of a login of root; nothing of this computer's. */
function environment(): string[] {
    const own = { HOME: "/root", USER: "root", LOGNAME: "root", SHELL: "/bin/bash", LANG: "C.UTF-8" };
    const term = process.env.TERM === undefined ? {} : { TERM: process.env.TERM };
    const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return Object.entries({ ...own, ...term, PATH }).map(([name, value]) => `${name}=${value}`);
}

/** A terminal of the machine's own, which follows the one here: one of this computer has no name in the machine. */
function withTerminal(command: readonly string[]): string[] {
    return ["script", "--quiet", "--return", "--command", `exec ${command.map(shellWord).join(" ")}`, "/dev/null"];
}

/** Answers the command's exit code. */
function runIn(machine: Machine, command: readonly string[]): Promise<number> {
    // Whichever of this, the way into the machine, and the command ends first takes those behind it along.
    const words = ["setpriv", "--pdeathsig", "TERM", "env", "-i", ...environment(), ...command];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...machine.commandLine(words)], {
        stdio: "inherit",
        env: HOST_ENV,
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
}
