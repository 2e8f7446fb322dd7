import { isLost } from "./adopt";
import { CloudStackError } from "./client";
import type { Problems } from "./lifecycle";
import type { Inputs } from "./handler";
import type { Session } from "./session";
import { secondsUntil } from "./timeouts";

/** An entity with its tags, as lists return it. */
export interface Tagged {
    readonly id: string;
    readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

/** How often tags are compared and set if a response is lost. */
const ATTEMPTS = 3;

export function tagsOf(entity: Tagged): Record<string, string> {
    return Object.fromEntries((entity.tags ?? []).map(({ key, value }) => [key, value]));
}

/** The entries of `actual` that the program manages. */
export function managed(wanted: Record<string, string>, actual: Record<string, string>): Record<string, string> {
    return Object.fromEntries(
        Object.keys(wanted)
            .filter((key) => key in actual)
            .map((key) => [key, actual[key]]),
    );
}

/** The problems of the argument `tags`. */
export function checkTags(problems: Problems, inputs: Inputs): void {
    problems.map(inputs, "tags", undefined, "CloudStack has no tags without a value; leave it out");
}

export interface TagChange {
    /** CloudStack's resource type, such as `UserVm`. */
    readonly type: string;
    readonly id: string;
    /** The actual tags among those that the program manages or has managed. */
    readonly from: Record<string, string>;
    readonly to: Record<string, string>;
    /** Reads the entity again. */
    readonly read: () => Promise<Tagged | undefined>;
    /** In milliseconds since the epoch. */
    readonly deadline: number;
}

/** Sets tags. If a response was lost, or an interrupted run has changed tags, they are read and compared again. */
export async function setTags(session: Session, { type, id, from, to, read, deadline }: TagChange): Promise<void> {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    const of = { resourceids: [id], resourcetype: type };
    const run = (command: string, tags: readonly Record<string, string>[]) =>
        session.client.run(command, { ...of, tags }, { timeoutSeconds: secondsUntil(deadline) });
    let actual = from;
    for (let attempt = 1; ; attempt++) {
        const different = keys.filter((key) => to[key] !== actual[key]);
        // A tag's value cannot be changed: the tag is deleted and created again.
        const remove = different.filter((key) => key in actual);
        const create = different.filter((key) => key in to);
        try {
            if (remove.length > 0)
                await run(
                    "deleteTags",
                    remove.map((key) => ({ key })),
                );
            if (create.length > 0)
                await run(
                    "createTags",
                    create.map((key) => ({ key, value: to[key] })),
                );
            return;
        } catch (error) {
            if (!(isLost(error) || isDoneAlready(error)) || attempt === ATTEMPTS) throw error;
            actual = tagsOf((await read()) ?? { id });
        }
    }
}

/** Whether CloudStack says that a tag to create exists already, or that a tag to delete does not exist. */
function isDoneAlready(error: unknown): boolean {
    return error instanceof CloudStackError && /^tag .* already on|^Unable to find any tags/i.test(error.errorText);
}
