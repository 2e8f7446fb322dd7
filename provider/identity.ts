import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import { digestOf } from "./marks";

/** What a resource of the state is called and marked with, as this process was told by `check`. */
export interface Former {
    readonly owner: string;
    readonly name: unknown;
    /** Known once `diff` was asked about it. */
    id?: string;
}

/** How a kind treats the mark of a resource that exists. */
export interface MarkPolicy {
    /** Whether what exists can be marked anew: then the mark follows a resource that was renamed with an alias. Default false. */
    readonly rewritten?: boolean;
    /** Whether a replacement is marked as the program says now, whatever mark the replaced one has. Default false. */
    readonly freshAtReplacement?: boolean;
}

/** What exists, by kind and the mark that the program gives now, or the one that it goes on with. */
const formers = { given: new Map<string, Former>(), kept: new Map<string, Former>() };
/** Which resource of the program (by its mark as given) has or wants which mark. */
const holders = new Map<string, string>();
const newcomers = new Map<string, string>();

/**
 * Fills `owner` and `name` of a resource: what was once defaulted stays what it was, whatever the stack or the
 * organization is called by now. Only a name that the program itself gives, or an alias, changes that.
 *
 * The engine calls `check` twice for a replacement, the second time without old inputs: what the first call was told is
 * remembered for it.
 *
 * @param inputs the program's; with `nameIsDefault` the name in it is only for what has none yet
 * @returns a problem, where two resources of the program would have one mark
 */
export function keepIdentity(inputs: Inputs, olds: Inputs | undefined, policy: MarkPolicy = {}): string | undefined {
    const fresh: string | undefined = inputs.owner;
    if (fresh === undefined || isUnknown(fresh)) return undefined;
    const key = keyOf(fresh, inputs);
    const former = typeof olds?.owner === "string" ? { owner: olds.owner, name: olds.name } : formers.given.get(key);
    if (inputs.nameIsDefault === true) inputs.name = olds?.name ?? former?.name ?? inputs.name;
    delete inputs.nameIsDefault;
    if (former === undefined) {
        if (olds !== undefined) return undefined;
        newcomers.set(key, fresh);
        const holder = holders.get(key);
        return holder === undefined || holder === fresh ? undefined : sharedMark(fresh);
    }
    const follows = policy.rewritten === true && wasRenamed(former.owner, fresh);
    const isFresh = follows || (olds === undefined && policy.freshAtReplacement === true);
    inputs.owner = isFresh ? fresh : former.owner;
    formers.given.set(key, former);
    formers.kept.set(keyOf(inputs.owner, inputs), former);
    const held = keyOf(former.owner, inputs);
    if (olds !== undefined) holders.set(held, fresh);
    const newcomer = newcomers.get(held);
    return newcomer === undefined || newcomer === fresh ? undefined : sharedMark(newcomer);
}

/** Notes what the engine says of a resource's id, which excludes it where others of its name or mark are looked for. */
export function noteId(inputs: Inputs, id: string): void {
    const former = formerOf(inputs);
    if (former !== undefined) former.id = id;
}

/** Whether something in the cloud is what this resource is replaced for: by its id where that is known, else by its mark. */
export function isFormer(inputs: Inputs, id: string, owner: string | undefined): boolean {
    const former = formerOf(inputs);
    if (former === undefined) return false;
    return former.id === undefined ? former.owner === owner : former.id === id;
}

/** What this resource is replaced for, where `check` was told of it in this process. */
export function formerOf(inputs: Inputs): Former | undefined {
    return formers.kept.get(keyOf(inputs.owner, inputs));
}

/** Whether a mark is that of another resource: an alias says that it is the same one. Marks of 0.1.0 do not tell. */
function wasRenamed(old: string, fresh: string): boolean {
    const [before, now] = [digestOf(old), digestOf(fresh)];
    return before !== undefined && now !== undefined && before !== now;
}

function keyOf(owner: string, inputs: Inputs): string {
    return JSON.stringify([owner, inputs.__provider]);
}

function sharedMark(mark: string): string {
    return (
        `an existing resource was renamed, but in the cloud it still has the mark ${mark}, which the new resource would ` +
        "get as well: give the new resource another name in the program"
    );
}
