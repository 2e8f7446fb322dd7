/** Selects the subcommand, prints help, and reports errors. */
import { ARTIFACTS_HELP, artifacts } from "./artifacts";
import { CONSOLE_HELP, showConsole } from "./console";
import { DESTROY_HELP, destroy } from "./destroy";
import { DOCTOR_HELP, doctor } from "./doctor";
import { EXEC_HELP, exec } from "./exec";
import { FAULT_HELP, fault } from "./fault";
import { ENV_HELP, env, LOGS_HELP, logs, STATUS_HELP, status } from "./inspect";
import { PS_HELP, ps } from "./ps";
import { START_HELP, start } from "./start";
import { UserError } from "./stateFolder";
import { STOP_HELP, stop } from "./stop";

const HELP = `cloudstack-local: a CloudStack-compatible cloud on this computer

  cloudstack-local start     start it
  cloudstack-local stop      stop it; its state is kept
  cloudstack-local destroy   stop it, and delete its state and disks
  cloudstack-local status    report whether it is running, and what it holds
  cloudstack-local env       print the variables or files that clients read
  cloudstack-local logs      print the log of API calls
  cloudstack-local fault     inject faults
  cloudstack-local ps        list its machines, and what they use
  cloudstack-local exec      run a command in a machine
  cloudstack-local console   print what a machine writes to its console
  cloudstack-local artifacts make release files and images for machines without internet
  cloudstack-local doctor    check this computer, and find what clouds have left on it

Each has --help.
`;

const COMMANDS: Readonly<Record<string, { help: string; run: (args: string[]) => Promise<void> }>> = {
    start: { help: START_HELP, run: start },
    stop: { help: STOP_HELP, run: stop },
    status: { help: STATUS_HELP, run: status },
    env: { help: ENV_HELP, run: env },
    logs: { help: LOGS_HELP, run: logs },
    fault: { help: FAULT_HELP, run: fault },
    destroy: { help: DESTROY_HELP, run: destroy },
    ps: { help: PS_HELP, run: ps },
    exec: { help: EXEC_HELP, run: exec },
    console: { help: CONSOLE_HELP, run: showConsole },
    artifacts: { help: ARTIFACTS_HELP, run: artifacts },
    doctor: { help: DOCTOR_HELP, run: doctor },
};

export async function run(args: string[]): Promise<void> {
    const [name, ...rest] = args;
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
        console.log(HELP);
        if (name === undefined) process.exitCode = 2;
        return;
    }
    const command = COMMANDS[name];
    try {
        if (command === undefined)
            throw new UserError(
                `"${name}" is not a command. Commands: ${Object.keys(COMMANDS).join(", ")} (see cloudstack-local --help).`,
                2,
            );
        // What follows "--" is a command to run in a machine, with options of its own.
        const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
        if (own.includes("--help") || own.includes("-h")) return console.log(command.help);
        await command.run(rest);
    } catch (error) {
        const isUsage = (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") === true;
        if (!(error instanceof UserError) && !isUsage) throw error;
        console.error((error as Error).message);
        if (isUsage) console.error(`See cloudstack-local ${name} --help.`);
        process.exitCode = error instanceof UserError ? error.exitCode : 2;
    }
}
