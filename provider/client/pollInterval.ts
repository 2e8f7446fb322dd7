/** When to look at a job again. All times in milliseconds. */

/** The first look at a job of which nothing is known. */
const FIRST = 200;

/** About the longest time between two looks. */
const LONGEST = 5_000;

/** Between looks that are due around the expected end. */
const SHORTEST = 100;

/** How precisely the end of a job is met, as a share of the time that it takes. */
const PRECISION = 0.04;

export interface JobTiming {
    startedAt: number;
    /** How long jobs of this command took so far; `undefined` before the first has ended. */
    expected?: number;
}

/**
 * The time of the next look at a job, given that of the last one (of any job).
 *
 * A job of unknown length is looked at when its age has roughly doubled, and from a few seconds on every 3 to 5 s: one
 * of 17 s costs nine looks. A job of known length is looked at when its end is due, and then in small steps that grow
 * while it is late.
 */
export function nextLook({ startedAt, expected }: JobTiming, lastLook: number): number {
    const from = Math.max(startedAt, lastLook);
    if (expected === undefined) {
        return from + unknownGap(from - startedAt);
    }
    const step = precision(expected);
    const due = startedAt + expected + step / 2;
    if (from >= due) {
        return from + clamp(from - due, step, LONGEST);
    }
    // In equal parts, so that the last look before the end is not wasted on the moment before it.
    return from + (due - from) / Math.ceil((due - from) / (1.1 * LONGEST));
}

function unknownGap(age: number): number {
    return clamp(Math.min(1.2 * age, Math.max(3_000, 0.3 * age)), FIRST, LONGEST);
}

function precision(expected: number): number {
    return clamp(PRECISION * expected, SHORTEST, 1_000);
}

function clamp(value: number, low: number, high: number): number {
    return Math.min(high, Math.max(low, value));
}

/** What is learnt of how long the jobs of each command take. */
export class Durations {
    private readonly known = new Map<string, number>();

    expected(command: string): number | undefined {
        return this.known.get(command);
    }

    /**
     * A job ended after it was last seen running at age `from` and first seen ended at age `to`. What agrees with the
     * expectation leaves it as it is; what does not pulls it half of the way.
     */
    learn(command: string, from: number, to: number): void {
        const expected = this.known.get(command);
        this.known.set(
            command,
            expected === undefined ? (from + to) / 2 : (expected + clamp(expected, Math.min(from, to), to)) / 2,
        );
    }
}
