import type { Inputs } from "./handler";

/**
 * The one rule for changes that erase data, whatever holds it: a preview says in one line what is erased, `allowDataLoss: false` makes an
 * error of that before anything is touched, and what a preview does not know yet is announced there and decided by the update.
 *
 * A machine's root disk may be erased unless its program forbids it, since most hold nothing that their user data does not make again.
 * A volume is there for its data: it may not, unless its program allows it. Taking a resource out of the program, and `pulumi up --replace`,
 * ask for the erasure by name and are not held up.
 */

/** Something that holds data. */
export interface DataHolder {
    /** What it is, as `root disk of web-1` or `volume data-1`. */
    readonly what: string;
    /** Its size in GiB, where it is known and may be shown. */
    readonly sizeGiB?: number;
}

/**
 * `root disk of web-1 (8 GiB) is erased`
 *
 * @param isCertain false where a preview cannot tell yet
 */
export function erased(holder: DataHolder, isCertain: boolean): string {
    const size = typeof holder.sizeGiB === "number" ? ` (${rounded(holder.sizeGiB)} GiB)` : "";
    return `${holder.what}${size} ${isCertain ? "is" : "may be"} erased`;
}

/** Whether a program allows that data is lost; what is not known yet forbids nothing. */
export function mayErase(inputs: Inputs, byDefault: boolean): boolean {
    const given: unknown = inputs.allowDataLoss ?? byDefault;
    return given !== false;
}

/**
 * The error of a change that `allowDataLoss` does not allow.
 *
 * @param line what the change does, as a preview says it
 * @param why who forbids it, such as `allowDataLoss is false`
 */
export function lossRefused(line: string, why: string): string {
    return `${line}. ${why}: undo the change, or set allowDataLoss: true for this change.`;
}

function rounded(gib: number): number {
    return Math.round(gib * 10) / 10;
}
