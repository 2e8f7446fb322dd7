import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Call, startCloud } from "../../simulator";
import { Engine } from "./faults/engine";
import { type Moment, type MortalPlugin, plugin } from "./faults/plugin";
import { NETWORK_PHASES } from "./faults/networkProgram";
import { PHASES, type Phase, survey } from "./faults/program";
import { type AccountName, World } from "./provider/support";
import type { Client } from "./simulator/client";

/**
 * Every request of creating, changing, replacing and destroying a small program is disturbed with every fault of a
 * network or cloud and with a kill. The next run must end as if nothing had happened: no duplicate, no orphan, and
 * every machine running.
 */

/**
 * How a request is disturbed: by one of the cloud's own faults, by an outage that begins with it, or by a kill of the
 * process after it was answered (`killInJob`: its job still runs when the next run begins).
 */
type Kind = "drop" | "cut" | "unavailable" | "throttle" | "refuse" | "failJob" | "outage" | "kill" | "killInJob";

/** The faults that a run survives. */
const PASSING: readonly Kind[] = ["drop", "cut", "unavailable", "throttle"];

interface Case extends Moment {
    readonly kind: Kind;
}

/** The part of the cases that is tried unless ALL_FAULTS is set in the environment. */
const SHARE = 4;

/** How many cases run at the same time; they spend most of their time waiting. */
const AT_ONCE = 16;

jest.setTimeout(600_000);

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "cloudstack-faults-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A cloud before a phase, to be copied, and the engine's state for it. */
interface Start {
    readonly stateDir: string;
    readonly engine: Engine;
}

async function prepare(phase: Phase): Promise<Start> {
    const stateDir = join(folder, phase.name);
    const world = new World(await startCloud({ stateDir }));
    const engine = new Engine();
    if (phase.from !== undefined) await engine.up(plugin(world, phase.account).plugin, phase.from);
    await world.cloud.close();
    return { stateDir, engine };
}

let copies = 0;

/** Runs `work` with a copy of the cloud. */
async function within<T>(start: Start, work: (world: World, engine: Engine) => Promise<T>): Promise<T> {
    const stateDir = `${start.stateDir}-${++copies}`;
    cpSync(start.stateDir, stateDir, { recursive: true });
    const cloud = await startCloud({ stateDir });
    try {
        return await work(new World(cloud), new Engine(start.engine));
    } finally {
        await cloud.close();
        rmSync(stateDir, { recursive: true });
    }
}

function run(phase: Phase, engine: Engine, process: ReturnType<typeof plugin>): Promise<void> {
    return phase.to === undefined ? engine.destroy(process.plugin, phase.from!) : engine.up(process.plugin, phase.to);
}

/** Every disturbance of every request of an undisturbed run. */
function casesOf(calls: readonly Call[]): Case[] {
    const seen: Record<string, number> = {};
    return calls.flatMap(({ command, parameters }) => {
        const nth = seen[command] ?? 0;
        seen[command] = nth + 1;
        const changes = !/^(list|query)/.test(command);
        const kinds: Kind[] = ["drop", "cut", "unavailable", "throttle", "kill"];
        if (changes) kinds.push("refuse", "outage");
        if (parameters.customjobid !== undefined) kinds.push("killInJob");
        // The job of a machine that is created but not started does nothing.
        if (parameters.customjobid !== undefined && parameters.startvm !== "false") kinds.push("failJob");
        return kinds.map((kind) => ({ kind, command, nth }));
    });
}

