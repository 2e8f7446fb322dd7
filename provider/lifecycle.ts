import type { CheckFailure, CheckResult, DiffResult, Handler, Inputs, Outputs } from "./handler";
import { clean, digest, isUnknown, same } from "./handler";
import type { MarkPolicy } from "./identity";
import { keepIdentity, noteId } from "./identity";
import { noteName } from "./knownNames";
import { cleanError, noteSecrets, withoutSecrets } from "./secrets";
import { NotFound, isId } from "./session";

/** The operations of a kind of resource; `lifecycle` makes a handler of them. */
export interface Lifecycle {
    /** How owner marks of existing entities are handled. */
    readonly marks?: MarkPolicy;
    /**
     * Fills defaults into `inputs` (a copy of the program's arguments) and adds all problems. `olds` are the old
     * inputs, if any.
     */
    check(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void>;
    /** Compares the current state (outputs) with the desired state (inputs). */
    diff(id: string, olds: Outputs, news: Inputs): DiffResult | Promise<DiffResult>;
    create(inputs: Inputs): Promise<{ id: string; outs: Outputs }>;
    /** `undefined` if it does not exist. Default: the outputs in the state. */
    read?(id: string, outputs: Outputs): Promise<Outputs | undefined>;
    /**
     * The arguments that match what a refresh found; `undefined` to keep those of the engine. Default: to keep them.
     */
    found?(id: string, last: Outputs, found: Outputs): Promise<Inputs | undefined>;
    update(id: string, olds: Outputs, news: Inputs): Promise<Outputs>;
    /** Default: there is nothing to delete outside of the state. */
    delete?(id: string, outputs: Outputs): Promise<void>;
}

/** Ids that the engine has passed to this process. They are in the stack's state, so no `create` may adopt them. */
const idsInState = new Set<string>();

/** Whether the id belongs to a resource in the stack's state. */
export function isInState(id: string): boolean {
    return idsInState.has(id);
}

/**
 * Ids that `create` has returned in this process. With `pulumi up --replace`, the engine may create before it deletes,
 * without calling `diff` for the old resource. A `create` that adopts an entity with its mark has then adopted the old
 * resource, which must not be deleted afterwards.
 */
const createdIds = new Set<string>();

/** The resources for which `check` was called in this process, because they are in the program. */
const checkedResources = new Set<string>();

/**
 * Whether `diff` is called for the program's arguments. A refresh calls it for those in the state, without a `check`.
 */
export function wasChecked(inputs: Inputs): boolean {
    return checkedResources.has(JSON.stringify([inputs.owner, inputs.__provider]));
}

/** Digests of arguments that differ from those in the state. */
const changedInputs = new Set<string>();

/**
 * Leaves out `changes` if the arguments have changed: the engine then compares them itself and obtains a detailed diff,
 * which the option `replaceOnChanges` needs and a dynamic provider cannot return. Drift is not visible in the
 * arguments, so it is reported.
 */
function detailed(diff: DiffResult, news: Inputs): DiffResult {
    if (diff.changes !== true || !changedInputs.has(digest(news))) return diff;
    const { changes: _changes, ...rest } = diff;
    return rest;
}

/**
 * A handler with the common parts: failures of `check` instead of exceptions, errors without stack traces, results as
 * JSON.
 */
export function lifecycle(of: Lifecycle): Handler {
    /** @param about the values from the engine; their secrets are removed from errors and messages */
    const guarded = async <T>(about: (Inputs | undefined)[], work: () => Promise<T> | T): Promise<T> => {
        noteSecrets(...about);
        try {
            return await work();
        } catch (error) {
            const reportable = asReportable(error);
            cleanError(reportable, ...about);
            if (reportable instanceof Error && process.env.CLOUDSTACK_DEBUG === undefined) showOnce(reportable);
            throw reportable;
        }
    };
    return {
        check: (olds, news) => guarded([olds, news], () => check(of, olds, news)),
        diff: (id, olds, news) =>
            guarded([olds, news], async () => {
                idsInState.add(id);
                noteName(id, olds.name);
                noteId(news, id);
                return detailed(await of.diff(id, olds, news), news);
            }),
        create: (inputs) =>
            guarded([inputs], async () => {
                const { id, outs } = await of.create(inputs);
                idsInState.add(id);
                createdIds.add(id);
                noteName(id, outs.name);
                return { id, outs: clean(outs) };
            }),
        read: (id, outputs) =>
            guarded([outputs], async () => {
                idsInState.add(id);
                const found = of.read === undefined ? (outputs ?? {}) : await of.read(id, outputs ?? {});
                if (found === undefined) return {};
                const inputs = await of.found?.(id, outputs ?? {}, found);
                return { id, props: clean(found), ...(inputs === undefined ? {} : { inputs: clean(inputs) }) };
            }),
        update: (id, olds, news) =>
            guarded([olds, news], async () => (idsInState.add(id), { outs: clean(await of.update(id, olds, news)) })),
        delete: (id, outputs) =>
            guarded([outputs], async () => {
                idsInState.add(id);
                if (!createdIds.has(id)) return of.delete?.(id, outputs);
                say(
                    `${outputs.name ?? id} is not deleted: its replacement adopted it, since a name can exist only once`,
                );
            }),
    };
}

/** JavaScript's own exceptions are bugs of this package. The message says so, and how to get more information. */
function asReportable(error: unknown): unknown {
    if (!(error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError)) return error;
    return new Error(
        `internal error in pulumi-cloudstack (${error.message}): please report it, with the output of CLOUDSTACK_DEBUG=1`,
        { cause: error },
    );
}

const printed = new Set<unknown>();
let print: typeof console.error | undefined;

/**
 * Prevents an error from being shown twice. The plugin prints most errors with their stack traces and also returns them
 * to the engine, which shows them at their resource
 * (https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/dynamic-provider/index.ts).
 */
function showOnce(error: Error): void {
    error.stack = "";
    printed.add(`${error}: `);
    if (print !== undefined) return;
    print = console.error;
    console.error = (...args) => {
        if (!(args.length === 1 && printed.has(args[0]))) print!(...args);
    };
}

async function check(of: Lifecycle, olds: Inputs | undefined, news: Inputs): Promise<CheckResult> {
    const problems = new Problems();
    // An argument that is null counts as left out.
    const inputs = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
    const before = olds === undefined || Object.keys(olds).length === 0 ? undefined : olds;
    const shared = keepIdentity(inputs, before, of.marks);
    if (shared !== undefined) problems.add("", shared);
    checkedResources.add(JSON.stringify([inputs.owner, inputs.__provider]));
    try {
        await of.check(problems, inputs, before);
    } catch (error) {
        const reportable = asReportable(error);
        problems.add("", reportable instanceof Error ? reportable.message : String(reportable));
    }
    const failures = problems.list.map(({ property, reason }) => ({
        property,
        reason: withoutSecrets(reason, news, olds),
    }));
    const checkedInputs = clean(inputs);
    if (before !== undefined && !same(before, checkedInputs)) changedInputs.add(digest(checkedInputs));
    return { inputs: checkedInputs, failures };
}

/** The longest string that most of CloudStack's parameters and columns accept, in characters. */
const MAX_LENGTH = 255;

/** The problems of a resource's arguments, each with the argument's path and the reason. */
export class Problems {
    readonly list: CheckFailure[] = [];

