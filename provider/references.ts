import type { Inputs, Outputs } from "./handler";
import { isUnknown, same } from "./handler";
import type { Problems } from "./lifecycle";
import { isId } from "./session";

const REFERENCES = [
    "zone",
    "template",
    "network",
    "serviceOffering",
    "diskOffering",
    "networkOffering",
    "project",
] as const;

/**
 * Arguments that refer to an entity in the cloud by its name or by its id.
 *
 * `check` looks up the id of a new value and stores it in the inputs (`referenceIds`), so that `diff`, which does no
 * I/O, can compare it with the id that the resource has. An unchanged value is not looked up again. An existing
 * resource therefore does not change when the operator renames, withdraws or hides the entity, or registers another one
 * with the same name.
 */
export type Reference = (typeof REFERENCES)[number];

/** The id that an argument refers to, if it is known. Stacks of version 0.1.0 did not store it. */
export function referenceId(inputs: Inputs, property: Reference): string | undefined {
    const text = inputs[property];
    if (typeof text !== "string" || isUnknown(text)) return undefined;
    return isId(text) ? text : inputs.referenceIds?.[property];
}

/** The id that an argument refers to. It is looked up if `check` did not store it. */
export async function wantedId(
    inputs: Inputs,
    property: Reference,
    lookUp: (text: string) => Promise<{ id: string }>,
): Promise<string> {
    return referenceId(inputs, property) ?? (await lookUp(inputs[property])).id;
}

/** The id that a resource actually has, according to its outputs; `undefined` if they do not contain it. */
export function actualId(outputs: Outputs, property: Reference): string | undefined {
    if (property === "project") return outputs.cloud?.projectId;
    if (property !== "network" || outputs.networkInterfaces === undefined) return outputs[`${property}Id`];
    return (outputs.networkInterfaces ?? [])[0]?.networkId;
}

/** Whether an argument refers to what the resource has. Ids are compared if both are known, else names. */
export function sameReference(olds: Outputs, news: Inputs, property: Reference): boolean {
    const [wanted, actual] = [referenceId(news, property), actualId(olds, property)];
    return wanted !== undefined && actual !== undefined ? wanted === actual : same(olds[property], news[property]);
}

/** Whether a resource must be replaced because its arguments name another project. */
function changesProject(olds: Outputs, news: Inputs): boolean {
    return !same(olds.project ?? "", news.project ?? "") && !sameReference(olds, news, "project");
}

/** The changed arguments among those that replace a resource. References are compared by what they refer to. */
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
 * The value of a reference in the outputs: the program's text if the resource has what it refers to, else the actual
 * name.
 *
 * @param inputs the arguments, or at a refresh the previous outputs
 * @param lastId the id in the previous outputs
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

/**
 * Keeps the stored ids of arguments that have not changed or that are left out now while the resource keeps their
 * value.
 */
export function keepReferences(inputs: Inputs, olds: Inputs | undefined): void {
    const kept = REFERENCES.filter((property) => isKept(inputs, olds, property));
    const ids = kept.flatMap((property) => {
        const id = olds?.referenceIds?.[property];
        return id === undefined ? [] : [[property, id]];
    });
    if (ids.length > 0) inputs.referenceIds = Object.fromEntries(ids);
    else delete inputs.referenceIds;
}

/** The arguments with ids from the outputs, for unchanged names: stacks of version 0.1.0 did not store the ids. */
export function withKnownIds(inputs: Inputs, olds: Outputs): Inputs {
    const known = REFERENCES.filter((property) => isKept(inputs, olds, property)).flatMap((property) => {
        const id = referenceId(inputs, property) === undefined ? actualId(olds, property) : undefined;
        return id === undefined ? [] : [[property, id]];
    });
    return known.length === 0
        ? inputs
        : { ...inputs, referenceIds: { ...inputs.referenceIds, ...Object.fromEntries(known) } };
}

/** The previous outputs, overridden by the arguments. Ids of references that have changed are dropped. */
export function overOutputs(olds: Outputs, inputs: Inputs): Outputs {
    const stale = REFERENCES.filter((property) => !same(olds[property], inputs[property]));
    return { ...olds, ...inputs, ...Object.fromEntries(stale.map((property) => [`${property}Id`, undefined])) };
}

/** Whether an argument is set and has not changed. */
export function isKept(inputs: Inputs, olds: Inputs | undefined, property: string): boolean {
    return olds !== undefined && inputs[property] !== undefined && same(inputs[property], olds[property]);
}

/**
 * The id that an argument refers to. A new value is looked up, and it is a problem if it is not found. An unchanged
 * value is only looked up if its id was never stored, and it is no problem if it is not found.
 *
 * @returns `undefined` if it is left out, not known yet or not found
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
    // An id is not stored a second time, because the argument may be secret.
    if (found !== undefined && !isId(text)) inputs.referenceIds = { ...inputs.referenceIds, [property]: found.id };
    return found?.id;
}
