import { likelyNames } from "../provider/nearest";
import { normalCidr } from "../provider/securityGroup/normal";
import { known, type Report } from "./known";
import type { Problem } from "./problems";

/**
 * The shape of an argument. The compiler checks it for users of TypeScript; this checks it for users of JavaScript and
 * for values from a stack's configuration.
 */
export interface Shape {
    /** What is expected, as part of a sentence: `a string`. */
    readonly what: string;
    /** Whether it is required. */
    readonly needed?: boolean;
    /** Whether it must be known while the program runs, because resources are named after it. */
    readonly plain?: boolean;
    /** What to do if it is wrong or missing. */
    readonly remedy?: string;
    /** Reports the problems of a known value, and returns the valid part of it. */
    readonly read: (value: unknown, path: string, report: Report) => unknown;
}

/** The valid part of the arguments, and the problems of the rest. */
export interface Read<T> {
    readonly args: T;
    readonly problems: Problem[];
}

/** The path of a problem of the arguments as a whole. */
const rootPath = "args";

/** The problem of an argument that does not exist. Unlike other problems it does not make its parent invalid. */
const unknownArgument = "is not a known argument";

/**
 * Compares arguments with their shape. What does not match is reported and left out of the result, so that the values
 * of the rest can be checked in the same run.
 */
export function readArguments<T>(args: T, shape: Shape): Read<T> {
    const problems: Problem[] = [];
    const report: Report = (path, problem, remedy) => problems.push({ path: path || rootPath, problem, remedy });
    const valid = readValue(args ?? {}, shape, "", report);
    return { args: (valid ?? {}) as T, problems };
}

/**
 * The problems of the shape together with those of the values. Problems of values are dropped for an argument with a
 * wrong shape, its parents and its children, since they would be about a value that was left out.
 */
export function joinProblems(ofShape: readonly Problem[], ofValues: readonly Problem[]): Problem[] {
    const broken = ofShape.filter(({ problem }) => problem !== unknownArgument).map(({ path }) => path);
    const within = (path: string, other: string) => path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
    const isDropped = (path: string) =>
        broken.some((other) => other === rootPath || other === path || within(path, other) || within(other, path));
    return [...ofShape, ...ofValues.filter(({ path }) => !isDropped(path))];
}

function readValue(value: unknown, shape: Shape, path: string, report: Report): unknown {
    const remedy = shape.remedy ?? `Give ${shape.what}`;
    if (value === undefined || value === null) {
        if (shape.needed) report(path, "is missing", remedy);
        return undefined;
    }
    const knownValue = known(value);
    if (knownValue !== undefined) return shape.read(knownValue, path, report);
    if (!shape.plain) return value;
    report(path, "is an output, and resources are named after it", "Give a plain value, known while the program runs");
    return undefined;
}

function leaf(what: string, fits: (value: unknown) => boolean): Shape {
    return {
        what,
        read(value, path, report) {
            if (fits(value)) return value;
            report(path, `${show(value)} is not ${what}`, `Give ${what}`);
            return undefined;
        },
    };
}

export const text = leaf("a string", (value) => typeof value === "string");
/** A name or an id: a string that is not empty. */
export const filled: Shape = {
    what: "a name or id",
    read(value, path, report) {
        if (value !== "") return text.read(value, path, report);
        report(path, "is empty", "Give a name or id");
        return undefined;
    },
};
export const number = leaf("a number", (value) => typeof value === "number" && Number.isFinite(value));
export const boolean = leaf("true or false", (value) => typeof value === "boolean");
export const callback = leaf("a function", (value) => typeof value === "function");
/** A value whose type is checked elsewhere, or by the engine. */
export const anything = leaf("a value", () => true);
/** An address, a slash and the number of bits. */
export const network = leaf('a network such as "203.0.113.0/24"', (value) => normalCidr(value) !== undefined);

export function oneOf(...values: readonly string[]): Shape {
    return leaf(`one of ${values.join(", ")}`, (value) => values.includes(value as string));
}

/** A string of this form, or a number: YAML configuration turns strings that look like numbers into numbers. */
export function matching(what: string, pattern: RegExp): Shape {
    return leaf(what, (value) => ["string", "number"].includes(typeof value) && pattern.test(String(value)));
}

/** A required argument; the remedy says what to give. */
export function needed(shape: Shape, remedy?: string): Shape {
    return { ...shape, needed: true, remedy: remedy ?? shape.remedy };
}

/** An argument that must be known while the program runs. */
export function plain(shape: Shape): Shape {
    return { ...shape, plain: true };
}

/** A list. One invalid item makes the whole list invalid, since leaving it out would shift the others. */
export function list(of: Shape): Shape {
    return {
        what: "a list",
        read(value, path, report) {
            if (!Array.isArray(value)) {
                report(path, `${show(value)} is not a list`, `Give a list, each item ${of.what}`);
                return undefined;
            }
            const items = value.map((item, index) => readValue(item, needed(of), `${path}[${index}]`, report));
            return items.includes(undefined) ? undefined : items;
        },
    };
}

/** A map whose keys the user chooses. */
export function record(of: Shape): Shape {
    return {
        what: `a map, each value ${of.what}`,
        read(value, path, report) {
            if (!isObject(value)) {
                report(path, `${show(value)} is not a map`, `Give names, and for each ${of.what}`);
                return undefined;
            }
            const entries = Object.entries(value).map(([key, item]) => [
                key,
                readValue(item, needed(of), join(path, key), report),
            ]);
            return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
        },
    };
}

/**
 * An object with fixed names. Any other name is reported, since it would otherwise be ignored silently.
 *
 * @typeParam T the arguments' interface: the compiler requires a shape for each of its arguments, and for nothing else
 */
export function fields<T extends object = Record<string, unknown>>(
    of: Readonly<Record<keyof T & string, Shape>>,
): Shape {
    const shapes: Readonly<Record<string, Shape>> = of;
    return {
        what: "an object",
        read(value, path, report) {
            if (!isObject(value)) {
                const names = Object.keys(shapes).slice(0, 4).join(", ");
                report(path, `${show(value)} is not an object`, `Give an object with ${names}`);
                return undefined;
            }
            for (const key of Object.keys(value))
                if (!(key in shapes) && value[key] !== undefined)
                    report(join(path, key), unknownArgument, `Use ${likelyNames(key, Object.keys(shapes)).join(", ")}`);
            const entries = Object.entries(shapes).map(([key, shape]) => [
                key,
                readValue(value[key], shape, join(path, key), report),
            ]);
            return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
        },
    };
}

/** {@link fields} of an object that may have other fields as well, such as a resource. */
export function atLeast(of: Readonly<Record<string, Shape>>): Shape {
    return {
        what: "an object",
        read(value, path, report) {
            if (!isObject(value)) return fields(of).read(value, path, report);
            let valid = true;
            const note: Report = (...problem) => {
                valid = false;
                report(...problem);
            };
            for (const [key, shape] of Object.entries(of)) readValue(value[key], shape, join(path, key), note);
            return valid ? value : undefined;
        },
    };
}

function join(path: string, key: string): string {
    if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
    return path === "" ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
    if (typeof value === "function") return "a function";
    const shown = JSON.stringify(value) ?? String(value);
    return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
