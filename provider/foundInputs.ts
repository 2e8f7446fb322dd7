import type { Inputs, Outputs } from "./handler";
import { same } from "./handler";
import type { Reference } from "./references";
import { actualId } from "./references";

/**
 * The arguments as what a refresh found would have them, where somebody changed something; `undefined` where nobody did: then the engine
 * keeps those that it has. With `ignoreChanges` the engine takes the value of an argument from there, so that what was changed by hand
 * stays. Without it the program's own arguments are compared with what was found, as ever.
 *
 * A name is left out: a name that was defaulted stays what it was, and only the old arguments tell what that is.
 *
 * @param last the outputs of the last time
 * @param computed the outputs that are no arguments
 */
export function foundInputs(last: Outputs, found: Outputs, computed: readonly string[]): Inputs | undefined {
    const isArgument = (key: string) => !["__provider", ...computed].includes(key);
    const keys = [...new Set([...Object.keys(last), ...Object.keys(found)])].filter(isArgument);
    if (keys.every((key) => same(last[key], found[key]))) return undefined;
    const given = Object.fromEntries(keys.filter((key) => found[key] !== undefined).map((key) => [key, found[key]]));
    const ids = Object.keys(given.referenceIds ?? {}).map((property) => [
        property,
        actualId(found, property as Reference) ?? given.referenceIds[property],
    ]);
    return {
        ...given,
        ...(last.name === undefined ? {} : { name: last.name }),
        ...(ids.length > 0 ? { referenceIds: Object.fromEntries(ids) } : {}),
    };
}
