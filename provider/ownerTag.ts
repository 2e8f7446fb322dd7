import { CloudStackError } from "./client";
import type { Session } from "./session";
import { secondsUntil } from "./timeouts";

/**
 * The mark of what was made under another name and cannot be named or described anew: a resource that was renamed with
 * an alias keeps what it has, and the tag says whose it is now.
 */
const KEY = "pulumi-owner";

interface Tagged {
    id: string;
    tags?: { key: string; value: string }[];
}

/** The mark in a thing's tags; `undefined` where it never passed to another resource. */
export function taggedOwner(of: Tagged): string | undefined {
    return of.tags?.find(({ key }) => key === KEY)?.value;
}

/**
 * Says in a tag whose a thing is now.
 *
 * @param type CloudStack's name of the kind, such as `Volume`
 * @param deadline until when, in milliseconds since the epoch
 */
export async function tagOwner(
    session: Session,
    type: string,
    of: Tagged,
    owner: string,
    deadline: number,
): Promise<void> {
    if (taggedOwner(of) === owner) return;
    const run = (command: string, tag: Record<string, string>) =>
        session.client.run(
            command,
            { resourceids: [of.id], resourcetype: type, tags: [tag] },
            { timeoutSeconds: secondsUntil(deadline) },
        );
    // A tag's value cannot be changed: the tag is deleted and created again.
    await run("deleteTags", { key: KEY }).catch(unlessMissing);
    await run("createTags", { key: KEY, value: owner });
}

function unlessMissing(error: unknown): void {
    if (!(error instanceof CloudStackError && /^Unable to find any tags/i.test(error.errorText))) throw error;
}
