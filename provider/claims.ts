import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";
import type { Session } from "./session";

/** A value that only one resource can have. */
export interface Claim {
    /** How messages call it: `machine name`. */
    readonly what: string;
    readonly value: string;
    /** The scope in which it must be unique, such as a zone's id. Default: the account or project. */
    readonly within?: string;
    /** A part of the scope, such as a network's id. An unknown part may be any part of the scope. */
    readonly part?: string;
    /** What to do about it. Default: to give each its own value. */
    readonly remedy?: string;
}

/**
 * Adds a problem if another resource of this run claims the same value. In the cloud the second creation would fail,
 * and a preview finds neither resource there yet. Resources are distinguished by their owner marks.
 *
 * @param property the argument that has the value
 * @param label what messages call the resource
 */
export function claim(
    problems: Problems,
    session: Session,
    inputs: Inputs,
    property: string,
    label: string,
    { what, value, within = "", part, remedy = "give each its own" }: Claim,
): void {
    const { owner } = inputs;
    if (typeof owner !== "string" || isUnknown(owner) || isUnknown(value)) return;
    const key = JSON.stringify([what, within, value]);
    const claims = session.claims.get(key) ?? [];
    session.claims.set(key, [...claims.filter((other) => other.owner !== owner), { owner, label, part }]);
    const rival = claims.find(
        (other) => other.owner !== owner && (part === undefined || other.part === undefined || other.part === part),
    );
    if (rival !== undefined)
        problems.add(property, `${value} is also the ${what} of ${rival.label} in this program: ${remedy}`);
}
