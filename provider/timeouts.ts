/** How long each operation of a resource may take, in seconds. (The engine's `customTimeouts` do not reach dynamic providers.) */
export interface OperationTimeouts {
    /** Seconds for a creation. */
    create?: number;
    /** Seconds for an update, its stop and start included. */
    update?: number;
    /** Seconds for a deletion. */
    delete?: number;
}

const DEFAULTS: Required<OperationTimeouts> = { create: 900, update: 900, delete: 600 };

/** The timeout of an operation in seconds: the resource's own, or the default. */
function timeoutOf(operation: keyof OperationTimeouts, inputs: { timeoutSeconds?: OperationTimeouts }): number {
    return inputs.timeoutSeconds?.[operation] ?? DEFAULTS[operation];
}

/** What is left until a deadline (milliseconds since the epoch), in whole seconds, at least one. */
export function secondsUntil(deadline: number): number {
    return Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
}

/** The deadline of an operation that starts now, in milliseconds since the epoch. */
export function deadlineOf(operation: keyof OperationTimeouts, inputs: { timeoutSeconds?: OperationTimeouts }): number {
    return Date.now() + timeoutOf(operation, inputs) * 1000;
}
