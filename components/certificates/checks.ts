import { type CheckFailure, type Inputs, isUnknown } from "../../provider/handler";

/** Collects what is wrong with a resource's inputs; values that a preview does not know yet pass. */
export class Failures {
    readonly list: CheckFailure[] = [];
    private readonly inputs: Inputs;

    constructor(inputs: Inputs) {
        this.inputs = inputs;
    }

    add(property: string, reason: string): void {
        this.list.push({ property, reason });
    }

    /** Adds `reason` if the property is there, known and not `good`. */
    unless(property: string, good: (value: any) => boolean, reason: string): void {
        const value = this.inputs[property];
        if (value !== undefined && !isUnknown(value) && !good(value))
            this.add(property, `${JSON.stringify(value)}: ${reason}`);
    }

    required(property: string): void {
        if (this.inputs[property] === undefined || this.inputs[property] === null || this.inputs[property] === "")
            this.add(property, "is missing");
    }

    /** Each entry of a list is checked by itself. */
    each(property: string, good: (value: any) => boolean, reason: string): void {
        const values = this.inputs[property];
        if (!Array.isArray(values)) return;
        values.forEach((value, index) => {
            if (!isUnknown(value) && !good(value))
                this.add(`${property}[${index}]`, `${JSON.stringify(value)}: ${reason}`);
        });
    }
}

export function isCount(least: number, most: number): (value: unknown) => boolean {
    return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** `inputs` with defaults where they have nothing. */
export function withDefaults(inputs: Inputs, defaults: Inputs): Inputs {
    const filled: Inputs = { ...inputs };
    for (const [name, value] of Object.entries(defaults)) filled[name] ??= value;
    return filled;
}

export function isText(value: unknown): boolean {
    return typeof value === "string" && value.length > 0 && value.length <= 64 && !/[\0-\x1f]/.test(value);
}
