import type { Inputs, Outputs } from "./handler";
import { isUnknown, same } from "./handler";
import type { Problems } from "./lifecycle";
import { isId } from "./session";

/**
 * Arguments that refer to something which the cloud has, by its name or by its id: two spellings of one thing.
 *
 * `check` turns a new text into an id and keeps that among the inputs (`referenceIds`), where `diff`, which does no I/O,
 * compares it with what the resource has. A text that stays as it is is not looked up again: whatever its operator renames,
 * retires, hides or registers again under the same name, what exists keeps what it has.
 */
export type Reference = "zone" | "template" | "network" | "serviceOffering" | "diskOffering" | "project";

const REFERENCES: readonly Reference[] = ["zone", "template", "network", "serviceOffering", "diskOffering", "project"];

/** The id that an argument stands for, where it is known. Stacks of 0.1.0 recorded none. */
export function referenceId(inputs: Inputs, property: Reference): string | undefined {
    const text = inputs[property];
    if (typeof text !== "string" || isUnknown(text)) return undefined;
    return isId(text) ? text : inputs.referenceIds?.[property];
}

/** The id that an argument stands for, looked up where `check` recorded none. */
export async function wantedId(
    inputs: Inputs,
    property: Reference,
    lookUp: (text: string) => Promise<{ id: string }>,
): Promise<string> {
    return referenceId(inputs, property) ?? (await lookUp(inputs[property])).id;
}

/** The id of what a resource has, as its outputs tell it; `undefined` where they do not. */
export function actualId(outputs: Outputs, property: Reference): string | undefined {
    if (property === "project") return outputs.cloud?.projectId;
    if (property !== "network") return outputs[`${property}Id`];
    return (outputs.networkInterfaces ?? [])[0]?.networkId;
}

/** Whether an argument means what the resource has. Ids decide where both are known, else the names do. */
export function sameReference(olds: Outputs, news: Inputs, property: Reference): boolean {
    const [wanted, actual] = [referenceId(news, property), actualId(olds, property)];
    return wanted !== undefined && actual !== undefined ? wanted === actual : same(olds[property], news[property]);
}

/** Whether a resource in this project would have to be replaced to be where its arguments say. */
function changesProject(olds: Outputs, news: Inputs): boolean {
    return !same(olds.project ?? "", news.project ?? "") && !sameReference(olds, news, "project");
}

/** Those of the arguments whose change replaces a resource; what refers to something is compared by that, not by its spelling. */
export function replacedBy(olds: Outputs, news: Inputs, properties: readonly string[]): string[] {
    return properties.filter((property) => {
        if (property === "project") return changesProject(olds, news);
        return isReference(property) ? !sameReference(olds, news, property) : !same(olds[property], news[property]);
    });
}

function isReference(property: string): property is Reference {
    return (REFERENCES as readonly string[]).includes(property);
}

/**
 * The text that the program uses for something, while that is what the resource has; else the name of what it has.
 *
 * @param inputs the arguments, or at a refresh the outputs of the last time
 * @param lastId what those outputs say that it had
 */
export function referenceText(
    inputs: Inputs,
    property: Reference,
    lastId: string | undefined,
    id: string | undefined,
    name: string | undefined,
): string | undefined {
    const text: string | undefined = inputs[property];
    const wanted = referenceId(inputs, property);
    const is = (text === id || text === name) && (wanted === undefined || wanted === id);
    const stays = (lastId === undefined || lastId === id) && (wanted ?? lastId) === id;
    if (is || (stays && id !== undefined)) return text;
    return name === undefined || name === text ? id : name;
}

/** The same arguments as before stand for the same ids; also those that are left out now where the resource stays with them. */
export function keepReferences(inputs: Inputs, olds: Inputs | undefined): void {
    const kept = REFERENCES.filter((property) => isKept(inputs, olds, property));
    const ids = kept.flatMap((property) => {
        const id = olds?.referenceIds?.[property];
        return id === undefined ? [] : [[property, id]];
    });
    if (ids.length > 0) inputs.referenceIds = Object.fromEntries(ids);
    else delete inputs.referenceIds;
}

/** The arguments with the ids of what the resource has, for those whose names are the same as in its outputs: 0.1.0 recorded none. */
export function withKnownIds(inputs: Inputs, olds: Outputs): Inputs {
    const known = REFERENCES.filter((property) => isKept(inputs, olds, property)).flatMap((property) => {
        const id = referenceId(inputs, property) === undefined ? actualId(olds, property) : undefined;
        return id === undefined ? [] : [[property, id]];
    });
    return known.length === 0
        ? inputs
        : { ...inputs, referenceIds: { ...inputs.referenceIds, ...Object.fromEntries(known) } };
}

/** Arguments over the outputs of the last time. What a resource had tells nothing about another text. */
export function overOutputs(olds: Outputs, inputs: Inputs): Outputs {
    const stale = REFERENCES.filter((property) => !same(olds[property], inputs[property]));
    return { ...olds, ...inputs, ...Object.fromEntries(stale.map((property) => [`${property}Id`, undefined])) };
}

/** Whether an argument is what it was. */
export function isKept(inputs: Inputs, olds: Inputs | undefined, property: string): boolean {
    return olds !== undefined && inputs[property] !== undefined && same(inputs[property], olds[property]);
}

/**
 * The id that an argument stands for. A text that is new is looked up, and what is not found is a problem; one that stays is
 * looked up only where its id was never recorded, and then it is no problem that it is not found any more.
 *
 * @returns `undefined` where it is left out, not known yet or not found
 */
export async function resolveReference(
    problems: Problems,
    inputs: Inputs,
    olds: Inputs | undefined,
    property: Reference,
    lookUp: (text: string) => Promise<{ id: string }>,
): Promise<string | undefined> {
    const text = inputs[property];
    if (typeof text !== "string" || text === "" || isUnknown(text)) return undefined;
    if (isKept(inputs, olds, property))
        return referenceId(inputs, property) ?? (await lookUp(text).catch(() => undefined))?.id;
    const found = await problems.attempt(property, () => lookUp(text));
    // An id needs no second place, and a secret one must not get one.
    if (found !== undefined && !isId(text)) inputs.referenceIds = { ...inputs.referenceIds, [property]: found.id };
    return found?.id;
}
