import { CloudStackError } from "./client";
import type { Session } from "./session";
import { secondsUntil } from "./timeouts";

/**
 * The tag with the owner mark of an entity whose name or description contains an old mark and cannot be changed. It is
 * set when a resource is renamed with an alias.
 */
export const OWNER_TAG = "pulumi-owner";

interface Tagged {
    id: string;
    tags?: { key: string; value: string }[];
}

/** The owner mark in an entity's tags; `undefined` if it was never passed to another resource. */
export function taggedOwner(of: Tagged): string | undefined {
    return of.tags?.find(({ key }) => key === OWNER_TAG)?.value;
}

/**
 * Sets the tag with the owner mark.
 *
 * @param type CloudStack's resource type, such as `Volume`
 * @param deadline in milliseconds since the epoch
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
    await run("deleteTags", { key: OWNER_TAG }).catch(unlessMissing);
    await run("createTags", { key: OWNER_TAG, value: owner });
}

function unlessMissing(error: unknown): void {
    if (!(error instanceof CloudStackError && /^Unable to find any tags/i.test(error.errorText))) throw error;
}
