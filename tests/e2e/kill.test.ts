import { setTimeout as sleep } from "node:timers/promises";
import { survey } from "../contract/faults/program";
import type { Client } from "../contract/simulator/client";
import type { RunningCloud } from "../../simulator";
import { isRunning, type Process } from "./support/processes";
import type { Project, Running } from "./support/project";
import { inSandbox } from "./support/sandbox";

/**
 * The engine's command line, or the process in which handlers run, is killed during a run. The next run, after `pulumi
 * cancel` if the backend is locked, must complete, without duplicates and without orphans. By default this tests a few
 * moments; with ALL_FAULTS in the environment every request that changes something. (`tests/contract/faults.test.ts`
 * tests all of them in one process, with many more faults.)
 */

type Victim = "cli" | "plugin";

/**
 * The kill happens when the n-th request of this command, counted from 0, was carried out and its answer was cut off.
 */
type Moment = readonly [command: string, nth: number, victim: Victim];

interface Step {
    readonly name: string;
    /** If absent: `pulumi destroy`. */
    readonly program?: string;
    readonly moments: readonly Moment[];
}

const MACHINE = `serviceOffering: "Small Instance", template: "Debian 12"`;
const program = (key: string, web: string, db: string, first: string, second: string, data: string) => `
import * as cloudstack from "pulumi-cloudstack";
const key = new cloudstack.SshKeyPair("key", { ${key} });
const spread = new cloudstack.AffinityGroup("spread");
const web = new cloudstack.SecurityGroup("web", { ${web} });
const db = new cloudstack.SecurityGroup("db", { ingress: [{ ports: "5432", groups: [web.name] }, { self: true }, ${db}] });
const common = { affinityGroups: [spread.id], sshKeyPairs: [key.name] };
const first = new cloudstack.VirtualMachine("first", { ...common, ${first} });
const second = new cloudstack.VirtualMachine("second", { ...common, ${second} });
new cloudstack.Volume("data", { diskOffering: "Custom", ${data} });
`;
const PORT_80 = `ingress: [{ ports: "80", cidrs: ["0.0.0.0/0"] }]`;

/** From an empty account to two machines and everything they use, through changes and replacements, and back. */
const STEPS: readonly Step[] = [
    {
        name: "create",
        program: program(
            ...[
                "",
                PORT_80,
                "",
                `${MACHINE}, ipAddress: "10.1.1.120", securityGroups: [web.id], tags: { role: "web" }`,
            ],
            ...[`${MACHINE}, securityGroups: [db.id]`, "sizeGiB: 5, virtualMachine: first.id"],
        ),
        moments: [
            ["createSecurityGroup", 0, "cli"],
            ["deployVirtualMachine", 1, "plugin"],
            ["attachVolume", 0, "cli"],
        ],
    },
    {
        name: "update",
        program: program(
            ...["", `ingress: [{ ports: "443", cidrs: ["0.0.0.0/0"] }]`, `{ ports: "22", cidrs: ["10.0.0.0/8"] }`],
            `serviceOffering: "Medium Instance", template: "Debian 12", ipAddress: "10.1.1.120", securityGroups: [web.id], tags: { role: "db" }`,
            ...[`${MACHINE}, securityGroups: [web.id, db.id]`, "sizeGiB: 5, virtualMachine: second.id"],
        ),
        moments: [
            ["stopVirtualMachine", 0, "cli"],
            ["updateVirtualMachine", 0, "plugin"],
            ["detachVolume", 0, "cli"],
        ],
    },
    {
        name: "replace",
        program: program(
            `publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHf2mQ8f0JbT3b1m0S8Vd1o3gV0c9zM0c9kYt9q2n5uK test"`,
            ...[`name: "web-2", ${PORT_80}`, ""],
            `${MACHINE}, ipAddress: "10.1.1.121", securityGroups: [web.id], tags: { role: "web" }`,
            `serviceOffering: "Small Instance", template: "Debian 12 with password", securityGroups: [db.id]`,
            "sizeGiB: 5, virtualMachine: first.id",
        ),
        moments: [
            ["destroyVirtualMachine", 0, "plugin"],
            ["deployVirtualMachine", 0, "cli"],
            ["registerSSHKeyPair", 0, "plugin"],
        ],
    },
    {
        name: "destroy",
        moments: [
            ["stopVirtualMachine", 0, "cli"],
            ["destroyVirtualMachine", 1, "plugin"],
            ["deleteSecurityGroup", 0, "cli"],
        ],
    },
];

const everything = process.env.ALL_FAULTS !== undefined;
jest.setTimeout(everything ? 4 * 3_600_000 : 300_000);

