import { JobPoller, type JobAnswer, type JobSource } from "../../../../provider/client/jobs";
import { FakeClock } from "./support";

const LATENCY = 30;

/** A cloud whose jobs end at given times, and which counts the requests. */
class Cloud implements JobSource {
    lists = 0;
    queries = 0;
    readonly asked = new Map<string, number>();
    listFails: (() => Error | undefined) | undefined;
    queryFails: (() => Error | undefined) | undefined;
    readonly hidden = new Set<string>();
    private readonly clock: FakeClock;
    private readonly ends = new Map<string, number>();

    constructor(clock: FakeClock) {
        this.clock = clock;
    }

    submit(id: string, seconds: number): void {
        this.ends.set(id, this.clock.now() + seconds * 1000);
    }

    async running(): Promise<Set<string>> {
        this.lists++;
        await this.clock.sleep(LATENCY);
        const error = this.listFails?.();
        if (error) {
            throw error;
        }
        return new Set(
            [...this.ends].filter(([id, end]) => end > this.clock.now() && !this.hidden.has(id)).map(([id]) => id),
        );
    }

    async query(id: string): Promise<JobAnswer> {
        this.queries++;
        this.asked.set(id, (this.asked.get(id) ?? 0) + 1);
        await this.clock.sleep(LATENCY);
        const error = this.queryFails?.();
        if (error) {
            throw error;
        }
        return this.ends.get(id)! > this.clock.now() ? { jobstatus: 0 } : { jobstatus: 1, jobresult: { id } };
    }

    isFinal(error: unknown): boolean {
        return (error as Error).message === "final";
    }
}

function setUp(): { clock: FakeClock; cloud: Cloud; poller: JobPoller } {
    const clock = new FakeClock();
    const cloud = new Cloud(clock);
    return { clock, cloud, poller: new JobPoller(cloud, clock) };
}

/** Starts jobs of a command and waits for all of them. @returns the seconds that it took */
async function round(
    set: ReturnType<typeof setUp>,
    command: string,
    seconds: number[],
    spread = 0.02,
): Promise<number> {
    const { clock, cloud, poller } = set;
    const started = clock.now();
    await clock.run(
        Promise.all(
            seconds.map(async (length, index) => {
                await clock.sleep(index * spread * 1000);
                const id = `${command}-${started}-${index}`;
                cloud.submit(id, length);
                expect(await poller.wait(id, { command: command, timeoutSeconds: 600 })).toEqual({
                    kind: "ended",
                    answer: { jobstatus: 1, jobresult: { id } },
                });
            }),
        ),
    );
    return (clock.now() - started) / 1000;
}

describe("the number of polls", () => {
    test("a single job is polled with queryAsyncJobResult, without a list", async () => {
        const set = setUp();
        await round(set, "stopVirtualMachine", [3]);
        expect(set.cloud.lists).toBe(0);
        expect(set.cloud.queries).toBeLessThanOrEqual(8);
    });

    test("two short jobs are polled one by one while others run that are not due", async () => {
        const set = setUp();
        await round(set, "authorizeSecurityGroupIngress", [0.15]);
        set.cloud.submit("machine", 3);
        const readResult = async () => ({ machine: "runs" });
        const machine = set.poller.wait("machine", { command: "deployVirtualMachine", timeoutSeconds: 60, readResult });
        const { queries } = set.cloud;
        for (let turn = 0; turn < 3; turn++) await round(set, "authorizeSecurityGroupIngress", [0.15, 0.15], 0);
        expect(set.cloud.queries - queries).toBe(6);
        expect(set.cloud.lists).toBeLessThanOrEqual(1);
        await set.clock.run(machine);
    });

    test("jobs that are due at about the same time share a list, which delays none by more than a twentieth of its duration", async () => {
        const set = setUp();
        for (let time = 0; time < 4; time++) await round(set, "deployVirtualMachine", [5]);
        const { lists } = set.cloud;
        const took = await round(set, "deployVirtualMachine", Array(8).fill(5), 0.25);
        expect(set.cloud.lists - lists).toBeLessThanOrEqual(3);
        expect(took).toBeLessThan(7 * 0.25 + 5 * 1.05 + 0.2);
    });

    test("five rules and eight machines, whose jobs take 17 s together, need eight lists and one query per job", async () => {
        const set = setUp();
        await round(set, "authorizeSecurityGroupIngress", Array(5).fill(0.2));
        const took = await round(set, "deployVirtualMachine", Array(8).fill(2));
        expect(set.cloud.lists).toBeLessThanOrEqual(8);
        expect(set.cloud.queries).toBe(13);
        expect(took).toBeLessThan(2 * 1.25);
    });

    test("the same with machines that take 16 s each needs nineteen lists", async () => {
        const set = setUp();
        await round(set, "authorizeSecurityGroupIngress", Array(5).fill(1));
        const took = await round(set, "deployVirtualMachine", Array(8).fill(16));
        expect(set.cloud.lists).toBeLessThanOrEqual(19);
        expect(set.cloud.queries).toBe(13);
        expect(took).toBeLessThan(16 * 1.2);
    });

    test("the number of lists does not grow with the number of jobs", async () => {
        const few = setUp();
        const many = setUp();
        await round(few, "deployVirtualMachine", Array(4).fill(8), 0);
        await round(many, "deployVirtualMachine", Array(400).fill(8), 0);
        expect(many.cloud.lists).toBe(few.cloud.lists);
        expect(many.cloud.queries).toBe(400);
    });

    test("24 machines of 10 s each, eight at a time, take at most 1.1 times 30 s", async () => {
        const set = setUp();
        let took = 0;
        for (let wave = 0; wave < 3; wave++) {
            took += await round(set, "deployVirtualMachine", Array(8).fill(10));
        }
        expect(took).toBeLessThan(33);
    });

    test("100 machines whose jobs end at once are not delayed", async () => {
        const set = setUp();
        let took = 0;
        for (let wave = 0; wave < 10; wave++) {
            took += await round(set, "deployVirtualMachine", Array(10).fill(0), 0);
        }
        expect(took).toBeLessThan(3);
    });
});

