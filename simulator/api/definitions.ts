/**
 * The commands with their parameters and the fields of their answers: names, types and lengths as `listApis` of
 * CloudStack 4.22 returns them to a user, in a compact notation (`definitions.json`).
 *
 * `params`: "*id:uuid name:string userdata:string:1048576": a star marks a required one, a number the longest value
 * (else 255); required ones come first, in the order in which CloudStack reports them as missing. `responses`:
 * "name:type", or "name:type>other" for the fields of an object. `absent` are commands that a user of CloudStack may
 * call and that this cloud does not have.
 */
import table from "./definitions.json";

export type ParameterType = "string" | "uuid" | "boolean" | "integer" | "long" | "list" | "map" | "date";

export interface ParameterDefinition {
    readonly name: string;
    readonly type: ParameterType;
    readonly required: boolean;
    readonly length: number;
}

export interface CommandDefinition {
    readonly name: string;
    readonly async: boolean;
    /** The role User may not call it. */
    readonly adminOnly: boolean;
    readonly parameters: readonly ParameterDefinition[];
    readonly response: string;
}

interface Entry {
    async?: boolean;
    adminOnly?: boolean;
    params: string;
    response: string;
}

const words = (text: string) => text.split(" ").filter((word) => word !== "");

function readParameter(word: string): ParameterDefinition {
    const [name, type, length] = word.replace(/^\*/, "").split(":");
    return { name, type: type as ParameterType, required: word.startsWith("*"), length: Number(length ?? 255) };
}

function readCommand(name: string, entry: Entry): CommandDefinition {
    const parameters = words(entry.params).map(readParameter);
    // Every asynchronous command also accepts the id of its job.
    if (entry.async === true) parameters.push({ name: "customjobid", type: "string", required: false, length: 255 });
    return {
        name,
        async: entry.async === true,
        adminOnly: entry.adminOnly === true,
        parameters,
        response: entry.response,
    };
}

export const DEFINITIONS: ReadonlyMap<string, CommandDefinition> = new Map(
    Object.entries(table.commands as Record<string, Entry>).map(([name, entry]) => [name, readCommand(name, entry)]),
);

export const NOT_IMPLEMENTED: ReadonlySet<string> = new Set(words(table.absent));

/** Names of answers that CloudStack spells differently; all others are the command in lower case with "response". */
const RESPONSE_NAMES: Readonly<Record<string, string>> = {
    resetSSHKeyForVirtualMachine: "resetSSHKeyforvirtualmachineresponse",
    restoreVirtualMachine: "restorevmresponse",
    updateVMAffinityGroup: "updatevirtualmachineresponse",
};

/** The name of the JSON object that holds the answer to `command`. */
export function responseName(command: string): string {
    if (RESPONSE_NAMES[command] !== undefined) return RESPONSE_NAMES[command];
    return DEFINITIONS.has(command) || NOT_IMPLEMENTED.has(command)
        ? `${command.toLowerCase()}response`
        : "errorresponse";
}

function describeFields(response: string): object[] {
    return words((table.responses as Record<string, string>)[response]).map((word) => {
        const [name, type] = word.split(":");
        const [kind, nested] = type.split(">");
        return {
            name,
            description: "",
            type: kind,
            ...(nested === undefined ? {} : { response: describeFields(nested) }),
        };
    });
}

/** "deployVirtualMachine" as "Deploy virtual machine". */
function descriptionOf(command: string): string {
    const spaced = command.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
    const lower = spaced.replace(/\b[A-Z][a-z]+/g, (word) => word.toLowerCase());
    return lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** A command as `listApis` describes it. */
export function describe(command: CommandDefinition): object {
    return {
        name: command.name,
        description: descriptionOf(command.name),
        isasync: command.async,
        related: "",
        params: command.parameters.map((p) => ({
            name: p.name,
            description: "",
            type: p.type,
            length: p.length,
            required: p.required,
        })),
        response: describeFields(command.response),
    };
}
