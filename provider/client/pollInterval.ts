/** When to poll a job. All times are in milliseconds. */
import type { Params } from "./types";

/** When a job of unknown duration is polled first. */
const FIRST = 200;

/** About the longest interval between two polls. */
const LONGEST = 5_000;

/** The shortest interval, around the expected end. */
const SHORTEST = 100;

/** The interval around the expected end of a job of known duration, as a fraction of the duration. */
const PRECISION = 0.04;

/** The same for a job whose duration on this cloud is not known yet, as a fraction of the typical duration. */
const TYPICAL_PRECISION = 0.1;

/** The longest interval around the end of the typical duration. */
const TYPICAL_LONGEST = 450;

/** The range around the end of the typical duration that is polled at short intervals, as fractions of the duration. */
const AROUND = { from: 0.85, to: 1.25 };

/**
 * How long jobs take on an idle CloudStack 4.22. This is assumed until the first job of a command has ended. A slower
 * hypervisor costs a few more polls; a faster one is noticed by the polls before the typical end.
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
    /** How long jobs of this kind have taken so far; `undefined` before the first has ended. */
    expected?: number;
    /** The interval between the two polls that the end of the job was measured by. Default 0. */
    uncertainty?: number;
    /** How long jobs of this kind take on other clouds; `undefined` where that was not measured. */
    typical?: number;
}

/** The kind of a job: the command, and the parameters that determine how long its jobs take. */
export function kindOf(command: string, params: Params = {}): string {
    return command === "destroyVirtualMachine" && params.expunge === true ? `${command}, expunge` : command;
}

/** How long a job of a kind takes on other clouds. */
export function typicalDuration(kind: string): number | undefined {
    return TYPICAL[kind];
}

/**
 * The time of the next poll of a job, given that of the last one (of any job).
 *
 * - A job whose duration is known is polled when its end is due, then at short intervals that grow slowly.
 * - A job whose typical duration is known is polled a few times before that has passed, at short intervals around its
 *   end, and then at intervals that are a fraction of its age.
 * - Any other job is polled at intervals that are a fraction of its age.
 */
export function nextPoll({ startedAt, expected, uncertainty = 0, typical }: JobTiming, lastPoll: number): number {
    const from = Math.max(startedAt, lastPoll);
    if (expected === undefined) {
        return from + (typical === undefined ? unknownGap(from - startedAt) : typicalGap(from - startedAt, typical));
    }
    // Short intervals are of no use while the duration is only roughly known.
    const step = Math.max(precision(expected), Math.min(uncertainty / 4, TYPICAL_PRECISION * expected));
    const due = startedAt + expected + step / 2;
    if (from >= due) {
        return from + clamp((from - due) / 3, step, LONGEST);
    }
    // At equal intervals, so that no poll falls just before the expected end.
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
    uncertainty: number;
}

/** How long the jobs of each kind took in this process. */
export class Durations {
    private readonly known = new Map<string, Duration>();

    /** The known duration of a kind, for `nextPoll`; empty before the first of its jobs has ended. */
    of(kind: string): Partial<Duration> {
        return this.known.get(kind) ?? {};
    }

    /**
     * Records that a job was last seen running at age `from` and first seen ended at age `to`. If the expected duration
     * is outside of this range, it moves halfway towards it.
     */
    learn(kind: string, from: number, to: number): void {
        const before = this.known.get(kind);
        const expected =
            before === undefined
                ? (from + to) / 2
                : (before.expected + clamp(before.expected, Math.min(from, to), to)) / 2;
        const uncertainty = Math.min(Math.abs(to - from), before?.uncertainty ?? Infinity);
        this.known.set(kind, { expected, uncertainty });
    }
}
