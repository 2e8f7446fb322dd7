import { CloudStackError } from "./client";

/** How often a creating command is sent. */
const ATTEMPTS = 3;

/**
 * Creates an entity that has the resource's owner mark. If its name is taken or the response was lost, an existing
 * entity with the mark is adopted. After a lost response, the command is sent again only if there is no such entity.
 *
 * @param find returns an entity that has the mark and is not in the state; `undefined` if there is none
 */
export async function createOrAdopt<T>(create: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
        try {
            return await create();
        } catch (error) {
            const taken = isTaken(error);
            if (!taken && !isLost(error)) throw error;
            const left = await find();
            if (left !== undefined) return left;
            if (taken || attempt === ATTEMPTS) throw error;
        }
    }
}

/** Whether CloudStack refused a command because the name is taken. */
export function isTaken(error: unknown): boolean {
    return (
        error instanceof CloudStackError &&
        error.outcome === "refused" &&
        error.errorCode === 431 &&
        /already exists/i.test(error.errorText)
    );
}

/** Whether it is unknown if a command was executed. */
export function isLost(error: unknown): boolean {
    return error instanceof CloudStackError && error.outcome === "unknown";
}
