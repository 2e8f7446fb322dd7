import type { CheckFailure, CheckResult, DiffResult, Handler, Inputs, Outputs } from "./handler";
import { clean, isUnknown } from "./handler";
import { cleanError, noteSecrets, withoutSecrets } from "./secrets";
import { NotFound, isId } from "./session";

/** What a kind of resource does; `lifecycle` makes a handler of it. */
export interface Lifecycle {
    /** Fills defaults into `inputs` (a copy of what the program gave) and adds every problem. `olds` are the old inputs, if any. */
    check(problems: Problems, inputs: Inputs, olds: Inputs | undefined): Promise<void>;
    /** Compares what is (outputs) with what is wanted (inputs); no I/O. */
    diff(id: string, olds: Outputs, news: Inputs): DiffResult;
    create(inputs: Inputs): Promise<{ id: string; outs: Outputs }>;
    /** `undefined` where it is gone. */
    read(id: string, outputs: Outputs): Promise<Outputs | undefined>;
    update(id: string, olds: Outputs, news: Inputs): Promise<Outputs>;
    delete(id: string, outputs: Outputs): Promise<void>;
}

/** Ids that the engine has asked about in this process: they are in the stack's state, so no `create` may adopt them. */
const known = new Set<string>();

/** True where the engine already has this id for one of the stack's resources. */
export function isInState(id: string): boolean {
    return known.has(id);
}

/**
 * Ids that a `create` of this process has answered with. With `pulumi up --replace` the engine creates before it deletes and asks nothing of
 * the old resource beforehand: a `create` that then takes over what has its mark has taken over what is to be deleted next.
 */
const created = new Set<string>();

/** What was checked in this process: the engine is about to carry it out, or in a preview to show it. */
const checked = new Set<string>();

/** True where `diff` was asked for what the program wants; a refresh asks it the other way round, for what the state has, without a check. */
export function wasChecked(inputs: Inputs): boolean {
    return checked.has(JSON.stringify([inputs.owner, inputs.__provider]));
}

/** A handler with what all of them share: problems instead of exceptions at preview, errors without stacks, JSON-clean answers. */
export function lifecycle(of: Lifecycle): Handler {
    /** @param about what the engine gives: the secrets in it stay out of errors and messages */
    const quiet = async <T>(about: (Inputs | undefined)[], work: () => Promise<T> | T): Promise<T> => {
        noteSecrets(...about);
        try {
            return await work();
        } catch (error) {
            cleanError(error, ...about);
            if (error instanceof Error && process.env.CLOUDSTACK_DEBUG === undefined) showOnce(error);
            throw error;
        }
    };
    return {
        check: (olds, news) => quiet([olds, news], () => check(of, olds, news)),
        diff: (id, olds, news) => quiet([olds, news], () => (known.add(id), of.diff(id, olds, news))),
        create: (inputs) =>
            quiet([inputs], async () => {
                const { id, outs } = await of.create(inputs);
                known.add(id);
                created.add(id);
                return { id, outs: clean(outs) };
            }),
        read: (id, outputs) =>
            quiet([outputs], async () => {
                known.add(id);
                const found = await of.read(id, outputs ?? {});
                return found === undefined ? {} : { id, props: clean(found) };
            }),
        update: (id, olds, news) =>
            quiet([olds, news], async () => (known.add(id), { outs: clean(await of.update(id, olds, news)) })),
        delete: (id, outputs) =>
            quiet([outputs], async () => {
                known.add(id);
                if (!created.has(id)) return of.delete(id, outputs);
                say(`${outputs.name ?? id} stays: what was to replace it is itself, since names cannot be there twice`);
            }),
    };
}

const printed = new Set<unknown>();
let print: typeof console.error | undefined;

