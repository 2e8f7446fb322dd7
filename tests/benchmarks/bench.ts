import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { engine } from "../e2e/support/engine";
import { built } from "../support/built";
import { DATA, USER_DATA, floor, machines } from "./programs";
import { atRealPace } from "./realPace";
import { Subject, type Taken } from "./subject";
import { type Figure, atMost, median, table, told } from "./table";

const checkout = join(__dirname, "..", "..");
/** How often what changes nothing is measured; the middle one counts. */
const REPEATS = 3;

type Course = Record<"up" | "preview" | "refresh" | "destroy", Taken[]>;

/** Where the figures stand, and where those of a slow cloud begin in them. */
const PAGE = join(checkout, "docs", "performance.md");
const SECOND = "## At a real server's pace";
/** Where what is written by hand begins, behind both. */
const BY_HAND = "## What the levels of a destroy cost";

/** Measures everything, prints the tables and writes them. */
export async function bench(): Promise<void> {
    await built();
    const figures: Figure[] = [importTime()];
    const add = (more: Figure[]) => {
        figures.push(...more);
        console.error(table(more).split("\n").slice(2).join("\n"));
    };
    add(await smallProgram());
    add(await previewRefresh());
    for (const count of [8, 100, 300]) add(await againstFloor(count));
    add([await refreshWithData(300)]);
    add(await parallel());
    write(first(figures), await second());
}

/** Measures at a real server's pace only, and leaves the other figures as they are. */
export async function benchAtRealPace(): Promise<void> {
    await built();
    write(readFileSync(PAGE, "utf8").split(SECOND)[0].trimEnd(), await second());
}

function write(...sections: string[]): void {
    const [, byHand = ""] = readFileSync(PAGE, "utf8").split(BY_HAND);
    const text = `${[...sections, BY_HAND + byHand.trimEnd()].join("\n\n")}\n`;
    writeFileSync(PAGE, text);
    console.log(text);
}

const machine = `${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}, Pulumi ${engine().version}`;

function first(figures: readonly Figure[]): string {
    return `# Performance

Written by \`npm run bench\` on ${machine}, in one run: with the real engine, against the embedded cloud. "Floor" is a
program with as many dynamic resources that do nothing and say nothing: what Pulumi itself takes. The program that is measured has two security groups with five
rules, and machines with user data of ${Math.round(USER_DATA.length / 1024)} KiB. Calls are requests to CloudStack's API; polls are those among them that ask whether a
job has ended (\`listAsyncJobs\`, \`queryAsyncJobResult\`). State is counted as it is stored, indented.

${table(figures)}`;
}

async function second(): Promise<string> {
    return `${SECOND}

Written by \`npm run bench -- --real\` on ${machine}, in one run: against the embedded cloud with \`--timing real\`, which has the durations and locks that
were measured on CloudStack 4.22. 8 machines, 2 groups, 5 rules, one of them naming the other group; whole commands, \`up\` without its preview, with \`--parallel 16\` (the engine's default on four cores; on two it is 8, and eight machines wait for the groups' rules). Of seconds and ratios the median
of three rounds counts, of calls the most. "Direct calls" are the API's own commands, as much at once as its locks let pass; "the engine" is a
program with the same dependencies whose resources do nothing.

${table(await atRealPace())}

Terraform's provider, measured on a real CloudStack 4.22 with as many machines, groups and rules: create 9.2 s and 119 calls, destroy 11.6 s and 85 calls
(direct calls there: 5.4 s and 8.4 s).`;
}

/** What `import "pulumi-cloudstack"` adds to a program that has loaded the SDK. */
function importTime(): Figure {
    const code =
        'require("@pulumi/pulumi"); const t = performance.now(); require("./dist"); console.log(performance.now() - t)';
    const times = Array.from({ length: 9 }, () =>
        Number(execFileSync(process.execPath, ["-e", code], { cwd: checkout })),
    );
    const detail = `median of ${times.length}, ${Math.round(Math.min(...times))} to ${Math.round(Math.max(...times))} ms`;
    return atMost("import of the package after the SDK", 150, median(times), " ms", detail);
}

/**
 * 8 machines, 2 groups and 5 rules whose jobs take 17 s together: added up as the goal has it (five of 0.2 s, eight of
 * 2 s), and as a harder case one after the other (three rules of one group in 2 s, then a machine in 15 s).
 */
async function smallProgram(): Promise<Figure[]> {
    return [
        await callsOfUp("jobs of 17 s, added up", 0.2, 2, true),
        await callsOfUp("jobs of 17 s, added up", 0.2, 2, false),
        await callsOfUp("jobs of 17 s, one after the other", 0.67, 15, false),
    ];
}

async function callsOfUp(jobs: string, ruleSeconds: number, machineSeconds: number, preview: boolean): Promise<Figure> {
    const subject = await Subject.of(machines(8));
    try {
        subject.cloud.fault({ kind: "jobSeconds", command: "authorize*", seconds: ruleSeconds, count: 0 });
        subject.cloud.fault({ kind: "jobSeconds", command: "deployVirtualMachine", seconds: machineSeconds, count: 0 });
        const { calls, polls, seconds } = await (preview ? subject.upWithPreview() : subject.run("up"));
        const what = `API calls of \`pulumi up${preview ? "" : " --skip-preview"}\`: 8 machines, 2 groups, 5 rules, ${jobs}`;
        return atMost(what, 40, calls + polls, "", `${polls} polls; ${seconds.toFixed(1)} s`);
    } finally {
        await subject.close();
    }
}

