/**
 * Faults on demand: a rule says for which command, how often, and what goes wrong. Rules live in memory only; a restart
 * clears them.
 */
import { randomUUID } from "node:crypto";

/**
 * - `refuse`: the answer is an error (`status`, `text`), nothing is done
 * - `throttle`: the same with 429 and CloudStack's text
 * - `unavailable`: the same with 503 and a page of HTML, as a proxy in front sends it
 * - `delay`: the request is dealt with after `seconds`
 * - `cut`: the connection is cut, nothing is done
 * - `drop`: the request is done, then the connection is cut
 * - `failJob`: the command's job fails at its end (`status`, `text`)
 * - `jobSeconds`: the command's job takes `seconds`
 */
export const FAULT_KINDS = [
    "refuse",
    "throttle",
    "unavailable",
    "delay",
    "cut",
    "drop",
    "failJob",
    "jobSeconds",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
    readonly kind: FaultKind;
    /** Name of a command, with `*` for any text; default all. */
    readonly command?: string;
    /** Name of the account whose requests are hit; default all. */
    readonly account?: string;
    /** How many requests (or jobs) are hit; default 1, 0 for all until the rule is cleared. */
    readonly count?: number;
    /** How many matching ones pass before the first is hit; default 0. */
    readonly skip?: number;
    /** Error code and HTTP status; default 530. */
    readonly status?: number;
    readonly text?: string;
    readonly seconds?: number;
}

/** A rule and how it stands. */
export interface FaultRule extends Fault {
    readonly id: string;
    readonly hits: number;
    readonly passed: number;
}

const JOB_KINDS: readonly FaultKind[] = ["failJob", "jobSeconds"];

function toPattern(command: string): RegExp {
    return new RegExp(
        `^${command
            .split("*")
            .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
            .join(".*")}$`,
        "i",
    );
}

/** What is wrong with a rule that somebody wrote, or nothing. */
export function checkFault(fault: Record<string, unknown>): string | undefined {
    const known = ["kind", "command", "account", "count", "skip", "status", "text", "seconds"];
    const unknown = Object.keys(fault).filter((key) => !known.includes(key));
    if (unknown.length > 0) return `Unknown field ${unknown.join(", ")}: a fault has ${known.join(", ")}.`;
    if (!(FAULT_KINDS as readonly unknown[]).includes(fault.kind))
        return `kind must be one of ${FAULT_KINDS.join(", ")}.`;
    for (const key of ["count", "skip", "status", "seconds"]) {
        const value = fault[key];
        if (value !== undefined && !(typeof value === "number" && value >= 0))
            return `${key} must be a number, 0 or more.`;
    }
    if ((fault.kind === "delay" || fault.kind === "jobSeconds") && fault.seconds === undefined)
        return `${fault.kind} needs seconds.`;
    return undefined;
}

export class Faults {
    private rules: (FaultRule & { readonly pattern: RegExp })[] = [];

    /** @throws RangeError that says what is wrong with the rule */
    add(fault: Fault): FaultRule {
        const problem = checkFault({ ...fault });
        if (problem !== undefined) throw new RangeError(problem);
        const rule = {
            ...fault,
            id: randomUUID().slice(0, 8),
            hits: 0,
            passed: 0,
            pattern: toPattern(fault.command ?? "*"),
        };
        this.rules.push(rule);
        return shown(rule);
    }

    list(): FaultRule[] {
        return this.rules.map(shown);
    }

    /** Removes one rule, or all; answers how many went. */
    clear(id?: string): number {
        const before = this.rules.length;
        this.rules = id === undefined ? [] : this.rules.filter((rule) => rule.id !== id);
        return before - this.rules.length;
    }

    /** The faults that hit this request; they are used up by asking. */
    forRequest(command: string, account: string | undefined): Fault[] {
        return this.take(command, account, (kind) => !JOB_KINDS.includes(kind));
    }

    /** The faults that hit this job; they are used up by asking. */
    forJob(command: string, account: string): Fault[] {
        return this.take(command, account, (kind) => JOB_KINDS.includes(kind));
    }

    private take(command: string, account: string | undefined, wanted: (kind: FaultKind) => boolean): Fault[] {
        const hit: Fault[] = [];
        this.rules = this.rules.map((rule) => {
            if (
                !wanted(rule.kind) ||
                !rule.pattern.test(command) ||
                (rule.account !== undefined && rule.account !== account)
            )
                return rule;
            if (rule.passed < (rule.skip ?? 0)) return { ...rule, passed: rule.passed + 1 };
            const count = rule.count ?? 1;
            if (count !== 0 && rule.hits >= count) return rule;
            hit.push(rule);
            return { ...rule, hits: rule.hits + 1 };
        });
        return hit;
    }
}

function shown({ pattern: _, ...rule }: FaultRule & { pattern: RegExp }): FaultRule {
    return rule;
}
