import * as fc from "fast-check";
import { Durations, type Expectation } from "../../../provider/client/durations";
import { nextLook } from "../../../provider/client/pollInterval";

const learnt = (milliseconds: number): Expectation => ({ milliseconds, learnt: true });
const guessed = (milliseconds: number): Expectation => ({ milliseconds, learnt: false });

/** The looks at a job of this length. */
function looks(length: number, expected: Expectation): number[] {
    const times: number[] = [];
    for (let at = nextLook({ startedAt: 0, expected }, 0); times.length < 1_000; at = nextLook({ startedAt: 0, expected }, at)) {
        times.push(at);
        if (at >= length) return times;
    }
    throw new Error("looks without an end");
}

const late = (length: number, expected: Expectation): number => looks(length, expected).at(-1)! - length;

describe("gaps between looks are a small part of what is left to wait", () => {
    test("a job whose length is guessed is first looked at after 200 ms", () => {
        expect(looks(0, guessed(3_000))).toEqual([200]);
    });

    test("one that takes what is usual is found within a tenth of a second, after five looks", () => {
        fc.assert(
            fc.property(fc.integer({ min: 300, max: 10_000 }), (length) => {
                expect(late(length, guessed(length))).toBeLessThanOrEqual(0.05 * length + 100);
                expect(looks(length, guessed(length)).length).toBeLessThanOrEqual(7);
            }),
        );
    });

    test("one that takes longer is found after at most a fifth of its length, and no gap is twice the one before", () => {
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 600_000 }), fc.integer({ min: 50, max: 10_000 }), (length, usual) => {
                fc.pre(length > usual);
                expect(late(length, guessed(usual))).toBeLessThanOrEqual(Math.max(100, Math.min(0.2 * length, 5_000)));
                const times = looks(length, guessed(usual)).filter((at) => at > usual);
                const gaps = times.slice(1).map((at, index) => at - times[index]!);
                gaps.slice(1).forEach((gap, index) => expect(gap).toBeLessThan(1.5 * gaps[index]!));
            }),
        );
    });

    test("a deployment that takes 17 s where 3 s are usual costs at most fourteen looks, one of ten minutes 130", () => {
        expect(looks(17_000, guessed(3_000)).length).toBeLessThanOrEqual(14);
        expect(looks(600_000, guessed(3_000)).length).toBeLessThanOrEqual(140);
    });
});

describe("a job of known length", () => {
    test("is looked at once, just after its end", () => {
        expect(looks(1_000, learnt(1_000))).toEqual([1_050]);
        expect(looks(100, learnt(100))).toEqual([150]);
    });

    test("of 10 s is looked at once on the way, so that a cloud that became fast is noticed", () => {
        expect(looks(10_000, learnt(10_000))).toEqual([5_100, 10_200]);
    });

    test("that is late is looked at in steps that grow to 5 s", () => {
        const times = looks(120_000, learnt(2_000));
        const gaps = times.slice(1).map((time, index) => time - times[index]!);
        expect(gaps[0]).toBe(100);
        expect(gaps.every((gap, index) => index === 0 || gap >= gaps[index - 1]! - 1e-6)).toBe(true);
        expect(gaps.at(-1)).toBe(5_000);
        expect(times.length).toBeLessThan(60);
    });

    test("is found at most a tenth of its length late, whatever it was expected to take", () => {
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 60_000 }), (length, expected) => {
                fc.pre(length > expected);
                const step = Math.min(1_000, Math.max(100, 0.04 * expected));
                expect(late(length, learnt(expected))).toBeLessThanOrEqual(Math.max(1.5 * step, 0.1 * length));
            }),
        );
    });

    test("looks move forward, whatever is asked", () => {
        const time = fc.integer({ min: 0, max: 1e9 });
        fc.assert(
            fc.property(time, time, time, fc.boolean(), (startedAt, last, milliseconds, known) => {
                const next = nextLook({ startedAt, expected: { milliseconds, learnt: known } }, last);
                expect(next).toBeGreaterThan(Math.max(startedAt, last));
                expect(next - Math.max(startedAt, last)).toBeLessThanOrEqual(5_501);
            }),
        );
    });
});

describe("durations", () => {
    test("are what is usual before the first job has ended: more where several run at once", () => {
        const durations = new Durations();
        expect(durations.expected("deployVirtualMachine")).toEqual(guessed(2_100));
        expect(durations.expected("deployVirtualMachine", 8)).toEqual(guessed(4_200));
        expect(durations.expected("anything").learnt).toBe(false);
    });

    test("are those between the last look that saw the job running and the first that did not", () => {
        const durations = new Durations();
        durations.learn("a", 7_000, 11_000);
        expect(durations.expected("a")).toEqual(learnt(9_000));
        expect(durations.expected("b").learnt).toBe(false);
    });

    test("stay where a look agrees with them, and come near where it does not", () => {
        const durations = new Durations();
        const expected = (): number => durations.expected("a").milliseconds;
        durations.learn("a", 8_000, 10_000);
        durations.learn("a", 8_900, 9_100);
        expect(expected()).toBe(9_000);
        for (let i = 0; i < 8; i++) durations.learn("a", 9_800, 10_200);
        expect(expected()).toBeCloseTo(9_800, -1);
        for (let i = 0; i < 12; i++) durations.learn("a", 0, 200);
        expect(expected()).toBeLessThan(250);
    });
});