/** The failures after one case, as text; empty if there are none. */
async function attempt(phase: Phase, start: Start, expected: object, { kind, ...moment }: Case): Promise<string[]> {
    return within(start, async (world, engine) => {
        const ran = await machines(world.api[phase.account], "Running");
        const process = disturbed(world, phase.account, kind, moment);
        const ended = await Promise.race([
            run(phase, engine, process).then(
                () => "succeeded",
                () => "failed",
            ),
            process.died.then(() => "killed"),
        ]);
        world.cloud.clearFaults();
        const problems: string[] = [];
        if (ended === "failed") {
            if (PASSING.includes(kind)) problems.push("the run failed");
            if (kind !== "outage")
                problems.push(
                    ...(await machines(world.api[phase.account], "Stopped"))
                        .filter((id) => ran.includes(id))
                        .map((id) => `${id} was left stopped`),
                );
        }
        const next = plugin(world, phase.account);
        // The state that a killed run left: later answers of its handlers do not reach it.
        const engineAfter = new Engine(engine);
        try {
            await withRemedy(world.api[phase.account], () => run(phase, engineAfter, next));
        } catch (error) {
            return [...problems, `the next run failed: ${(error as Error).message}`];
        }
        const { things, ids } = await survey(world.api[phase.account]);
        if (!isDeepStrictEqual(things, expected)) problems.push(`the cloud has ${JSON.stringify(things)}`);
        // Sets of rules are no things of the cloud: the ids of others are without a slash.
        const known = [...engineAfter.state.values()].flatMap(({ id }) => (id.includes("/") ? [] : [id])).sort();
        if (!isDeepStrictEqual(known, ids)) problems.push(`the state has ${known}, the cloud ${ids}`);
        const changes = await engineAfter.changes(next.plugin);
        if (changes.length > 0) problems.push(`changes are left: ${changes}`);
        return problems;
    });
}

/** Follows the error's advice for a key pair whose private key was lost with a killed process: deletes the pair. */
async function withRemedy(api: Client, work: () => Promise<void>): Promise<void> {
    try {
        await work();
    } catch (error) {
        const [, name] = /command deleteSSHKeyPair, name=([\w-]+)/.exec((error as Error).message) ?? [];
        if (name === undefined) throw error;
        await api.ok("deleteSSHKeyPair", { name });
        await work();
    }
}

function disturbed(world: World, account: AccountName, kind: Kind, moment: Moment): MortalPlugin {
    const { command, nth: skip } = moment;
    switch (kind) {
        case "kill":
            return plugin(world, account, moment);
        case "killInJob":
            world.cloud.fault({ kind: "jobSeconds", command, skip, seconds: 0.3 });
            return plugin(world, account, moment);
        case "outage":
            return plugin(world, account, moment, () =>
                world.cloud.fault({ kind: "unavailable", command: "*", count: 0 }),
            );
        default:
            world.cloud.fault({ kind, command, skip, text: "No such luck" });
            return plugin(world, account);
    }
}

/** Ids of the machines in one state, or of all machines that are not destroyed. */
async function machines(api: Client, state: string): Promise<string[]> {
    return (await api.list("listVirtualMachines", { listall: true, state })).map(({ id }) => id);
}

/** Runs `work` for every item, a few at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const left = [...items];
    const worker = async () => {
        for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test.each([...PHASES, ...NETWORK_PHASES])("every request of a $name can be disturbed", async (phase) => {
    const start = await prepare(phase);
    const { calls, things } = await within(start, async (world, engine) => {
        await run(phase, engine, plugin(world, phase.account));
        return { calls: world.cloud.calls(), ...(await survey(world.api[phase.account])) };
    });
    const all = casesOf(calls);
    const cases = process.env.ALL_FAULTS === undefined ? all.filter((_, index) => index % SHARE === 0) : all;
    const problems: string[] = [];
    await each(cases, async (one) => {
        const found = await attempt(phase, start, things, one);
        const lines = found.map((problem) => `${one.kind} at ${one.command} ${one.nth}: ${problem}`);
        // In parallel, because all cases together take minutes.
        for (const line of lines) process.stdout.write(`${phase.name}: ${line}\n`);
        problems.push(...lines);
    });
    const failed = new Set(problems.map((line) => line.split(": ")[0])).size;
    process.stdout.write(
        `${phase.name}: ${calls.length} requests; fault cases tried ${cases.length} of ${all.length}, failed ${failed}\n`,
    );
    expect(problems).toEqual([]);
});
