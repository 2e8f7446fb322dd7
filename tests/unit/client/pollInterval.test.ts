import * as fc from "fast-check";
import { Durations, nextLook } from "../../../provider/client/pollInterval";

/** The looks at a job of this length. */
function looks(length: number, expected?: number): number[] {
    const times: number[] = [];
    for (let at = nextLook({ startedAt: 0, expected }, 0); ; at = nextLook({ startedAt: 0, expected }, at)) {
        times.push(at);
        if (at >= length) {
            return times;
        }
    }
}

describe("a job of unknown length", () => {
    test("is first looked at after 200 ms", () => {
        expect(looks(0)).toEqual([200]);
    });

    test("of 17 s costs at most nine looks", () => {
        expect(looks(17_000).length).toBeLessThanOrEqual(9);
    });

    test("is found at most 3 s or 1.2 times its length late, and never more than 5 s", () => {
        fc.assert(
            fc.property(fc.integer({ min: 0, max: 600_000 }), (length) => {
                const late = looks(length).at(-1)! - length;
                expect(late).toBeLessThanOrEqual(
                    Math.max(200, Math.min(1.2 * length, Math.max(3_000, 0.3 * length), 5_000)),
                );
            }),
        );
    });
});

describe("a job of known length", () => {
    test("is looked at once, just after its end", () => {
        expect(looks(1_000, 1_000)).toEqual([1_050]);
        expect(looks(100, 100)).toEqual([150]);
    });

    test("of 10 s is looked at once on the way, so that a cloud that became fast is noticed", () => {
        expect(looks(10_000, 10_000)).toEqual([5_100, 10_200]);
    });

    test("that is late is looked at in steps that grow to 5 s", () => {
        const times = looks(120_000, 2_000);
        const gaps = times.slice(1).map((time, index) => time - times[index]!);
        expect(gaps[0]).toBe(100);
        expect(gaps.every((gap, index) => index === 0 || gap >= gaps[index - 1]!)).toBe(true);
        expect(gaps.at(-1)).toBe(5_000);
        expect(times.length).toBeLessThan(40);
    });

    test("looks move forward, whatever is asked", () => {
        const time = fc.integer({ min: 0, max: 1e9 });
        fc.assert(
            fc.property(time, time, fc.option(time, { nil: undefined }), (startedAt, last, expected) => {
                const next = nextLook({ startedAt, expected }, last);
                expect(next).toBeGreaterThan(Math.max(startedAt, last));
                expect(next - Math.max(startedAt, last)).toBeLessThanOrEqual(5_501);
            }),
        );
    });
});

describe("durations", () => {
    test("are those between the last look that saw the job running and the first that did not", () => {
        const durations = new Durations();
        expect(durations.expected("a")).toBeUndefined();
        durations.learn("a", 7_000, 11_000);
        expect(durations.expected("a")).toBe(9_000);
        expect(durations.expected("b")).toBeUndefined();
    });

    test("stay where a look agrees with them, and come near where it does not", () => {
        const durations = new Durations();
        durations.learn("a", 8_000, 10_000);
        durations.learn("a", 8_900, 9_100);
        expect(durations.expected("a")).toBe(9_000);
        for (let i = 0; i < 8; i++) {
            durations.learn("a", 9_800, 10_200);
        }
        expect(durations.expected("a")).toBeCloseTo(9_800, -1);
        for (let i = 0; i < 12; i++) {
            durations.learn("a", 0, 200);
        }
        expect(durations.expected("a")).toBeLessThan(250);
    });
});
