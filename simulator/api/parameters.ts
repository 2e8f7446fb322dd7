/**
 * Parses and checks the parameters of a command as CloudStack does: in the order of the definition, stopping at the
 * first error, with CloudStack's texts. Ids are looked up here, so that a command only gets ids that exist.
 */
import { internal, malformed } from "./errors";
import type { CommandDefinition, ParameterDefinition } from "./definitions";

/** Values by parameter name: string, number, boolean, list of strings, or the entries of a map. */
export type Arguments = Readonly<Record<string, any>>;

/** Whether the id in a parameter exists. */
export type Exists = (parameter: string, id: string) => boolean;

/** ASCII control characters including tab, except line feed and carriage return. */
const CONTROL_CHARACTERS = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/;

/** The rule for host names in CloudStack's error texts, after "it" or "Vm name". */
export const NAME_RULE =
    "can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-'), " +
    "must be between 1 and 63 characters long, and can't start or end with \"-\" and can't start with digit";

/** Whether it is valid as a machine's name, which is its host name. */
export function isHostName(name: string): boolean {
    return /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name);
}

/** Plain values by lower-case name, and maps: `tags[0].key=env` is entry 0 of `tags`, with `{key: "env"}`. */
function unpack(parameters: ReadonlyMap<string, string>): Map<string, string | Record<string, string>[]> {
    const unpacked = new Map<string, string | Record<string, string>[]>();
    for (const [name, value] of parameters) {
        const map = /^([^[]+)\[(\d+)\](?:\.(.+))?$/.exec(name);
        if (map === null) {
            unpacked.set(name.toLowerCase(), value);
            continue;
        }
        const [, field, index, key] = map;
        const entries = unpacked.get(field.toLowerCase());
        const list = Array.isArray(entries) ? entries : [];
        list[Number(index)] = { ...list[Number(index)], [key ?? "value"]: value };
        unpacked.set(field.toLowerCase(), list);
    }
    return unpacked;
}

class Reader {
    private readonly command: CommandDefinition;
    private readonly exists: Exists;

    constructor(command: CommandDefinition, exists: Exists) {
        this.command = command;
        this.exists = exists;
    }

    private refuse(text: string): never {
        throw malformed(`Unable to execute API command ${this.command.name.toLowerCase()} due to ${text}`);
    }

    private id(parameter: string, value: string): string {
        if (!this.exists(parameter, value)) {
            this.refuse(
                `invalid value. Invalid parameter ${parameter} value=${value} due to incorrect long value format, ` +
                    "or entity does not exist or due to incorrect parameter annotation for the field in api cmd class.",
            );
        }
        return value;
    }

    private integer(parameter: string, value: string): number {
        if (!/^[+-]?\d+$/.test(value)) this.refuse(`invalid value ${value} for parameter ${parameter}`);
        return Number(value);
    }

    private text(parameter: ParameterDefinition, value: string): string {
        if (value.length > parameter.length) {
            this.refuse(
                `invalid value. Value greater than max allowed length ${parameter.length} for param: ${parameter.name}`,
            );
        }
        if (this.command.name === "deployVirtualMachine" && parameter.name === "name" && !isHostName(value)) {
            this.refuse(`invalid value. Invalid value provided for API arg: name - it ${NAME_RULE}`);
        }
        return value;
    }

    private list(parameter: ParameterDefinition, value: string): string[] {
        const items = value.split(",").filter((item) => item !== "");
        return /ids$/.test(parameter.name) && parameter.name !== "resourceids"
            ? items.map((item) => this.id(parameter.name, item))
            : items;
    }

    value(parameter: ParameterDefinition, value: string): unknown {
        switch (parameter.type) {
            case "boolean":
                return value.toLowerCase() === "true";
            case "integer":
                return value.trim() === "" ? undefined : this.integer(parameter.name, value);
            case "long":
                return this.integer(parameter.name, value);
            case "uuid":
                return parameter.name === "projectid" && value === "-1" ? value : this.id(parameter.name, value);
            case "list":
                return this.list(parameter, value);
            case "string":
                return this.text(parameter, value);
            default:
                return value;
        }
    }

    read(given: Map<string, string | Record<string, string>[]>): Arguments {
        const values: Record<string, unknown> = {};
        for (const parameter of this.command.parameters) {
            const raw = given.get(parameter.name);
            if (raw === undefined) {
                if (parameter.required) this.refuse(`missing parameter ${parameter.name}`);
                continue;
            }
            const value = Array.isArray(raw) ? raw.filter((entry) => entry !== undefined) : this.value(parameter, raw);
            if (value !== undefined) values[parameter.name] = value;
        }
        return values;
    }
}

/**
 * Parses the arguments of `command`.
 *
 * @throws ApiError 431 for the first missing, malformed or unknown one
 */
export function readArguments(
    command: CommandDefinition,
    parameters: ReadonlyMap<string, string>,
    exists: Exists,
): Arguments {
    for (const [name, value] of parameters) {
        if (CONTROL_CHARACTERS.test(value))
            throw malformed(`Received value containing illegal ASCII non-printable characters for parameter ${name}`);
    }
    return new Reader(command, exists).read(unpack(parameters));
}

/** Lengths of CloudStack's database columns: names and values of tags, values of a machine's details. */
export const COLUMN_LENGTHS = { name: 255, tag: 255, detail: 5120 } as const;

/**
 * Values of maps have no length limit of their own, but fail when stored in too short a column.
 *
 * @throws ApiError 530
 */
export function checkColumns(values: Readonly<Record<string, string>>, longest: number): void {
    for (const [key, value] of Object.entries(values))
        if (key.length > COLUMN_LENGTHS.name || value.length > longest) throw internal();
}

/** Merges the entries of a map into one object: `details[0].owner=x` is `{owner: "x"}`. */
export function merged(entries: Record<string, string>[] | undefined): Record<string, string> {
    return Object.assign({}, ...(entries ?? []));
}