async function previewRefresh(): Promise<Figure[]> {
    const subject = await Subject.of(machines(8));
    try {
        await subject.run("up");
        const refreshed = await subject.run("preview", "--refresh", "--expect-no-changes");
        const plain = await subject.run("preview", "--expect-no-changes");
        return [
            atMost("API calls of `pulumi preview --refresh`, 8 machines", 10, refreshed.calls + refreshed.polls, ""),
            told("API calls of `pulumi preview`, 8 machines", plain.calls + plain.polls, ""),
        ];
    } finally {
        await subject.close();
    }
}

/** The four commands on a number of machines, beside the floor. */
async function againstFloor(count: number): Promise<Figure[]> {
    const [ours, least] = [await Subject.of(machines(count)), await Subject.of(floor(count))];
    try {
        const { own, base, state } = await courses(ours, least);
        const ratio = (command: keyof Course, goal?: number): Figure => {
            const [mine, its] = [seconds(own[command]), seconds(base[command])];
            const what = `\`pulumi ${command}\` of ${count} machines, times the floor`;
            const detail = `${mine.toFixed(1)} s, floor ${its.toFixed(1)} s; ${own[command][0].calls} calls`;
            return goal === undefined ? told(what, mine / its, "", detail) : atMost(what, goal, mine / its, "", detail);
        };
        const { calls, groupCalls, polls, memory } = own.up[0];
        const mebibytes = (bytes: number) => bytes / 2 ** 20;
        return [
            ratio("up"),
            ratio("preview", 1.5),
            ratio("refresh", 1.5),
            ratio("destroy"),
            atMost(
                `API calls per machine created, of ${count}, without polls`,
                2,
                (calls - groupCalls) / count,
                "",
                `${calls} calls, of them ${groupCalls} for the groups and their rules; ${polls} polls`,
            ),
            ...(count === 100 ? [atMost("state per machine besides user data", 6000, state, " bytes")] : []),
            ...(count === 300
                ? [
                      told(
                          "memory of the plugin at 300 machines",
                          mebibytes(memory),
                          " MiB",
                          `floor ${mebibytes(base.up[0].memory).toFixed(0)} MiB`,
                      ),
                  ]
                : []),
        ];
    } finally {
        await ours.close();
        await least.close();
    }
}

/** How much of a refresh is the package's, and how much comes with the size of a machine's state. */
async function refreshWithData(count: number): Promise<Figure> {
    const [ours, least] = [await Subject.of(machines(count)), await Subject.of(floor(count, 0, DATA))];
    try {
        const { own, base } = await courses(ours, least);
        const [mine, its] = [seconds(own.refresh), seconds(base.refresh)];
        const what = `\`pulumi refresh\` of ${count} machines, times a floor with as much data`;
        return told(what, mine / its, "", `${mine.toFixed(1)} s, floor ${its.toFixed(1)} s`);
    } finally {
        await ours.close();
        await least.close();
    }
}

/** Both programs, command by command in turn, so that a busy moment of the machine meets both. */
async function courses(ours: Subject, least: Subject): Promise<{ own: Course; base: Course; state: number }> {
    const [own, base]: Course[] = [0, 1].map(() => ({ up: [], preview: [], refresh: [], destroy: [] }));
    const both = async (command: keyof Course) => {
        base[command].push(await least.run(command));
        own[command].push(await ours.run(command));
    };
    await both("up");
    for (let repeat = 0; repeat < REPEATS; repeat++) {
        await both("preview");
        await both("refresh");
    }
    const state = bytesPerMachine(await ours.project.exportResources());
    await both("destroy");
    return { own, base, state };
}

function seconds(taken: readonly Taken[]): number {
    return median(taken.map((one) => one.seconds));
}

/** What a machine takes in the state besides its user data, which stands there once. */
function bytesPerMachine(resources: readonly any[]): number {
    const found = resources.filter(({ type }) => type.endsWith(":VirtualMachine"));
    const sizes = found.map((machine) => {
        const times = JSON.stringify(machine).split(JSON.stringify(USER_DATA)).length - 1;
        if (times !== 1) throw new Error(`user data stands in the state ${times} times`);
        return JSON.stringify(machine, undefined, 4).length - JSON.stringify(USER_DATA).length;
    });
    return median(sizes);
}

/** 24 machines with jobs of 10 s, 8 at a time, beside as many resources whose creation sleeps for 10 s. */
async function parallel(): Promise<Figure[]> {
    const [count, jobs] = [24, 10];
    const ours = await Subject.of(machines(count));
    // Two resources less than `floor` makes otherwise: groups are made before the machines, at once.
    const least = await Subject.of(floor(count - 2, jobs));
    try {
        ours.cloud.fault({ kind: "jobSeconds", command: "deployVirtualMachine", seconds: jobs, count: 0 });
        const base = await least.run("up", "--parallel", "8");
        const own = await ours.run("up", "--parallel", "8");
        const detail = `${own.seconds.toFixed(1)} s, floor ${base.seconds.toFixed(1)} s; ${own.polls} polls`;
        const what = `creation of ${count} machines, jobs of ${jobs} s, 8 at a time, times what the parallelism allows`;
        return [atMost(what, 1.1, own.seconds / base.seconds, "", detail)];
    } finally {
        await ours.close();
        await least.close();
    }
}
