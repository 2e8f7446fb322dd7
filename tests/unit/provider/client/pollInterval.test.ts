import * as fc from "fast-check";
import { Durations, kindOf, nextPoll, typicalDuration } from "../../../../provider/client/pollInterval";

/** The looks at a job of this length. */
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

describe("a job of unknown length", () => {
    test("is first looked at after 200 ms", () => {
        expect(looks(0)).toEqual([200]);
    });

    test("of 17 s costs at most twelve looks", () => {
        expect(looks(17_000).length).toBeLessThanOrEqual(12);
    });

    test("is found late by 0.6 of its length at most, from 5 s on by 3 s or 0.3 of it, never by more than 5 s", () => {
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
        expect(gaps.every((gap, index) => index === 0 || gap >= gaps[index - 1]! - 1)).toBe(true);
        expect(gaps.at(-1)).toBe(5_000);
        expect(times.length).toBeLessThan(40);
    });

    test("that is late by a little is met by a small part of what it took", () => {
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

    test("that is hardly known is looked at in wider steps than one that is known well", () => {
        expect(looks(11_500, 10_000, 4_000).length).toBeLessThan(looks(11_500, 10_000).length);
        expect(looks(11_500, 10_000, 4_000).at(-1)! - 11_500).toBeLessThanOrEqual(1_000);
    });

    test("looks move forward, whatever is asked", () => {
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

describe("a job whose command has a typical length", () => {
    const typical = (length: number, usual: number) => {
        const times: number[] = [];
        for (let at = nextPoll({ startedAt: 0, typical: usual }, 0); ;) {
            times.push(at);
            if (at >= length) return times;
            at = nextPoll({ startedAt: 0, typical: usual }, at);
        }
    };

    test("is met within a tenth of that length, or 0.45 s, where it is as long as usual", () => {
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

    test("is met within a third of that length where it takes less", () => {
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

    test("is met within a quarter of its length, or 3 s (within a half where it takes less than 2 s), where it takes much longer", () => {
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

    test("costs few looks: machines of 2, 5 and 16 s, destroyed ones of 8 s", () => {
        expect(typical(2_000, 4_000).length).toBeLessThanOrEqual(4);
        expect(typical(5_000, 4_000).length).toBeLessThanOrEqual(8);
        expect(typical(16_000, 4_000).length).toBeLessThanOrEqual(14);
        expect(typical(8_500, 8_000).length).toBeLessThanOrEqual(9);
    });

    test("is known for what a program does most", () => {
        for (const command of ["deployVirtualMachine", "destroyVirtualMachine", "authorizeSecurityGroupIngress"])
            expect(typicalDuration(command)).toBeGreaterThan(0);
        expect(typicalDuration("createNetwork")).toBeUndefined();
    });

    test("takes longer where a machine is expunged, which its parameters tell", () => {
        const [kept, expunged] = [false, true].map((expunge) => kindOf("destroyVirtualMachine", { id: "m", expunge }));
        expect(typicalDuration(expunged!)).toBeGreaterThan(typicalDuration(kept!)!);
        expect(kindOf("deployVirtualMachine")).toBe("deployVirtualMachine");
    });
});

describe("durations", () => {
    test("are those between the last look that saw the job running and the first that did not", () => {
        const durations = new Durations();
        expect(durations.of("a").expected).toBeUndefined();
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").expected).toBe(9_000);
        expect(durations.of("b").expected).toBeUndefined();
    });

    test("are known the better the closer the looks were", () => {
        const durations = new Durations();
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").uncertainty).toBe(4_000);
        durations.learn("a", 8_800, 9_200);
        durations.learn("a", 7_000, 11_000);
        expect(durations.of("a").uncertainty).toBe(400);
    });

    test("stay where a look agrees with them, and come near where it does not", () => {
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
