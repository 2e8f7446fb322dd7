import type * as pulumi from "@pulumi/pulumi";
import type { Artifacts, ArtifactsArgs } from "./artifacts";

/** Records one problem of an argument. */
export type Report = (path: string, problem: string, remedy: string) => void;

/**
 * The value of an input that is known while the program runs; undefined if it is not given, or is an output or a
 * promise.
 */
export function known<T>(input: pulumi.Input<T> | undefined): T | undefined {
    if (typeof input !== "object" || input === null) return input as T | undefined;
    if (Array.isArray(input)) return input as T;
    return isLater(input, "apply") || isLater(input, "then") ? undefined : (input as T);
}

/** The items of a list, undefined for each that is not known; undefined if the list itself is not known. */
export function knownItems<T>(input: pulumi.Input<pulumi.Input<T>[]> | undefined): (T | undefined)[] | undefined {
    return known(input)?.map((item) => known(item));
}

/** A value if it and everything in it is known; undefined otherwise. */
export function whollyKnown<T>(input: pulumi.Input<T> | undefined): pulumi.Unwrap<T> | undefined {
    return allKnown(input) ? (input as pulumi.Unwrap<T> | undefined) : undefined;
}

/** The arguments of artifacts if all of them are known; undefined otherwise. */
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
