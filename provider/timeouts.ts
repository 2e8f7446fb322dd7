/** How long each operation of a resource may take, in seconds. (The engine's `customTimeouts` do not reach dynamic providers.) */
export interface OperationTimeouts {
    create?: number;
    update?: number;
    delete?: number;
}

const DEFAULTS: Required<OperationTimeouts> = { create: 900, update: 900, delete: 600 };

/** The timeout of an operation in seconds: the resource's own, or the default. */
export function timeoutOf(operation: keyof OperationTimeouts, inputs: { timeoutSeconds?: OperationTimeouts }): number {
    return inputs.timeoutSeconds?.[operation] ?? DEFAULTS[operation];
}
