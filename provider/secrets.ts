import { keepOut, scrub } from "./client";
import type { Inputs, Outputs } from "./handler";
import { hasUnknown } from "./handler";
import { nameOr } from "./knownNames";

/**
 * What may be said of arguments. Any of them may be a secret of the program's. The engine gives handlers the plain values, so the class of the
 * resource, which runs in the program, adds the names of those that are (`secretArguments`), and outputs repeat them.
 */

/** Arguments of free text, in which people put secrets without saying so: that they change is said, their values never are. */
const NEVER_SHOWN = ["userData", "userDataBase64", "tags", "details", "description", "publicKey"];

const HIDDEN = "(secret)";
const LATER = "may change (value not known yet)";

/** How a change of an argument reads: `Small -> Large`, or that it changes where its value is not for everybody. */
export function showChange(property: string, from: unknown, to: unknown, ...of: (Inputs | Outputs)[]): string {
    if (hasUnknown(to)) return LATER;
    return isShown(property, ...of) ? `${show(from)} -> ${show(to)}` : "changes";
}

/** The same for a list whose order means nothing: `+added -removed`. */
export function showSetChange(
    property: string,
    from: readonly unknown[],
    to: unknown,
    ...of: (Inputs | Outputs)[]
): string {
    if (!Array.isArray(to) || hasUnknown(to)) return LATER;
    if (!isShown(property, ...of)) return "changes";
    const added = to.filter((item) => !from.includes(item)).map((item) => `+${nameOr(String(item))}`);
    const removed = from.filter((item) => !to.includes(item)).map((item) => `-${nameOr(String(item))}`);
    return [...added, ...removed].join(" ");
}

/** Whether a message may have the values of an argument. */
export function isShown(property: string, ...of: (Inputs | Outputs)[]): boolean {
    return !NEVER_SHOWN.includes(property) && !isSecret(property, ...of);
}

/** Whether the program says that an argument, or the one that holds it, is a secret. */
export function isSecret(property: string, ...of: (Inputs | Outputs)[]): boolean {
    const [argument] = property.split(/[.[]/);
    return of.some((one) => namesOf(one).includes(argument!));
}

/** A message about a resource, without the values of its secret arguments and without all longer secrets that this process has met. */
export function withoutSecrets(text: string, ...of: (Inputs | Outputs | undefined)[]): string {
    const values = [...new Set(of.flatMap(valuesOf))].sort((a, b) => b.length - a.length);
    const clean = values.reduce((rest, value) => rest.replace(asWord(value), HIDDEN), text);
    return scrub(clean);
}

/** To be called with what the engine gives a handler: its secrets are kept out of every message of this process. */
export function noteSecrets(...of: (Inputs | Outputs | undefined)[]): void {
    keepOut(of.flatMap(valuesOf));
}

/** Removes the values of a resource's secrets from the text of an error, which keeps what else it is. */
export function cleanError(error: unknown, ...of: (Inputs | Outputs | undefined)[]): void {
    if (!(error instanceof Error)) return;
    const clean = withoutSecrets(error.message, ...of);
    if (clean === error.message) return;
    error.message = clean;
    if ("reasons" in error) error.reasons = [clean];
}

function namesOf(of: Inputs | Outputs | undefined): string[] {
    const names: unknown = of?.secretArguments;
    return Array.isArray(names) ? names.map(String) : [];
}

/** Texts and numbers of the secret arguments; whether something is true or false is not worth hiding in a message. */
function valuesOf(of: Inputs | Outputs | undefined): string[] {
    return namesOf(of).flatMap((name) => leaves(of![name]));
}

function leaves(value: unknown): string[] {
    if (typeof value === "string") return value === "" || hasUnknown(value) ? [] : [value];
    if (typeof value === "number") return [String(value)];
    return value !== null && typeof value === "object" ? Object.values(value).flatMap(leaves) : [];
}

/** A value where it stands by itself, not as a part of a longer word. */
function asWord(value: string): RegExp {
    const text = value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`(?<![A-Za-z0-9])${text}(?![A-Za-z0-9])`, "g");
}

function show(value: unknown): string {
    if (value === undefined || value === "") return "(none)";
    return typeof value === "string" ? value : JSON.stringify(value);
}
