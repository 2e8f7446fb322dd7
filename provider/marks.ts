import * as crypto from "node:crypto";
import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";

/**
 * Owner marks: they record in the cloud which resource of which stack created an entity. The engine stores an id only
 * when `create` returns. If the process is killed before that, the entity can only be identified by a mark that the
 * creating command itself has written: in the details of a machine, in the description of a group, in the name of
 * anything else.
 *
 * A mark is `<organization>/<project>/<stack>/<resource>#<digest>`. The name of a resource is unique only among
 * resources of the same type with parents of the same types, so the digest includes these types. It does not include
 * the stack's name, so it stays the same when a stack is renamed. (Marks of version 0.1.0 have no digest.)
 */

/** The longest description of a group that CloudStack accepts, in characters. */
const DESCRIPTION_LENGTH = 255;

/**
 * @param urn the resource's URN: `urn:pulumi:<stack>::<project>::<types>::<name>`
 */
export function markOf(organization: string, project: string, stack: string, name: string, urn: string): string {
    const withinStack = urn.split("::").slice(2).join("::");
    return `${[organization, project, stack, name].join("/")}#${markFor(withinStack)}`;
}

/** The digest of a mark; `undefined` for a mark of 0.1.0. */
export function digestOf(owner: string): string | undefined {
    return /#([0-9a-f]{8})$/.exec(owner)?.[1];
}

/** The mark that version 0.1.0 gave to all resources with this name. */
export function markWithoutDigest(owner: string): string {
    return owner.replace(/#[0-9a-f]{8}$/, "");
}

/** The form of an owner mark in names: eight hexadecimal digits of its hash. */
export function markFor(owner: string): string {
    return crypto.createHash("sha256").update(owner).digest("hex").slice(0, 8);
}

/** A name with its owner mark, at most `most` characters long. A name that has the mark already is not changed. */
export function markedName(name: string, owner: string, most = 63): string {
    const suffix = `-${markFor(owner)}`;
    return name.endsWith(suffix) ? name : name.slice(0, most - suffix.length) + suffix;
}

/** A marked name without its mark. */
export function unmarkedName(name: string): string {
    return name.replace(/-[0-9a-f]{8}$/, "");
}

/** A description: the user's text, then the owner mark. */
export function markedText(text: string | undefined, owner: string): string {
    return text === undefined || text === "" ? `[${owner}]` : `${text} [${owner}]`;
}

/** Adds the problems of a description, which must also have room for the mark. */
export function checkDescription(problems: Problems, inputs: Inputs, property = "description"): void {
    const { [property]: description, owner } = inputs;
    const mark = typeof owner === "string" && !isUnknown(owner) ? markedText("x", owner).length - 1 : 0;
    problems.optionalString(inputs, property, DESCRIPTION_LENGTH - mark);
    if (typeof description === "string" && description !== unmarkedText(description))
        problems.add(property, "ends in the format of the mark that this package adds there: change its end");
}

const MARK_AT_END = / ?\[([^\][]*\/[^\][]*\/[^\][]*\/[^\][]*)\]$/;

/** The user's text of a description, without the mark. */
export function unmarkedText(description: string | undefined): string {
    return (description ?? "").replace(MARK_AT_END, "");
}

/** The mark in a description; `undefined` if this package did not write it. */
export function markIn(description: string | undefined): string | undefined {
    return MARK_AT_END.exec(description ?? "")?.[1];
}
