/**
 * How long each operation of a resource may take, in seconds. These values take precedence over the resource option
 * `customTimeouts`, which is also supported.
 */
export interface OperationTimeouts {
    /** Seconds for a creation. */
    create?: number;
    /** Seconds for an update, its stop and start included. */
    update?: number;
    /** Seconds for a deletion. */
    delete?: number;
}

const DEFAULTS: Required<OperationTimeouts> = { create: 900, update: 900, delete: 600 };

/** The timeout of an operation in seconds: that of the resource, or the default. */
function timeoutOf(operation: keyof OperationTimeouts, inputs: { timeoutSeconds?: OperationTimeouts }): number {
    return inputs.timeoutSeconds?.[operation] ?? DEFAULTS[operation];
}

/** The time until a deadline (milliseconds since the epoch) in whole seconds, at least one. */
export function secondsUntil(deadline: number): number {
    return Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
}

/** The deadline of an operation that starts now, in milliseconds since the epoch. */
export function deadlineOf(operation: keyof OperationTimeouts, inputs: { timeoutSeconds?: OperationTimeouts }): number {
    return Date.now() + timeoutOf(operation, inputs) * 1000;
}

const SECONDS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/**
 * The values of the resource option `customTimeouts` in whole seconds, at least one.
 *
 * @throws if a value is not a duration such as "15m" or "1h30m"
 */
export function secondsOfOption(customTimeouts: OptionTimeouts): OperationTimeouts {
    const given = (["create", "update", "delete"] as const).filter(
        (operation) => customTimeouts[operation] !== undefined,
    );
    return Object.fromEntries(given.map((operation) => [operation, secondsOf(operation, customTimeouts[operation]!)]));
}

/** The engine's option, with durations such as "15m". */
type OptionTimeouts = { readonly [operation in keyof OperationTimeouts]?: string };

function secondsOf(operation: string, text: string): number {
    if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text))
        throw new Error(`customTimeouts.${operation}: "${text}" is not a duration such as "15m" or "1h30m"`);
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
    const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * SECONDS[unit], 0);
    return Math.max(1, Math.round(seconds));
}
