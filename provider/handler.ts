import * as crypto from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";

/** Plain JSON that the engine and a handler exchange. */
export type Inputs = Record<string, any>;
export type Outputs = Record<string, any>;

/**
 * The lifecycle of one kind of resource. It implements `pulumi.dynamic.ResourceProvider` (a type-only import: handlers
 * run in the plugin process, where loading the SDK again would take half a second).
 *
 * - `check` fills in defaults and reports all problems of a resource.
 * - `diff` compares old outputs with new inputs, without I/O. A refresh calls it the other way round.
 * - `create`, `read` and `update` return new JSON without `undefined`, which the plugin cannot encode.
 */
export type Handler = Required<Omit<dynamic.ResourceProvider<Inputs, Outputs>, "configure">>;

export type CheckFailure = dynamic.CheckFailure;
export type CheckResult = dynamic.CheckResult;
export type DiffResult = dynamic.DiffResult;

/**
 * The value of an input that a preview does not know yet. Dynamic providers receive the engine's sentinel as it is
 * (https://github.com/pulumi/pulumi/issues/6310).
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a preview does not know a value yet. Such a value is never validated, parsed or compared. */
export function isUnknown(value: unknown): boolean {
    return value === UNKNOWN;
}

/** Whether any part of a value is unknown. */
export function hasUnknown(value: unknown): boolean {
    if (Array.isArray(value)) return value.some(hasUnknown);
    if (value !== null && typeof value === "object") return Object.values(value).some(hasUnknown);
    return isUnknown(value);
}

/** A copy without `undefined`, which the plugin cannot encode. */
export function clean<T>(value: T): T {
    return JSON.parse(JSON.stringify(value)) as T;
}

/** The inputs that are copied to the outputs: without `__provider`, which the engine adds. */
export function echoOf(inputs: Inputs): Outputs {
    const { __provider: _provider, ...echo } = inputs;
    return echo;
}

/** Deep equality of JSON values. The order of keys is ignored; `undefined` equals a missing key. */
export function same(a: unknown, b: unknown): boolean {
    return stable(a) === stable(b);
}

/** A digest of a JSON value that does not depend on the order of keys. */
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
 * The error of a resource that was created but is not complete. The engine stores its id and outputs in the state and
 * calls `update` in the next run. (The plugin recognizes the error by its `id`; `properties` must contain `__provider`,
 * so that a later delete finds its handler. See
 * https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/dynamic-provider/index.ts.)
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
