import type { Inputs } from "./handler";
import { isUnknown } from "./handler";
import { digestOf } from "./marks";

/** The owner mark and name of a resource in the state, as `check` received them. */
export interface Former {
    readonly owner: string;
    readonly name: unknown;
    /** Known after `diff` was called for it. */
    id?: string;
}

/** How a kind of resource handles the owner mark of an existing entity. */
export interface MarkPolicy {
    /**
     * Whether the mark in the cloud can be changed, so that it follows a resource that is renamed with an alias.
     * Default false.
     */
    readonly rewritten?: boolean;
    /** Whether a replacement gets the program's current mark instead of that of the replaced entity. Default false. */
    readonly freshAtReplacement?: boolean;
}

/** The resources in the state, by kind and by the mark that the program sets (`given`) or that is used (`kept`). */
const formers = { given: new Map<string, Former>(), kept: new Map<string, Former>() };
/** Which resource of the program (by the mark that it sets) has a mark (`holders`) or wants one (`newcomers`). */
const holders = new Map<string, string>();
const newcomers = new Map<string, string>();

/**
 * Fills in `owner` and `name` of a resource. An existing resource keeps its defaults, also if the stack or the
 * organization is renamed. They only change if the program sets a name or an alias.
 *
 * For a replacement, the engine calls `check` twice, the second time without old inputs
 * (https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step_generator.go). So those of the first call are
 * stored here.
 *
 * @param inputs those of the program; if `nameIsDefault` is set, their name is only used for a resource that has none
 * @returns a problem if two resources of the program would have the same mark
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

/**
 * Stores the id that the engine has for a resource, so that it is excluded when others with its name or mark are
 * searched.
 */
export function noteId(inputs: Inputs, id: string): void {
    const former = formerOf(inputs);
    if (former !== undefined) former.id = id;
}

/**
 * Whether an entity in the cloud is the one that this resource replaces: by its id if that is known, else by its mark.
 */
export function isFormer(inputs: Inputs, id: string, owner: string | undefined): boolean {
    const former = formerOf(inputs);
    if (former === undefined) return false;
    return former.id === undefined ? former.owner === owner : former.id === id;
}

/** The resource in the state that this resource updates or replaces, if `check` was called for it in this process. */
export function formerOf(inputs: Inputs): Former | undefined {
    return formers.kept.get(keyOf(inputs.owner, inputs));
}

/** Whether a resource was renamed with an alias, so that its marks differ. Marks of version 0.1.0 do not show this. */
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