describe("jobs whose effect is visible in another list", () => {
    const options = { command: "deployVirtualMachine", timeoutSeconds: 60 };
    const ended = (jobresult: object) => ({ kind: "ended", answer: { jobstatus: 1, jobresult } });

    test("are queried when the list no longer has them", async () => {
        const { clock, cloud, poller } = setUp();
        for (const id of ["a", "b"]) cloud.submit(id, 2);
        const readResult = async () => ({ machine: "runs" });
        const ends = await clock.run(Promise.all(["a", "b"].map((id) => poller.wait(id, { ...options, readResult }))));
        expect(ends).toEqual([ended({ machine: "runs" }), ended({ machine: "runs" })]);
        expect(cloud.queries).toBe(0);
    });

    test("are queried if the list shows nothing, fails or does not exist", async () => {
        const { clock, cloud, poller } = setUp();
        const blind = { a: async () => undefined, b: () => Promise.reject(new Error("busy")) };
        for (const id of ["a", "b"]) cloud.submit(id, 1);
        await clock.run(
            Promise.all(Object.entries(blind).map(([id, readResult]) => poller.wait(id, { ...options, readResult }))),
        );
        expect([...cloud.asked]).toEqual([
            ["a", 1],
            ["b", 1],
        ]);
        cloud.listFails = () => new Error("final");
        const readResult = jest.fn();
        for (const id of ["c", "d"]) cloud.submit(id, 1);
        await clock.run(Promise.all(["c", "d"].map((id) => poller.wait(id, { ...options, readResult }))));
        expect(readResult).not.toHaveBeenCalled();
    });
});

describe("errors and delays", () => {
    test("a list that fails temporarily does not fail the jobs", async () => {
        const set = setUp();
        let times = 3;
        set.cloud.listFails = () => (times-- > 0 ? new Error("503") : undefined);
        await round(set, "deployVirtualMachine", [1, 1]);
        expect(set.cloud.lists).toBeGreaterThan(3);
    });

    test("a query that fails temporarily does not fail the job", async () => {
        const set = setUp();
        let times = 2;
        set.cloud.queryFails = () => (times-- > 0 ? new Error("connection lost") : undefined);
        await round(set, "deployVirtualMachine", [0]);
    });

    test("without permission to list jobs, each one is queried", async () => {
        const set = setUp();
        set.cloud.listFails = () => new Error("final");
        await round(set, "deployVirtualMachine", [2, 2]);
        expect(set.cloud.lists).toBe(1);
    });

    test("a job that is not in the list is polled less often than the others cause lists", async () => {
        const set = setUp();
        set.cloud.submit("hidden", 20);
        set.cloud.hidden.add("hidden");
        const hidden = set.poller.wait("hidden", { command: "deployVirtualMachine", timeoutSeconds: 60 });
        for (let i = 0; i < 40; i++) {
            await round(set, "createVolume", [0.3, 0.3, 0.3], 0);
        }
        expect(set.cloud.lists).toBeGreaterThan(40);
        expect(set.cloud.asked.get("hidden")).toBeLessThanOrEqual(7);
        const started = set.clock.now();
        expect(await set.clock.run(hidden)).toMatchObject({ kind: "ended" });
        expect(set.clock.now() - started).toBeLessThan(20_000);
    });

    test("a job whose query is refused permanently fails, and the others continue", async () => {
        const set = setUp();
        set.cloud.submit("a", 0);
        let first = true;
        set.cloud.queryFails = () => {
            const error = first ? new Error("final") : undefined;
            first = false;
            return error;
        };
        expect(await set.clock.run(set.poller.wait("a", { command: "x", timeoutSeconds: 60 }))).toMatchObject({
            kind: "lost",
            error: { message: "final" },
        });
        await round(set, "x", [1]);
    });

    test("a job that takes too long fails at its deadline, to the second", async () => {
        const set = setUp();
        set.cloud.submit("slow", 1_000);
        const started = set.clock.now();
        expect(await set.clock.run(set.poller.wait("slow", { command: "x", timeoutSeconds: 42 }))).toEqual({
            kind: "late",
        });
        expect((set.clock.now() - started) / 1000).toBeCloseTo(42, 0);
    });

    test("the error of a deadline during an outage mentions the outage", async () => {
        const set = setUp();
        set.cloud.submit("a", 1);
        set.cloud.queryFails = () => new Error("away");
        expect(await set.clock.run(set.poller.wait("a", { command: "x", timeoutSeconds: 30 }))).toMatchObject({
            kind: "late",
            lastFailure: { message: "away" },
        });
        expect(set.cloud.queries).toBeLessThan(12);
    });

    test("a new job is noticed in time while an old one is being waited for", async () => {
        const set = setUp();
        set.cloud.submit("old", 300);
        const old = set.poller.wait("old", { command: "createVolume", timeoutSeconds: 600 });
        await set.clock.run(set.clock.sleep(60_000));
        expect(await round(set, "startVirtualMachine", [0.1])).toBeLessThan(0.6);
        expect(await set.clock.run(old)).toMatchObject({ kind: "ended" });
    });
});
