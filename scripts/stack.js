"use strict";

/** The stack on the embedded cloud, which is used until the user selects another. */
const localStack = "local";

/**
 * The passphrase of stack `local`, the same in every checkout: Pulumi.local.yaml, which is committed, has its salt, and
 * the engine would replace that for another passphrase. It encrypts secrets of a cloud that listens on 127.0.0.1 only,
 * whose state other users cannot read.
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

/** Subcommands of `stack` that work without a selected stack. */
const stacklessCommands = new Set(["init", "list", "ls", "new", "select", "unselect"]);

/** Subcommands of `stack` that take a stack's name as an argument. */
const commandsWithName = new Set(["init", "new", "remove", "rm", "select"]);

/** Flags of every command that take a value. */
const globalFlags =
    /^(--cwd|-C|--color|--verbose|-v|--config-file|--tracing|--otel-traces|--profiling|--memprofilerate)$/;

/**
 * Parses which stack a command line of the engine works on.
 *
 * @param {string[]} args
 * @returns {{ needsStack: boolean, stack?: string }} whether it works on a stack that must exist; `stack` when it names
 * one
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
    const subcommandOfStack = command === "stack" ? subcommand : "";
    return {
        needsStack: stackCommands.has(command) && !stacklessCommands.has(subcommandOfStack),
        stack: stack ?? (commandsWithName.has(subcommandOfStack) ? name : undefined),
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
