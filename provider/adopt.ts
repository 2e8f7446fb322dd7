import { CloudStackError } from "./client";

/** How often a creating command is sent. */
const ATTEMPTS = 3;

/**
 * Creates something that carries our mark. Where its name is taken, or the answer was lost, what has the mark is looked for and taken over.
 * What was looked for and is not there was never made: only then the command is sent again.
 *
 * @param find what carries our mark and is not in the state; `undefined` where there is nothing
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

/** True where CloudStack refused a name because something has it. */
export function isTaken(error: unknown): boolean {
    return (
        error instanceof CloudStackError &&
        error.outcome === "refused" &&
        error.errorCode === 431 &&
        /already exists/i.test(error.errorText)
    );
}

/** True where a command may or may not have been carried out. */
export function isLost(error: unknown): boolean {
    return error instanceof CloudStackError && error.outcome === "unknown";
}
