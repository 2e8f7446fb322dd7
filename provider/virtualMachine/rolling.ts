import type { DiffResult, Handler, Inputs, Outputs } from "../handler";
import { wasChecked } from "../lifecycle";
import { planChanges } from "./plan";

/** How long the turn of a machine that was deleted for its replacement waits for that to begin, in milliseconds. */
const REPLACEMENT_MS = 60_000;

/** Ends a turn; with the error that it ended with, if any. */
type End = (failure?: unknown) => void;

/**
 * Turns of machines that must not be down at the same time. Whose turn fails ends it for all that wait: a machine that
 * did not come back is one that is down.
 */
export class Turns {
    private readonly last = new Map<string, Promise<void>>();
    private readonly failed = new Map<string, string>();

    /**
     * Waits until it is this machine's turn among those of a group.
     *
     * @throws where the turn of another one failed meanwhile
     */
    async take(group: string, name: string): Promise<End> {
        const before = this.last.get(group) ?? Promise.resolve();
        let end!: () => void;
        this.last.set(group, new Promise((resolve) => (end = resolve)));
        await before;
        const failed = this.failed.get(group);
        if (failed !== undefined) {
            end();
            throw new Error(
                `${name} was not changed: the change of ${failed} failed, and machines of rolling group "${group}" change one ` +
                    "at a time: fix that error, then run `pulumi up` again",
            );
        }
        return (failure) => {
            if (failure !== undefined) this.failed.set(group, name);
            end();
        };
    }
}

/** What is about to be replaced, by id. */
interface Replacement {
    readonly group: string;
    readonly owner: unknown;
    readonly name: string;
}

/**
 * The handler of machines, with at most one machine of a `rollingGroup` taken down at a time. The turn of a replacement
 * lasts from the deletion of the old machine to the end of the creation of the new one, which are two calls of the
 * engine's, one right after the other. It lies around the handler, so that waiting takes nothing of a timeout.
 */
export function oneByOne(handler: Handler, turns = new Turns()): Handler {
    const replacements = new Map<string, Replacement>();
    const held = new Map<string, End>();
    const during = async <T>(end: End, work: () => Promise<T>): Promise<T> => {
        try {
            const result = await work();
            end();
            return result;
        } catch (error) {
            end(error);
            throw error;
        }
    };
    return {
        ...handler,
        async diff(id: string, olds: Outputs, news: Inputs): Promise<DiffResult> {
            const result = await handler.diff(id, olds, news);
            const { rollingGroup: group, owner, name } = news;
            if (group !== undefined && (result.replaces ?? []).length > 0 && wasChecked(news))
                replacements.set(id, { group, owner, name });
            return result;
        },
        async update(id: string, olds: Outputs, news: Inputs) {
            const work = () => handler.update(id, olds, news);
            if (news.rollingGroup === undefined || !mayTakeDown(olds, news)) return work();
            return during(await turns.take(news.rollingGroup, news.name), work);
        },
        async delete(id: string, outputs: Outputs) {
            const replacement = replacements.get(id);
            if (replacement === undefined) return handler.delete(id, outputs);
            const end = await turns.take(replacement.group, replacement.name);
            try {
                await handler.delete(id, outputs);
            } catch (error) {
                end(error);
                throw error;
            }
            // Where the engine stops between the two, nobody waits for ever.
            const timer = setTimeout(end, REPLACEMENT_MS);
            timer.unref();
            held.set(keyOf(replacement), (failure) => {
                clearTimeout(timer);
                end(failure);
            });
        },
        async create(inputs: Inputs) {
            const work = () => handler.create(inputs);
            const end = held.get(keyOf(inputs));
            held.delete(keyOf(inputs));
            return end === undefined ? work() : during(end, work);
        },
    };
}

/** Whether an update asks for more than what a running machine takes. */
function mayTakeDown(olds: Outputs, news: Inputs): boolean {
    const { effect, power } = planChanges(olds, news);
    return power !== undefined || (effect !== undefined && effect !== "live");
}

function keyOf({ owner, name }: { owner?: unknown; name?: unknown }): string {
    return JSON.stringify([owner, name]);
}
