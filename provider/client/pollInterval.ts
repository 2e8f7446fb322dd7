/** When to look at a job again. All times in milliseconds. */
import type { Params } from "./types";

/** The first look at a job of which nothing is known. */
const FIRST = 200;

/** About the longest time between two looks. */
const LONGEST = 5_000;

/** Between looks that are due around the expected end. */
const SHORTEST = 100;

/** How precisely the end of a job of known length is met, as a share of the time that it takes. */
const PRECISION = 0.04;

/** The same around the typical end of a job whose length on this cloud is not known yet. */
const TYPICAL_PRECISION = 0.1;

/** The longest gap around a typical end. */
const TYPICAL_LONGEST = 450;

/** What counts as around a typical end, in parts of the typical time. */
const AROUND = { from: 0.85, to: 1.25 };

/**
 * How long jobs take on a quiet CloudStack 4.22, in milliseconds: what is assumed until the first job of a command has ended here. A slower
 * hypervisor costs a few looks more, a faster one is noticed by the looks before.
 */
const TYPICAL: Readonly<Record<string, number>> = {
    deployVirtualMachine: 4_000,
    startVirtualMachine: 2_300,
    stopVirtualMachine: 2_300,
    rebootVirtualMachine: 1_900,
    destroyVirtualMachine: 6_000,
    "destroyVirtualMachine, expunge": 8_000,
    expungeVirtualMachine: 2_500,
    restoreVirtualMachine: 4_000,
    scaleVirtualMachine: 1_000,
    attachVolume: 2_000,
    detachVolume: 2_000,
    createVolume: 350,
    authorizeSecurityGroupIngress: 150,
    authorizeSecurityGroupEgress: 150,
    revokeSecurityGroupIngress: 150,
    revokeSecurityGroupEgress: 150,
    createTags: 200,
    deleteTags: 200,
};

export interface JobTiming {
    startedAt: number;
    /** How long jobs of this command took so far; `undefined` before the first has ended. */
    expected?: number;
    /** How far apart the looks were between which `expected` lies. Default 0. */
    blur?: number;
    /** How long jobs of this command take elsewhere; `undefined` where nobody has measured it. */
    typical?: number;
}

/** The command, and what else decides how long its jobs take. */
export function kindOf(command: string, params: Params = {}): string {
    return command === "destroyVirtualMachine" && params.expunge === true ? `${command}, expunge` : command;
}

/** How long a job of a kind takes elsewhere, in milliseconds. */
export function typicalDuration(kind: string): number | undefined {
    return TYPICAL[kind];
}

/**
 * The time of the next look at a job, given that of the last one (of any job).
 *
 * A job of known length is looked at when its end is due, and then in small steps that grow slowly while it is late. One of typical length
 * is looked at a few times until nearly all of that has passed, in short steps around it, and then again when its age has grown by a part.
 * Nothing is known of the others: the gap is a part of their age.
 */
export function nextLook({ startedAt, expected, blur = 0, typical }: JobTiming, lastLook: number): number {
    const from = Math.max(startedAt, lastLook);
    if (expected === undefined) {
        return from + (typical === undefined ? unknownGap(from - startedAt) : typicalGap(from - startedAt, typical));
    }
    // A length that is hardly known is not worth looks in small steps.
    const step = Math.max(precision(expected), Math.min(blur / 4, TYPICAL_PRECISION * expected));
    const due = startedAt + expected + step / 2;
    if (from >= due) {
        return from + clamp((from - due) / 3, step, LONGEST);
    }
    // In equal parts, so that the last look before the end is not wasted on the moment before it.
    return from + (due - from) / Math.ceil((due - from) / (1.1 * LONGEST));
}

function unknownGap(age: number): number {
    return clamp(Math.min(0.6 * age, Math.max(3_000, 0.3 * age)), FIRST, LONGEST);
}

function typicalGap(age: number, typical: number): number {
    const near = clamp(TYPICAL_PRECISION * typical, SHORTEST, TYPICAL_LONGEST);
    const first = clamp(typical / 10, SHORTEST, 1.5 * FIRST);
    const left = AROUND.from * typical - age;
    if (left > 0) return Math.max(first, Math.min(2 * age, typical / 3, left + near / 2));
    return age < AROUND.to * typical ? near : clamp((age < 1_500 ? 0.5 : 0.25) * age, near, 3_000);
}

function precision(expected: number): number {
    return clamp(PRECISION * expected, SHORTEST, 1_000);
}

function clamp(value: number, low: number, high: number): number {
    return Math.min(high, Math.max(low, value));
}

interface Duration {
    expected: number;
    blur: number;
}

/** What is learnt of how long the jobs of each command take. */
export class Durations {
    private readonly known = new Map<string, Duration>();

    /** What is known of a command, for `nextLook`; nothing before the first of its jobs has ended. */
    of(command: string): Partial<Duration> {
        return this.known.get(command) ?? {};
    }

    /**
     * A job ended after it was last seen running at age `from` and first seen ended at age `to`. What agrees with the
     * expectation leaves it as it is; what does not pulls it half of the way.
     */
    learn(command: string, from: number, to: number): void {
        const before = this.known.get(command);
        const expected =
            before === undefined
                ? (from + to) / 2
                : (before.expected + clamp(before.expected, Math.min(from, to), to)) / 2;
        const blur = Math.min(Math.abs(to - from), before?.blur ?? Infinity);
        this.known.set(command, { expected, blur });
    }
}
