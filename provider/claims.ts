import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";
import type { Session } from "./session";

/** What one resource asks for that only one can have. */
export interface Claim {
    /** What messages call it: `machine name`. */
    readonly what: string;
    readonly value: string;
    /** Within what it has to be the only one, such as a zone's id; the account or project where there is none. */
    readonly within?: string;
    /** A part of that, such as a network's id; unknown parts may be any. */
    readonly part?: string;
}

/**
 * Adds a problem where another resource of this run asks for the same: the cloud would give it to whoever comes first,
 * and a preview sees neither there yet. Resources are told apart by their marks.
 *
 * @param property the argument that asks for it
 * @param label what messages call the resource
 */
export function claim(
    problems: Problems,
    session: Session,
    inputs: Inputs,
    property: string,
    label: string,
    { what, value, within = "", part }: Claim,
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
        problems.add(property, `${value} is also the ${what} of ${rival.label} in this program: give each its own`);
}
