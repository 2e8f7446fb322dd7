/**
 * Fault injection: a rule defines what goes wrong, for which command, and how often. Rules are kept in memory only; a
 * restart clears them.
 */
import { randomUUID } from "node:crypto";

/**
 * - `refuse`: the answer is an error (`status`, `text`); the request is not executed
 * - `throttle`: the same with 429 and CloudStack's text
 * - `unavailable`: the same with 503 and an HTML page, as a proxy sends it
 * - `delay`: the request is executed after `seconds`
 * - `cut`: the connection is closed; the request is not executed
 * - `drop`: the request is executed, then the connection is closed without an answer
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
    /** Name of a command, where `*` matches any characters; default all. */
    readonly command?: string;
    /** Name of the account whose requests it applies to; default all. */
    readonly account?: string;
    /** How many requests (or jobs) it applies to; default 1, 0 for all until the rule is cleared. */
    readonly count?: number;
    /** How many matching requests (or jobs) pass before it applies; default 0. */
    readonly skip?: number;
    /** Error code and HTTP status; default 530. */
    readonly status?: number;
    readonly text?: string;
    readonly seconds?: number;
}

/** A rule and its counters. */
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

/** Describes what is wrong with a rule; undefined if it is valid. */
export function checkFault(fault: Record<string, unknown>): string | undefined {
    const known = ["kind", "command", "account", "count", "skip", "status", "text", "seconds"];
    const unknown = Object.keys(fault).filter((key) => !known.includes(key));
    if (unknown.length > 0)
        return `Unknown field ${unknown.join(", ")}: the fields of a fault are ${known.join(", ")}.`;
    if (!(FAULT_KINDS as readonly unknown[]).includes(fault.kind))
        return `kind must be one of ${FAULT_KINDS.join(", ")}.`;
    for (const key of ["count", "skip", "status", "seconds"]) {
        const value = fault[key];
        if (value !== undefined && !(typeof value === "number" && value >= 0)) return `${key} must be a number from 0.`;
    }
    if ((fault.kind === "delay" || fault.kind === "jobSeconds") && fault.seconds === undefined)
        return `seconds is required for ${fault.kind}.`;
    return undefined;
}

export class Faults {
    private rules: (FaultRule & { readonly pattern: RegExp })[] = [];

    /** @throws RangeError if the rule is not valid */
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
        return withoutPattern(rule);
    }

    list(): FaultRule[] {
        return this.rules.map(withoutPattern);
    }

    /** Removes one rule, or all; returns how many were removed. */
    clear(id?: string): number {
        const before = this.rules.length;
        this.rules = id === undefined ? [] : this.rules.filter((rule) => rule.id !== id);
        return before - this.rules.length;
    }

    /** The faults that apply to this request; each call counts as a hit. */
    forRequest(command: string, account: string | undefined): Fault[] {
        return this.take(command, account, (kind) => !JOB_KINDS.includes(kind));
    }

    /** The faults that apply to this job; each call counts as a hit. */
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

function withoutPattern({ pattern: _, ...rule }: FaultRule & { pattern: RegExp }): FaultRule {
    return rule;
}
