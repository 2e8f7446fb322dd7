"use strict";

/** The stack that runs on the embedded cloud, and the one that is used while the user has chosen no other. */
const localStack = "local";

/**
 * The passphrase of stack `local`, in every checkout: its salt stands in Pulumi.local.yaml, which is committed, and the
 * engine would write another one there for a passphrase of the checkout's own. What it encrypts are the secrets of a
 * cloud that listens on 127.0.0.1 only, and its state lies in a folder that is closed to other users.
 */
const localPassphrase = "cloudstack-local";

/** Commands of the engine that work on a stack. */
const stackCommands = new Set([
    "cancel",
    "config",
    "destroy",
    "down",
    "import",
    "logs",
    "pre",
    "preview",
    "refresh",
    "stack",
    "state",
    "up",
    "update",
    "watch",
]);

/** Commands below `stack` that choose a stack, list stacks or make one: they need none to be selected. */
const choosingCommands = new Set(["init", "list", "ls", "new", "select", "unselect"]);

/** Commands below `stack` that name a stack without a flag. */
const namingCommands = new Set(["init", "new", "remove", "rm", "select"]);

/** Flags of every command that take a value. */
const globalFlags = /^(--cwd|-C|--color|--verbose|-v|--config-file|--tracing|--otel-traces|--profiling|--memprofilerate)$/;

/**
 * What a command line of the engine says about stacks.
 *
 * @param {string[]} args
 * @returns {{ needsStack: boolean, stack?: string }} whether it works on a stack that must exist; `stack` when it names one
 */
function readCommandLine(args) {
    const words = [];
    let stack;
    for (let i = 0; i < args.length; i++) {
        const argument = args[i];
        if (argument === "--") {
            break;
        }
        const named = /^(?:--stack(?:=|$)|-s=?)(.*)$/.exec(argument);
        if (named) {
            stack = named[1] || args[++i];
        } else if (argument === "--help" || argument === "-h") {
            return { needsStack: false };
        } else if (globalFlags.test(argument)) {
            i++;
        } else if (!argument.startsWith("-")) {
            words.push(argument);
        }
    }
    const [command, subcommand, name] = words;
    const below = command === "stack" ? subcommand : "";
    return {
        needsStack: stackCommands.has(command) && !choosingCommands.has(below),
        stack: stack ?? (namingCommands.has(below) ? name : undefined),
    };
}

/**
 * The bare name of a stack: `organization/project/local` is `local`.
 *
 * @param {string} stack
 */
function bareName(stack) {
    return stack.slice(stack.lastIndexOf("/") + 1);
}

module.exports = { bareName, localPassphrase, localStack, readCommandLine };