    add(property: string, reason: string): void {
        this.list.push({ property, reason });
    }

    /** The result of a look-up, or `undefined` after adding a problem. */
    async attempt<T>(property: string, lookUp: () => Promise<T>): Promise<T | undefined> {
        try {
            return await lookUp();
        } catch (error) {
            if (!(error instanceof NotFound)) throw error;
            this.add(property, error.message);
            return undefined;
        }
    }

    /**
     * A required string.
     *
     * @param most the greatest valid length in characters
     * @returns `undefined` if it is missing, invalid or not known yet
     */
    requiredString(inputs: Inputs, property: string, remedy: string, most = MAX_LENGTH): string | undefined {
        const value = inputs[property];
        if (isUnknown(value)) return undefined;
        if (value !== undefined && typeof value !== "string") return this.notString(property, value);
        if (value !== undefined && value.trim() !== "") return this.fits(property, value, most) ? value : undefined;
        this.add(property, `is required: ${remedy}`);
        return undefined;
    }

    /** An optional string. @param most the greatest length that CloudStack accepts, in characters */
    optionalString(inputs: Inputs, property: string, most = MAX_LENGTH): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (typeof value !== "string") this.notString(property, value);
        else this.fits(property, value, most);
    }

    /** An optional name, which must not be empty. */
    optionalName(inputs: Inputs, property: string): void {
        if (inputs[property] !== undefined)
            this.requiredString(inputs, property, "give a name, or leave the argument out");
    }

    private notString(property: string, value: unknown): undefined {
        this.add(property, `must be a string, not ${JSON.stringify(value)}`);
        return undefined;
    }

