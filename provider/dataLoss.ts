import type { Inputs } from "./handler";

/**
 * The rules for changes that erase data of any resource: a preview reports in one line what is erased. With
 * `allowDataLoss: false` this is an error before anything is changed. What a preview does not know yet is announced
 * there, and the update decides.
 *
 * A machine's root disk may be erased by default, because the user data can usually recreate its content. A volume may
 * not be erased by default. Removing a resource from the program and `pulumi up --replace` request the erasure
 * explicitly and are not refused.
 */

/** A disk or volume with data. */
export interface DataHolder {
    /** Its name in messages, such as `root disk of web-1` or `volume data-1`. */
    readonly what: string;
    /** Its size in GiB, if it is known and not secret. */
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

/** Whether a program allows data loss. An unknown value does not forbid it. */
export function mayErase(inputs: Inputs, byDefault: boolean): boolean {
    const given: unknown = inputs.allowDataLoss ?? byDefault;
    return given !== false;
}

/**
 * The error of a change that `allowDataLoss` does not allow.
 *
 * @param line what the change does, as in the preview
 * @param why why it is refused, such as `allowDataLoss is false`
 */
export function lossRefused(line: string, why: string): string {
    return `${line}. ${why}: undo the change, or set allowDataLoss: true for this change.`;
}

function rounded(gib: number): number {
    return Math.round(gib * 10) / 10;
}
