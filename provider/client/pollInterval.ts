import type { Expectation } from "./durations";

/** When to look at a job again. All times in milliseconds. */

/** The first look at a job whose length is only guessed: a cloud may be much faster than others. */
const FIRST = 200;

/** About the longest time between two looks. */
const LONGEST = 5_000;

/** Between looks that are due around the expected end. */
const SHORTEST = 100;

/** How precisely the end of a job of known length is met, as a share of that length. */
const PRECISION = 0.04;

/** The largest gap between two looks at a job that is late, as a share of the time by which it is late. */
const LATENESS = 0.3;

/** The same as a share of the job's age, for one whose length is known, and for one whose length was guessed too short. */
const OF_AGE = { learnt: 0.1, guessed: 0.2 };

export interface JobTiming {
    startedAt: number;
    expected: Expectation;
}

/**
 * The time of the next look at a job, given that of the last one (of any job).
 *
 * A job of known length is looked at when its end is due, and then in small steps. One whose length is guessed is looked at soon after its
 * beginning, then each time when half of what is left to wait has passed. A gap is never more than a fifth of the job's age when it is
 * late, so that its end is noticed a tenth of its length late on average.
 */
export function nextLook({ startedAt, expected }: JobTiming, lastLook: number): number {
    const { milliseconds, learnt } = expected;
    const from = Math.max(startedAt, lastLook);
    const age = from - startedAt;
    const step = clamp(PRECISION * milliseconds, SHORTEST, 1_000);
    const left = milliseconds + step / 2 - age;
    if (left <= 0) {
        const late = learnt ? clamp(LATENESS * -left, step, OF_AGE.learnt * age) : OF_AGE.guessed * age;
        return from + clamp(late, step, LONGEST);
    }
    if (learnt) {
        // In equal parts, so that the last look before the end is not wasted on the moment before it.
        return from + left / Math.ceil(left / (1.1 * LONGEST));
    }
    return from + (age < FIRST ? Math.min(left, FIRST) : left <= 3 * SHORTEST ? left : clamp(left / 2, 2 * SHORTEST, LONGEST));
}

function clamp(value: number, low: number, high: number): number {
    return Math.min(Math.max(low, high), Math.max(low, value));
}
