import type { DiffResult, Handler, Inputs, Outputs } from "../handler";
import { wasChecked } from "../lifecycle";
import { planChanges } from "./plan";

/** How long a turn waits, after a machine was deleted, for the creation of its replacement to begin, in milliseconds. */
const REPLACEMENT_MS = 60_000;

/** Ends a turn, with the error of the change if it failed. */
type End = (failure?: unknown) => void;

/**
 * Serializes changes of machines that must not be down at the same time. After a failed change all waiting changes of the
 * group are refused, because the failed machine may still be down.
 */
export class Turns {
    private readonly last = new Map<string, Promise<void>>();
    private readonly failed = new Map<string, string>();

    /**
     * Waits until no other machine of the group is being changed.
     *
     * @throws if the change of another machine of the group failed
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

/** A machine that is about to be replaced. */
interface Replacement {
    readonly group: string;
    readonly owner: unknown;
    readonly name: string;
}

/**
 * Wraps the handler of machines so that at most one machine of a `rollingGroup` is down at a time. The turn of a
 * replacement lasts from the deletion of the old machine to the end of the creation of the new one; the engine calls these
 * one after the other. Waiting for a turn does not count towards the timeouts, because these begin inside of the handler.
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
            // If the engine stops between the two calls, the other machines must not wait forever.
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

/** Whether an update may stop the machine. */
function mayTakeDown(olds: Outputs, news: Inputs): boolean {
    const { effect, power } = planChanges(olds, news);
    return power !== undefined || (effect !== undefined && effect !== "live");
}

function keyOf({ owner, name }: { owner?: unknown; name?: unknown }): string {
    return JSON.stringify([owner, name]);
}
