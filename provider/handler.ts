import * as crypto from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";

/** Plain JSON as it travels between the engine and a handler. */
export type Inputs = Record<string, any>;
export type Outputs = Record<string, any>;

/**
 * The lifecycle of one kind of resource. It satisfies `pulumi.dynamic.ResourceProvider` (a type-only import: handlers run in the plugin
 * process, where loading the SDK again would cost half a second).
 *
 * - `check` fills defaults and reports every problem of a resource at once.
 * - `diff` compares old outputs with new inputs and does no I/O. `refresh` calls it the other way round.
 * - `create`, `read`, `update` answer with fresh JSON without `undefined`, which the plugin could not encode.
 */
export type Handler = Required<Omit<dynamic.ResourceProvider<Inputs, Outputs>, "configure">>;

export type CheckFailure = dynamic.CheckFailure;
export type CheckResult = dynamic.CheckResult;
export type DiffResult = dynamic.DiffResult;

/** What an input is while a preview does not know it yet (Pulumi issue 6310: the sentinel reaches dynamic providers as it is). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** True for a value that a preview does not know; such a value is never validated, parsed or compared. */
export function isUnknown(value: unknown): boolean {
    return value === UNKNOWN;
}

/** True where any part of a value is unknown. */
export function hasUnknown(value: unknown): boolean {
    if (Array.isArray(value)) return value.some(hasUnknown);
    if (value !== null && typeof value === "object") return Object.values(value).some(hasUnknown);
    return isUnknown(value);
}

/** A copy without `undefined` anywhere, as the plugin needs it. */
export function clean<T>(value: T): T {
    return JSON.parse(JSON.stringify(value)) as T;
}

/** The inputs as outputs repeat them: without the text that the engine keeps beside them. */
export function echoOf(inputs: Inputs): Outputs {
    const { __provider: _provider, ...echo } = inputs;
    return echo;
}

/** Deep equality of JSON values; the order of keys does not matter, `undefined` is as good as absent. */
export function same(a: unknown, b: unknown): boolean {
    return stable(a) === stable(b);
}

/** A digest of a JSON value, whatever the order of its keys. */
export function digest(value: unknown): string {
    return crypto.createHash("sha256").update(stable(value)).digest("base64");
}

function stable(value: unknown): string {
    return JSON.stringify(value, (_key, inner) =>
        inner !== null && typeof inner === "object" && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
            : inner,
    );
}

/**
 * A resource that exists but is not what was asked for: the engine keeps its id and outputs in the state and calls `update` next time.
 * (The plugin recognises the error by its `id`; `properties` must carry `__provider`, else a later delete could not find its handler.)
 */
export class PartialFailure extends Error {
    readonly id: string;
    readonly properties: Outputs;
    readonly reasons: string[];

    constructor(message: string, id: string, outputs: Outputs, inputs: Inputs) {
        super(message);
        this.name = "PartialFailure";
        this.id = id;
        this.properties = clean({ ...outputs, __provider: inputs.__provider });
        this.reasons = [message];
    }
}
