import type { CloudOptions } from "../../simulator";
import { type Courses, direct } from "./direct";
import { graph, machines } from "./programs";
import { Subject, type Taken } from "./subject";
import { type Figure, atMost, median, figure } from "./table";

/** The number of machines. */
const COUNT = 8;

/** The number of rounds; the median is used. */
const ROUNDS = 3;

/** Responses and jobs take as long as on a real server, with its locks. */
const REAL: CloudOptions = { timing: 1 };

type Both = Record<"create" | "destroy", Taken>;

/** The package compared with direct API commands and the engine's floor, on a cloud with the timing of a real server. */
export async function atRealPace(): Promise<Figure[]> {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await oneRound());
    return (["create", "destroy"] as const).flatMap((course) => {
        const middle = (of: (round: Round) => number) => median(rounds.map(of));
        const [calls, engine, waiting] = [
            middle((round) => round.calls[course].all),
            middle((round) => round.engine[course].seconds),
            middle((round) => round.waiting[course].seconds),
        ];
        const ours = middle((round) => round.ours[course].seconds);
        // Compared within a round, because other load on the computer differs between rounds.
        const ratio = middle(
            (round) => round.ours[course].seconds / (round.calls[course].all + round.engine[course].seconds),
        );
        const toWaiting = middle((round) => round.ours[course].seconds / round.waiting[course].seconds);
        const most = Math.max(...rounds.map(({ ours }) => ours[course].calls + ours[course].polls));
        const { polls } = rounds.at(-1)!.ours[course];
        const inSeconds = (seconds: number) => `${seconds.toFixed(1)} s`;
        return [
            atMost(
                `${course}, times direct calls and the engine's floor`,
                1.1,
                ratio,
                "",
                `${inSeconds(ours)}; direct calls ${inSeconds(calls)}, the engine ${inSeconds(engine)}`,
            ),
            figure(`${course}, times the same graph of resources that wait as long`, toWaiting, "", inSeconds(waiting)),
            atMost(
                `${course}: API calls`,
                course === "create" ? 40 : 35,
                most,
                "",
                `of them ${polls} polls in the last round`,
            ),
        ];
    });
}

interface Round {
    calls: Courses;
    /** The engine's own time, measured with resources that do nothing. */
    engine: Both;
    /** The same with resources that wait as long as the direct calls took. */
    waiting: Both;
    ours: Both;
}

async function oneRound(): Promise<Round> {
    const ours = await Subject.of(machines(COUNT), REAL);
    try {
        const calls = await direct(ours.cloud, COUNT);
        const { create, destroy } = calls;
        const idle = { create: 0, destroy: 0 };
        const waits = {
            group: { create: create.groups, destroy: destroy.all - destroy.machines },
            machine: { create: create.all - create.groups, destroy: destroy.machines },
        };
        return {
            calls,
            engine: await courseOf(graph(COUNT, { group: idle, machine: idle })),
            waiting: await courseOf(graph(COUNT, waits)),
            ours: await both(ours),
        };
    } finally {
        await ours.close();
    }
}

async function courseOf(program: string): Promise<Both> {
    const subject = await Subject.of(program);
    return both(subject).finally(() => subject.close());
}

/** The engine's default parallelism on four cores, so that eight machines and the rules of two groups do not wait for each other. */
const PARALLEL = ["--parallel", "16"];

async function both(subject: Subject): Promise<Both> {
    return { create: await subject.run("up", ...PARALLEL), destroy: await subject.run("destroy", ...PARALLEL) };
}
