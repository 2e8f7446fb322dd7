import * as crypto from "node:crypto";
import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import type { Problems } from "./lifecycle";

/**
 * How things say whose they are. The engine learns an id only when `create` returns, so after a kill nothing but a mark, written in the
 * creating call itself, tells what is ours: machines carry it in their details, groups in their description, things that have neither in
 * their name.
 *
 * A mark is `<organization>/<project>/<stack>/<resource>#<digest>`. Names of resources are unique per type and types of parents only, so
 * the digest is of those, too. It does not depend on the stack's name: a stack that is renamed has the same. (0.1.0 made marks without.)
 */

/** Longest description of a group that CloudStack takes, in characters. */
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

/** The mark that 0.1.0 gave all resources of this name. */
export function markWithoutDigest(owner: string): string {
    return owner.replace(/#[0-9a-f]{8}$/, "");
}

/** Eight hexadecimal digits of an owner, for names. */
export function markFor(owner: string): string {
    return crypto.createHash("sha256").update(owner).digest("hex").slice(0, 8);
}

/** A name that carries its owner's mark, at most `most` characters long; one that carries it already stays as it is. */
export function markedName(name: string, owner: string, most = 63): string {
    const suffix = `-${markFor(owner)}`;
    return name.endsWith(suffix) ? name : name.slice(0, most - suffix.length) + suffix;
}

/** A marked name without its mark. */
export function unmarkedName(name: string): string {
    return name.replace(/-[0-9a-f]{8}$/, "");
}

/** A description that carries its owner after the user's text. */
export function markedText(text: string | undefined, owner: string): string {
    return text === undefined || text === "" ? `[${owner}]` : `${text} [${owner}]`;
}

/** Adds what is wrong with a description, which also has to hold the mark. */
export function checkDescription(problems: Problems, inputs: Inputs): void {
    const { description, owner } = inputs;
    const mark = typeof owner === "string" && !isUnknown(owner) ? markedText("x", owner).length - 1 : 0;
    problems.optionalString(inputs, "description", DESCRIPTION_LENGTH - mark);
    if (typeof description === "string" && description !== unmarkedText(description))
        problems.add("description", "ends in the format of the mark that this package adds there: change its end");
}

const MARK_AT_END = / ?\[([^\][]*\/[^\][]*\/[^\][]*\/[^\][]*)\]$/;

/** The user's text of a description, without the mark. */
export function unmarkedText(description: string | undefined): string {
    return (description ?? "").replace(MARK_AT_END, "");
}

/** The mark in a description; `undefined` where somebody else wrote it. */
export function markIn(description: string | undefined): string | undefined {
    return MARK_AT_END.exec(description ?? "")?.[1];
}