/**
 * The plugin prints most errors, with their stacks, beside handing them to the engine, which shows them at their resource: that is enough,
 * and a user of the package has no use for a stack.
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
    checked.add(JSON.stringify([news.owner, news.__provider]));
    const problems = new Problems();
    const inputs = { ...news };
    try {
        await of.check(problems, inputs, olds === undefined || Object.keys(olds).length === 0 ? undefined : olds);
    } catch (error) {
        problems.add("", error instanceof Error ? error.message : String(error));
    }
    const failures = problems.list.map(({ property, reason }) => ({
        property,
        reason: withoutSecrets(reason, news, olds),
    }));
    return { inputs: clean(inputs), failures };
}

/** The problems of one resource's arguments, each with the argument's path and what would be right. */
export class Problems {
    readonly list: CheckFailure[] = [];

    add(property: string, reason: string): void {
        this.list.push({ property, reason });
    }

    /** The result of a look-up, or `undefined` after adding what was not found. */
    async attempt<T>(property: string, lookUp: () => Promise<T>): Promise<T | undefined> {
        try {
            return await lookUp();
        } catch (error) {
            if (!(error instanceof NotFound)) throw error;
            this.add(property, error.message);
            return undefined;
        }
    }

    /** A text that has to be there; `undefined` where it is not, or not known yet. */
    text(inputs: Inputs, property: string, remedy: string): string | undefined {
        const value = inputs[property];
        if (isUnknown(value)) return undefined;
        if (typeof value === "string" && value !== "") return value;
        this.add(property, `is required: ${remedy}`);
        return undefined;
    }

    oneOf(inputs: Inputs, property: string, allowed: readonly string[]): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value) || allowed.includes(value)) return;
        this.add(property, `"${value}" is not one of ${allowed.join(", ")}`);
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
        this.add(property, `${JSON.stringify(value)} is neither true nor false`);
    }

    /** A list of ids: a name in it is taken for the mistake that it is, since names of groups are not unique across accounts. */
    ids(inputs: Inputs, property: string, lookup: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (!Array.isArray(value)) return this.add(property, "has to be a list of ids");
        value.forEach((id, index) => {
            if (isUnknown(id) || (typeof id === "string" && isId(id))) return;
            this.add(`${property}[${index}]`, `${JSON.stringify(id)} is not an id: give ${lookup}`);
        });
    }

    /** CloudStack refuses control characters other than line ends in names, tags and details (431). */
    printable(inputs: Inputs, property: string): void {
        const value = inputs[property];
        if (typeof value === "string" && /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]/.test(value)) {
            this.add(property, "contains a control character (a tab counts as one), which CloudStack refuses");
        }
    }

    map(inputs: Inputs, property: string): void {
        const value = inputs[property];
        if (value === undefined || isUnknown(value)) return;
        if (typeof value !== "object" || value === null || Array.isArray(value))
            return this.add(property, "has to be a map of texts");
        for (const [key, item] of Object.entries(value)) {
            if (isUnknown(item)) continue;
            if (typeof item !== "string")
                this.add(`${property}.${key}`, `${JSON.stringify(item)} is not a text: put it in quotes`);
            else this.printable({ [`${property}.${key}`]: item }, `${property}.${key}`);
        }
    }

    timeouts(inputs: Inputs): void {
        const value = inputs.timeoutSeconds;
        if (value === undefined || isUnknown(value)) return;
        if (typeof value !== "object" || value === null)
            return this.add("timeoutSeconds", "has to be like { create: 900, update: 900, delete: 600 }");
        for (const [operation, seconds] of Object.entries(value)) {
            const path = `timeoutSeconds.${operation}`;
            if (!["create", "update", "delete"].includes(operation))
                this.add(path, "is none of create, update, delete");
            else this.integer({ [path]: seconds }, path, 1, 86_400, "seconds");
        }
    }
}

/**
 * Says in a preview or an update what will happen to a resource; a refresh, which compares too, says nothing.
 *
 * @param olds what the state has, whose secrets are kept out of the line as those of the inputs are
 */
export function announce(inputs: Inputs, line: string, olds?: Outputs): void {
    if (wasChecked(inputs)) say(withoutSecrets(line, inputs, olds));
}

const said = new Set<string>();

/** Says something once per process; the engine shows it below the stack. */
export function say(text: string): void {
    const line = withoutSecrets(text);
    if (said.has(line)) return;
    said.add(line);
    console.log(line);
}
