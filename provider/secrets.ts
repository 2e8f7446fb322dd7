import { keepOut, scrub } from "./client";
import type { Inputs, Outputs } from "./handler";
import { hasUnknown } from "./handler";
import { nameOr } from "./knownNames";

/**
 * Which values of arguments messages may contain. Any argument may be secret. Handlers receive plain values, so the
 * class of the resource, which runs in the program, adds the names of the secret arguments (`secretArguments`), which
 * are also copied to the outputs.
 */

/** Arguments that may contain secrets even if they are not marked as secret. Messages never show their values. */
const NEVER_SHOWN = ["userData", "userDataBase64", "tags", "details", "description", "publicKey"];

const HIDDEN = "(secret)";
const LATER = "may change (value not known yet)";

/** The text for a change of an argument: `Small -> Large`, or only that it changes if the value must not be shown. */
export function showChange(property: string, from: unknown, to: unknown, ...of: (Inputs | Outputs)[]): string {
    if (hasUnknown(to)) return LATER;
    return isShown(property, ...of) ? `${show(from)} -> ${show(to)}` : "changes";
}

/** The same for a list whose order has no meaning: `+added -removed`. */
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

/** Whether a message may contain the value of an argument. */
export function isShown(property: string, ...of: (Inputs | Outputs)[]): boolean {
    return !NEVER_SHOWN.includes(property) && !isSecret(property, ...of);
}

/** Whether the program marks an argument, or the argument that contains it, as secret. */
export function isSecret(property: string, ...of: (Inputs | Outputs)[]): boolean {
    const [argument] = property.split(/[.[]/);
    return of.some((one) => namesOf(one).includes(argument!));
}

/**
 * A message about a resource, without the values of its secret arguments and without any longer secret that this
 * process knows.
 */
export function withoutSecrets(text: string, ...of: (Inputs | Outputs | undefined)[]): string {
    const values = [...new Set(of.flatMap(valuesOf))].sort((a, b) => b.length - a.length);
    const clean = values.reduce((rest, value) => rest.replace(asWord(value), HIDDEN), text);
    return scrub(clean);
}

/** Registers the secrets in values from the engine, so that they are removed from all messages of this process. */
export function noteSecrets(...of: (Inputs | Outputs | undefined)[]): void {
    keepOut(of.flatMap(valuesOf));
}

/** Removes the values of a resource's secrets from the text of an error. */
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

/** The strings and numbers in the secret arguments; booleans are not removed from messages. */
function valuesOf(of: Inputs | Outputs | undefined): string[] {
    return namesOf(of).flatMap((name) => leaves(of![name]));
}

function leaves(value: unknown): string[] {
    if (typeof value === "string") return value === "" || hasUnknown(value) ? [] : [value];
    if (typeof value === "number") return [String(value)];
    return value !== null && typeof value === "object" ? Object.values(value).flatMap(leaves) : [];
}

/** Matches a value that is not part of a longer word. */
function asWord(value: string): RegExp {
    const text = value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`(?<![A-Za-z0-9])${text}(?![A-Za-z0-9])`, "g");
}

function show(value: unknown): string {
    if (value === undefined || value === "") return "(none)";
    return typeof value === "string" ? value : JSON.stringify(value);
}
