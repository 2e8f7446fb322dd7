/** `cloudstack-local exec`: runs a command in a machine. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import type { Machine } from "../hypervisors/nspawn";
import { HOST_ENV, shellWord } from "../hypervisors/nspawn/host";
import { findMachine, knownMachines, runningNames } from "./machines";
import { STATE_HELP, stateFolder, UserError } from "./stateFolder";

/** Exit code when the command could not be run, as `docker run` has it: all others are the command's own. */
const EXIT_NOT_RUN = 125;

export const EXEC_HELP = `cloudstack-local exec [--state DIR] NAME -- COMMAND [ARGUMENTS]

Runs a command as root in a running machine, within its limits. Input, output and exit code are the command's; it gets
a terminal if this command has one. Works also while the machine's cloud is stopped or was killed.

${STATE_HELP}  NAME               a machine's name, address, id or instance name

    cloudstack-local exec web-1 -- bash
    cloudstack-local exec web-1 -- tar -C /etc -c . > etc.tar

Exit code ${EXIT_NOT_RUN}: there is no such machine, or it is not running.
`;

export async function exec(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: { state: { type: "string" } },
    });
    const [name, ...command] = positionals;
    if (name === undefined || command.length === 0)
        throw new UserError(
            "A machine and a command are required: cloudstack-local exec NAME -- COMMAND",
            EXIT_NOT_RUN,
        );
    const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const machine = await findRunningMachine(values.state, name);
    process.exitCode = await runInMachine(machine, hasTerminal ? withTerminal(command) : command);
}

/** @throws UserError with the exit code of this command */
async function findRunningMachine(state: string | undefined, name: string): Promise<Machine> {
    try {
        const folder = stateFolder(state);
        const { real, name: fullName } = await findMachine(folder, name);
        if (real !== undefined && (await real.isUp())) return real;
        throw new UserError(`The machine "${fullName}" is not running. ${runningNames(await knownMachines(folder))}`);
    } catch (error) {
        throw error instanceof UserError ? new UserError(error.message, EXIT_NOT_RUN) : error;
    }
}

/** The environment of a root login in the machine; of this computer's only TERM is passed on. */
function environment(): string[] {
    const own = { HOME: "/root", USER: "root", LOGNAME: "root", SHELL: "/bin/bash", LANG: "C.UTF-8" };
    const term = process.env.TERM === undefined ? {} : { TERM: process.env.TERM };
    const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return Object.entries({ ...own, ...term, PATH }).map(([name, value]) => `${name}=${value}`);
}

/** Runs the command on a pseudo-terminal of the machine's own: this computer's has no device node in the machine. */
function withTerminal(command: readonly string[]): string[] {
    return ["script", "--quiet", "--return", "--command", `exec ${command.map(shellWord).join(" ")}`, "/dev/null"];
}

/** @returns the command's exit code */
function runInMachine(machine: Machine, command: readonly string[]): Promise<number> {
    // When this process or nsenter dies, the parent death signal ends what it has started.
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
