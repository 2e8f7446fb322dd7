import type * as pulumi from "@pulumi/pulumi";
import type { Artifacts, ArtifactsArgs } from "./artifacts";

/** Takes one problem of an argument. */
export type Report = (path: string, problem: string, remedy: string) => void;

/**
 * A value that is known while the program runs; undefined for what is not given and for outputs and promises, which
 * nobody can look into yet.
 */
export function known<T>(input: pulumi.Input<T> | undefined): T | undefined {
    if (typeof input !== "object" || input === null) return input as T | undefined;
    if (Array.isArray(input)) return input as T;
    return isLater(input, "apply") || isLater(input, "then") ? undefined : (input as T);
}

/** A list's items, undefined for those that are not known; undefined where nobody knows the list itself. */
export function knownItems<T>(input: pulumi.Input<pulumi.Input<T>[]> | undefined): (T | undefined)[] | undefined {
    return known(input)?.map((item) => known(item));
}

/** A value with nothing unknown in it, or undefined: to check a part of it would be to guess. */
export function whollyKnown<T>(input: pulumi.Input<T> | undefined): pulumi.Unwrap<T> | undefined {
    return allKnown(input) ? (input as pulumi.Unwrap<T> | undefined) : undefined;
}

/** The artifacts' arguments, if all of them are known. */
export function knownArtifacts(input: pulumi.Input<ArtifactsArgs> | undefined): Artifacts | undefined {
    return whollyKnown(input);
}

function isLater(value: object, method: "apply" | "then"): boolean {
    return method in value && typeof (value as Record<string, unknown>)[method] === "function";
}

function allKnown(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return true;
    return known(value) !== undefined && Object.values(value).every(allKnown);
}
