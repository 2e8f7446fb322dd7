import * as fc from "fast-check";
import { Durations, kindOf, nextPoll, typicalDuration } from "../../../../provider/client/pollInterval";

/** The times of the polls for a job of this duration. */
function looks(length: number, expected?: number, uncertainty?: number): number[] {
    const times: number[] = [];
    for (
        let at = nextPoll({ startedAt: 0, expected, uncertainty }, 0);
        ;
        at = nextPoll({ startedAt: 0, expected, uncertainty }, at)
    ) {
        times.push(at);
        if (at >= length) {
            return times;
        }
    }
}

describe("a job of unknown duration", () => {
    test("is polled first after 200 ms", () => {
        expect(looks(0)).toEqual([200]);
    });

    test("of 17 s needs at most twelve polls", () => {
        expect(looks(17_000).length).toBeLessThanOrEqual(12);
    });

    test("is noticed at most 0.6 of its duration late, from 5 s on at most 3 s or 0.3 of it, and never more than 5 s", () => {
        fc.assert(
            fc.property(fc.integer({ min: 0, max: 600_000 }), (length) => {
                const late = looks(length).at(-1)! - length;
                expect(late).toBeLessThanOrEqual(
                    Math.max(200, Math.min(0.6 * length, Math.max(3_000, 0.3 * length), 5_000)),
                );
            }),
        );
    });
});

describe("a job of known duration", () => {
    test("is polled once, just after its end", () => {
        expect(looks(1_000, 1_000)).toEqual([1_050]);
        expect(looks(100, 100)).toEqual([150]);
    });

    test("of 10 s is polled once before, so that a cloud that became faster is noticed", () => {
        expect(looks(10_000, 10_000)).toEqual([5_100, 10_200]);
    });

    test("that is late is polled at intervals that grow to 5 s", () => {
        const times = looks(120_000, 2_000);
        const gaps = times.slice(1).map((time, index) => time - times[index]!);
        expect(gaps[0]).toBe(100);
        expect(gaps.every((gap, index) => index === 0 || gap >= gaps[index - 1]! - 1)).toBe(true);
        expect(gaps.at(-1)).toBe(5_000);
        expect(times.length).toBeLessThan(40);
    });

    test("that is slightly late is noticed after a small part of its duration", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 1_000, max: 600_000 }),
                fc.double({ min: 0, max: 0.5, noNaN: true }),
                (expected, late) => {
                    const length = expected * (1 + late);
                    const overshoot = looks(length, expected).at(-1)! - length;
                    expect(overshoot).toBeLessThanOrEqual(Math.max(110, 0.18 * expected));
                },
            ),
        );
    });

    test("whose duration is uncertain is polled at longer intervals than one whose duration is certain", () => {
        expect(looks(11_500, 10_000, 4_000).length).toBeLessThan(looks(11_500, 10_000).length);
        expect(looks(11_500, 10_000, 4_000).at(-1)! - 11_500).toBeLessThanOrEqual(1_000);
    });

    test("the next poll is always later than the last one", () => {
        const time = fc.integer({ min: 0, max: 1e9 });
        fc.assert(
            fc.property(time, time, fc.option(time, { nil: undefined }), (startedAt, last, expected) => {
                const next = nextPoll({ startedAt, expected }, last);
                expect(next).toBeGreaterThan(Math.max(startedAt, last));
                expect(next - Math.max(startedAt, last)).toBeLessThanOrEqual(5_501);
            }),
        );
    });
});

describe("a job whose command has a typical duration", () => {
    const typical = (length: number, usual: number) => {
        const times: number[] = [];
        for (let at = nextPoll({ startedAt: 0, typical: usual }, 0); ;) {
            times.push(at);
            if (at >= length) return times;
            at = nextPoll({ startedAt: 0, typical: usual }, at);
        }
    };

    test("is noticed within a tenth of that duration, or 0.45 s, if it takes as long as usual", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 500, max: 20_000 }),
                fc.double({ min: 0.9, max: 1.2, noNaN: true }),
                (usual, part) => {
                    const late = typical(usual * part, usual).at(-1)! - usual * part;
                    expect(late).toBeLessThanOrEqual(Math.max(100, Math.min(0.1 * usual, 450)) + 1);
                },
            ),
        );
    });

    test("is noticed within a third of that duration if it takes less", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 500, max: 20_000 }),
                fc.double({ min: 0, max: 0.9, noNaN: true }),
                (usual, part) => {
                    const late = typical(usual * part, usual).at(-1)! - usual * part;
                    expect(late).toBeLessThanOrEqual(Math.max(100, usual / 3) + 1);
                },
            ),
        );
    });

    test("is noticed within a quarter of its duration, or 3 s (within half of it below 2 s), if it takes much longer", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 100, max: 20_000 }),
                fc.double({ min: 1.2, max: 60, noNaN: true }),
                (usual, part) => {
                    const length = usual * part;
                    const late = typical(length, usual).at(-1)! - length;
                    const most = Math.min((length < 2_300 ? 0.5 : 0.25) * length, 3_000);
                    expect(late).toBeLessThanOrEqual(Math.max(110, Math.min(0.1 * usual, 450) + 1, most));
                },
            ),
        );
    });

    test("needs few polls: for machines of 2, 5 and 16 s, and expunged ones of 8 s", () => {
        expect(typical(2_000, 4_000).length).toBeLessThanOrEqual(4);
        expect(typical(5_000, 4_000).length).toBeLessThanOrEqual(8);
        expect(typical(16_000, 4_000).length).toBeLessThanOrEqual(14);
        expect(typical(8_500, 8_000).length).toBeLessThanOrEqual(9);
    });

    test("is one of the commands that programs use most", () => {
        for (const command of ["deployVirtualMachine", "destroyVirtualMachine", "authorizeSecurityGroupIngress"])
            expect(typicalDuration(command)).toBeGreaterThan(0);
        expect(typicalDuration("createNetwork")).toBeUndefined();
    });

    test("takes longer if its parameters ask to expunge the machine", () => {
        const [kept, expunged] = [false, true].map((expunge) => kindOf("destroyVirtualMachine", { id: "m", expunge }));
        expect(typicalDuration(expunged!)).toBeGreaterThan(typicalDuration(kept!)!);
        expect(kindOf("deployVirtualMachine")).toBe("deployVirtualMachine");
    });
});

describe("measured durations", () => {
    test("are between the last poll that saw the job running and the first that did not", () => {
        const durations = new Durations();
        expect(durations.of("a").expected).toBeUndefined();
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").expected).toBe(9_000);
        expect(durations.of("b").expected).toBeUndefined();
    });

    test("are the more certain the closer these polls were", () => {
        const durations = new Durations();
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").uncertainty).toBe(4_000);
        durations.learn("a", 8_800, 9_200);
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").uncertainty).toBe(400);
    });

    test("are kept if a poll agrees with them, and approach it otherwise", () => {
        const durations = new Durations();
        durations.learn("a", 8_000, 10_000);
        durations.learn("a", 8_900, 9_100);
        expect(durations.of("a").expected).toBe(9_000);
        for (let i = 0; i < 8; i++) {
            durations.learn("a", 9_800, 10_200);
        }
        expect(durations.of("a").expected).toBeCloseTo(9_800, -1);
        for (let i = 0; i < 12; i++) {
            durations.learn("a", 0, 200);
        }
        expect(durations.of("a").expected).toBeLessThan(250);
    });
});
