import { type DiffResult, type Handler, type Inputs, type Outputs, PartialFailure } from "../handler";
import {
    endMaintenance,
    deleteNode,
    isClusterDeleted,
    nodeOf,
    noteInProgram,
    saySkippedDrain,
    cancelMaintenance,
} from "../kubernetes/maintenance";
import { wasChecked } from "../lifecycle";
import { planChanges } from "./plan";

/**
 * How long a turn waits, after a machine was deleted, for the creation of its replacement to begin, in milliseconds.
 */
const REPLACEMENT_MS = 60_000;

/** Ends a turn, with the error of the change if it failed. */
type End = (failure?: unknown) => void;

/** A machine that waits for its turn. */
interface Waiting {
    readonly most: number;
    readonly go: () => void;
}

/** The machines of a group. */
interface Group {
    /** How many have their turn. */
    away: number;
    readonly queue: Waiting[];
    /** Whose turn failed. */
    failed?: string;
}

/**
 * Serializes changes of machines that must not be down at the same time. After a failed change all waiting changes of
 * the group are refused, because the failed machine may still be down.
 */
export class Turns {
    private readonly groups = new Map<string, Group>();

    /**
     * Waits until it is the machine's turn among those of its group, in the order of the calls.
     *
     * @param most how many machines of the group may have their turn at once, this one included
     * @throws if the change of another machine of the group failed
     */
    async take(group: string, name: string, most = 1): Promise<End> {
        const of = this.groups.get(group) ?? { away: 0, queue: [] };
        this.groups.set(group, of);
        await new Promise<void>((go) => {
            of.queue.push({ most, go });
            next(of);
        });
        let hasEnded = false;
        const end: End = (failure) => {
            if (hasEnded) return;
            hasEnded = true;
            if (failure !== undefined) of.failed ??= name;
            of.away--;
            next(of);
        };
        if (of.failed === undefined) return end;
        end();
        throw new Error(
            `${name} was not changed: the change of ${of.failed} failed, and machines of rolling group "${group}" change ` +
                `${most === 1 ? "one" : `at most ${most}`} at a time: fix that error, then run \`pulumi up\` again`,
        );
    }
}

/** Starts the turns that may begin. After a failure all begin, so that each of them is refused. */
function next(of: Group): void {
    while (of.queue.length > 0 && (of.failed !== undefined || of.away < of.queue[0].most)) {
        of.away++;
        of.queue.shift()!.go();
    }
}

/** A machine that is about to be replaced. */
interface Replacement {
    readonly group: string;
    readonly most: number | undefined;
    readonly owner: unknown;
    readonly name: string;
}

/**
 * Wraps the handler of machines so that at most one machine of a `rollingGroup` (or `maxUnavailable`) is down at a
 * time. The turn of a replacement lasts from the deletion of the old machine to the end of the creation of the new one;
 * the engine calls these one after the other. The turn of a machine that is a Kubernetes node lasts until the node is
 * Ready again. Waiting for a turn does not count towards the timeouts, because these begin inside of the handler.
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
        async check(olds: Inputs, news: Inputs) {
            const node = nodeOf(news);
            if (node !== undefined) noteInProgram(node.cluster);
            return handler.check(olds, news);
        },
        async diff(id: string, olds: Outputs, news: Inputs): Promise<DiffResult> {
            const result = await handler.diff(id, olds, news);
            const { rollingGroup: group, maxUnavailable: most, owner, name } = news;
            if (group !== undefined && (result.replaces ?? []).length > 0 && wasChecked(news))
                replacements.set(id, { group, most, owner, name });
            return result;
        },
        async update(id: string, olds: Outputs, news: Inputs) {
            const work = async () => {
                const result = await handler.update(id, olds, news).catch(async (error) => {
                    await cancelMaintenance(news);
                    throw error;
                });
                await backInService(news, id, result.outs ?? {});
                return result;
            };
            if (news.rollingGroup === undefined || !mayTakeDown(olds, news)) return work();
            return during(await turns.take(news.rollingGroup, news.name, news.maxUnavailable), work);
        },
        async delete(id: string, outputs: Outputs) {
            const replacement = replacements.get(id) ?? replacedOnRequest(outputs);
            const isDrained = nodeOf(outputs) !== undefined && !isClusterDeleted(outputs);
            if (!isDrained) saySkippedDrain(outputs);
            const remove = async () => {
                await handler.delete(id, outputs).catch(async (error) => {
                    if (isDrained) await cancelMaintenance(outputs);
                    throw error;
                });
                if (isDrained) await deleteNode(outputs, replacement !== undefined);
            };
            if (replacement === undefined) {
                if (!isDrained || outputs.rollingGroup === undefined) return remove();
                return during(await turns.take(outputs.rollingGroup, outputs.name, outputs.maxUnavailable), remove);
            }
            const end = await turns.take(replacement.group, replacement.name, replacement.most);
            try {
                await remove();
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
            if (end === undefined) return work();
            return during(end, async () => {
                const result = await work();
                await backInService(inputs, result.id, result.outs ?? {});
                return result;
            });
        },
    };
}

/** With `pulumi up --replace`, `diff` is not called: a machine that is deleted although the program has it is replaced. */
function replacedOnRequest(outputs: Outputs): Replacement | undefined {
    const { rollingGroup: group, maxUnavailable: most, owner, name } = outputs;
    return group === undefined || !wasChecked(outputs) ? undefined : { group, most, owner, name };
}

/** Waits until the node of a changed machine is Ready. If it fails, the state has the machine as it is now. */
async function backInService(inputs: Inputs, id: string, outs: Outputs): Promise<void> {
    try {
        await endMaintenance(inputs);
    } catch (error) {
        throw new PartialFailure((error as Error).message, id, outs, inputs);
    }
}

/** Whether an update may stop the machine. */
function mayTakeDown(olds: Outputs, news: Inputs): boolean {
    const { effect, power } = planChanges(olds, news);
    // A stopped node takes no turn: the machine that has the turn waits until all other nodes are Ready.
    if (nodeOf(news) !== undefined && olds.running === false) return false;
    return power !== undefined || (effect !== undefined && effect !== "live");
}

function keyOf({ owner, name }: { owner?: unknown; name?: unknown }): string {
    return JSON.stringify([owner, name]);
}