let cloud: RunningCloud;
let user: Client;
let project: Project;
/** Called as soon as the connection of a request was cut. */
let onCut: (() => void) | undefined;

inSandbox(
    {
        // Destroyed machines are expunged after a minute; otherwise they would use up all addresses of the network.
        cloud: { expungeSeconds: 60, log: (line) => / cut /.test(line) && onCut?.() },
    },
    (sandbox) => ({ cloud, user, project } = sandbox),
);

function start({ program }: Step): Promise<Running> {
    if (program === undefined) return project.start("destroy");
    project.program(program);
    return project.start("up");
}

/** Runs a step again to its end, and expects that the state and the cloud agree. */
async function finish(step: Step): Promise<void> {
    let result = await (await start(step)).finished;
    // The private key of a generated pair was lost with the process; the error says what to do.
    const [, name] = /command deleteSSHKeyPair, name=([\w-]+)/.exec(result.errors.join("\n")) ?? [];
    if (name !== undefined) {
        await user.ok("deleteSSHKeyPair", { name });
        result = await (await start(step)).finished;
    }
    if (result.code !== 0) throw new Error(`the next run failed: ${result.errors.join("\n") || result.stderr}`);
    const { things, ids } = await survey(user);
    // Rules have no id in the cloud; the survey compares them as part of their group.
    const state = (await project.exportResources()).filter(
        ({ type }) => /^pulumi-nodejs:dynamic/.test(type) && !type.endsWith(":SecurityGroupRules"),
    );
    expect(state.map(({ id }) => id).sort()).toEqual(ids);
    expect(things.machines).toHaveLength(step.program === undefined ? 0 : 2);
    for (const machine of things.machines as string[]) expect(machine).toContain('"Running"');
}

/** Kills a step at a moment. @returns whether the moment was reached */
async function kill(step: Step, [command, skip, victim]: Moment): Promise<boolean> {
    cloud.fault({ kind: "drop", command, skip });
    const running = await start(step);
    let plugin: Process | undefined;
    onCut = () => {
        plugin = running.plugin();
        running.kill9(victim);
    };
    const { code } = await running.finished;
    onCut = undefined;
    cloud.clearFaults();
    if (plugin === undefined) return false;
    expect(code).not.toBe(0);
    // The plugin must not run on beside the next run.
    await waitForEnd(plugin);
    if (victim === "cli") await project.cancel();
    return true;
}

async function waitForEnd({ pid }: Process): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (isRunning(pid)) {
        if (Date.now() > deadline) throw new Error(`process ${pid} outlives its engine`);
        await sleep(50);
    }
}

/** Brings the stack to the state before a step. */
function arrive(step: Step): Promise<void> {
    return finish(STEPS[STEPS.indexOf(step) - 1] ?? STEPS.at(-1)!);
}

/**
 * All requests that change something in an undisturbed run of a step, each with both victims. A kill at a read equals
 * one at the change before it.
 */
async function allMoments(step: Step): Promise<Moment[]> {
    cloud.clearCalls();
    await finish(step);
    const seen: Record<string, number> = {};
    return cloud.calls().flatMap(({ command }) => {
        if (/^(list|query)/.test(command)) return [];
        seen[command] = (seen[command] ?? 0) + 1;
        return (["cli", "plugin"] as const).map((victim) => [command, seen[command] - 1, victim] as const);
    });
}

if (everything) {
    test.each(STEPS)("a kill at every request of a $name is repaired by the next run", async (step) => {
        await arrive(step);
        const problems: string[] = [];
        const moments = await allMoments(step);
        let tried = 0;
        for (const moment of moments) {
            await arrive(step);
            try {
                if (await kill(step, moment)) tried++;
                process.stdout.write(".");
                await finish(step);
            } catch (error) {
                problems.push(`${moment.join(" ")}: ${(error as Error).message}`);
                process.stdout.write(`\n${problems.at(-1)}\n`);
            }
        }
        process.stdout.write(
            `\n${step.name}: kills ${tried} (of ${moments.length} moments), failed ${problems.length}\n`,
        );
        expect(problems).toEqual([]);
    });
} else {
    const rounds = STEPS[0].moments.map((_, round) =>
        STEPS.map((step) => [step.name, ...step.moments[round], step] as const),
    );
    test.each(rounds.flat())(
        "a kill during a %s at %s %i of the %s is repaired by the next run",
        async (_name, command, nth, victim, step) => {
            expect(await kill(step, [command, nth, victim])).toBe(true);
            await finish(step);
            if (step.program !== undefined) await project.expectNoChanges();
        },
    );
}