    /**
     * CloudStack refuses control characters other than line ends (431), and strings that are too long for its columns.
     */
    private fits(property: string, value: string, most = MAX_LENGTH): boolean {
        if (/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]/.test(value))
            this.add(property, "contains a control character (a tab counts as one), which CloudStack rejects");
        else if (value.length > most)
            this.add(property, `is ${value.length} characters long, but CloudStack allows at most ${most}: shorten it`);
        else return true;
        return false;
    }

    /** A list whose items must pass `isValid`; unknown items pass. */
    each(inputs: Inputs, property: string, isValid: (value: any) => boolean, reason: string): void {
        const values = inputs[property];
        if (values === undefined || isUnknown(values)) return;
        if (!Array.isArray(values)) return this.add(property, "must be a list");
        values.forEach((value, index) => {
            if (!isUnknown(value) && !isValid(value))
                this.add(`${property}[${index}]`, `${JSON.stringify(value)}: ${reason}`);
        });
    }

    oneOf(inputs: Inputs, property: string, allowed: readonly string[]): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value) || allowed.includes(value)) return;
        this.add(property, `${JSON.stringify(value)} is not one of ${allowed.join(", ")}`);
    }

    integer(inputs: Inputs, property: string, least: number, most: number, unit: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (Number.isInteger(value) && value >= least && value <= most) return;
        this.add(property, `${JSON.stringify(value)} is not a whole number of ${unit} from ${least} to ${most}`);
    }

    boolean(inputs: Inputs, property: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value) || typeof value === "boolean") return;
        this.add(property, `${JSON.stringify(value)} must be true or false`);
    }

    /** A list of names, which the API separates with commas. */
    names(inputs: Inputs, property: string, remedy: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (!Array.isArray(value)) return this.add(property, `must be a list: ${remedy}`);
        value.forEach((name, index) => {
            const path = `${property}[${index}]`;
            if (this.requiredString({ [path]: name }, path, remedy) !== undefined && name.includes(","))
                this.add(
                    path,
                    `"${name}" contains a comma, which separates names in CloudStack's API: give one name per entry`,
                );
        });
    }

    /** A list of ids. Names are refused, because names of groups are not unique across accounts. */
    ids(inputs: Inputs, property: string, lookup: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (!Array.isArray(value)) return this.add(property, "must be a list of ids");
        value.forEach((id, index) => {
            if (isUnknown(id) || (typeof id === "string" && isId(id))) return;
            this.add(`${property}[${index}]`, `${JSON.stringify(id)} is not an id: give ${lookup}`);
        });
    }

    /** An id. @param lookup where it comes from */
    id(inputs: Inputs, property: string, lookup: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value) || (typeof value === "string" && isId(value))) return;
        this.add(property, `${JSON.stringify(value)} is not an id: give ${lookup}`);
    }

    /**
     * A map of strings.
     *
     * @param most the greatest length of a value that CloudStack accepts, in characters
     * @param remedy what to do about an empty value, if none is allowed
     */
    map(inputs: Inputs, property: string, most = MAX_LENGTH, remedy?: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (typeof value !== "object" || value === null || Array.isArray(value))
            return this.add(property, "must be a map of strings");
        for (const [key, item] of Object.entries(value)) {
            const path = `${property}.${key}`;
            if (key.trim() === "") this.add(property, "has an empty key: give each value a key");
            else if (!this.fits(`${property}: the key ${JSON.stringify(key.slice(0, 20))}`, key)) continue;
            if (isUnknown(item)) continue;
            if (typeof item !== "string") this.add(path, `must be a string, not ${JSON.stringify(item)}`);
            else if (item === "" && remedy !== undefined) this.add(path, `is empty: ${remedy}`);
            else this.fits(path, item, most);
        }
    }

    timeouts(inputs: Inputs): void {
        const value = inputs.timeoutSeconds;
        if (value === undefined || isUnknown(value)) return;
        if (typeof value !== "object" || value === null || Array.isArray(value))
            return this.add("timeoutSeconds", "must be an object such as { create: 900, update: 900, delete: 600 }");
        for (const [operation, seconds] of Object.entries(value)) {
            const path = `timeoutSeconds.${operation}`;
            if (!["create", "update", "delete"].includes(operation)) this.add(path, "must be create, update or delete");
            else this.integer({ [path]: seconds }, path, 1, 86_400, "seconds");
        }
    }
}

/**
 * Announces in a preview or an update what will happen to a resource. During a refresh, which also calls `diff`,
 * nothing is announced.
 *
 * @param olds the outputs in the state, whose secrets are removed like those of the inputs
 */
export function announce(inputs: Inputs, line: string, olds?: Outputs): void {
    if (wasChecked(inputs)) say(withoutSecrets(line, inputs, olds));
}

const shownLines = new Set<string>();

/** Prints a message once per process; the engine shows it below the stack. */
export function say(text: string): void {
    const line = withoutSecrets(text);
    if (shownLines.has(line)) return;
    shownLines.add(line);
    console.log(line);
}
