import type { Inputs, Outputs } from "./handler";
import { same } from "./handler";
import type { Reference } from "./references";
import { actualId } from "./references";

/**
 * The arguments that match what a refresh found, if something was changed outside of Pulumi; otherwise `undefined`, and
 * the engine keeps its own. With the option `ignoreChanges`, the engine uses the values of these arguments, so that
 * manual changes are kept. Without it, the program's arguments are compared with what was found.
 *
 * The name is left out: the default name of a resource does not change, and only the old arguments contain it.
 *
 * @param last the previous outputs
 * @param computed the outputs that are not arguments
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
