/** `cloudstack-local doctor`: what clouds have on this computer, and what it lacks. */
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { allPossessions, isEmpty, type Possessions, prefixOf, runningMachines, takeDown, whyNot } from "../hypervisors/nspawn";
import { running } from "./control";
import { stateFolder, StateFolder } from "./stateFolder";

export const DOCTOR_HELP = `cloudstack-local doctor [--state DIR] [--clear] [--json]

Says whether this computer can boot machines, and lists what clouds have on it: namespaces, links, control groups,
processes, loop devices. What belongs to no cloud that runs was left by a crash.

  --state DIR        of this cloud only
  --clear            take away what was left; machines that run without a cloud lose their power, no disk is deleted
  --json             the same for programs
`;

/** What a finding means. */
type Kind = "served" | "unserved" | "leftover";

interface Finding extends Possessions {
    readonly kind: Kind;
    readonly machines: readonly string[];
}

async function judge(found: Possessions): Promise<Finding> {
    const { stateDir } = found;
    const isServed = stateDir !== undefined && (await running(new StateFolder(stateDir))) !== undefined;
    const machines = stateDir === undefined ? [] : runningMachines(stateDir).map((one) => one.note?.name ?? "?");
    return { ...found, machines, kind: isServed ? "served" : machines.length > 0 ? "unserved" : "leftover" };
}

function describe({ prefix, stateDir, kind, machines, namespaces, processes, loopDevices }: Finding): string {
    const has = [
        `${machines.length} machines`,
        `${processes.length} processes`,
        `${namespaces.length} namespaces`,
        `${loopDevices.length} loop devices`,
    ].join(", ");
    const where = stateDir ?? "an unknown state folder";
    switch (kind) {
        case "served":
            return `${prefix}: the cloud of ${where}, which runs (${has})`;
        case "unserved":
            return (
                `${prefix}: machines of ${where} that run without their cloud (${has}). ` +
                `Go on with them: cloudstack-local start --state ${where}`
            );
        case "leftover":
            return `${prefix}: left by a cloud of ${where} that is gone (${has}). Take it away: cloudstack-local doctor --clear`;
    }
}

/** What speaks for and against machines on this computer. */
async function host(): Promise<string[]> {
    const reason = await whyNot();
    if (reason !== undefined) return [`This computer cannot boot machines: ${reason}.`];
    const lines = ["This computer can boot machines."];
    const rights = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`);
    if ((rights & (1n << 24n)) === 0n)
        lines.push("Its root lacks CAP_SYS_RESOURCE: machines cannot raise limits of processes, which most never ask for.");
    const instances = Number(fs.readFileSync("/proc/sys/fs/inotify/max_user_instances", "utf8"));
    if (instances < 512)
        lines.push(
            `All machines share ${instances} inotify instances, enough for about ten; for more: ` +
                "sysctl fs.inotify.max_user_instances=1024",
        );
    return lines;
}

export async function doctor(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            state: { type: "string" },
            clear: { type: "boolean", default: false },
            json: { type: "boolean", default: false },
        },
    });
    const lines = await host();
    const only = values.state === undefined ? undefined : prefixOf(stateFolder(values.state).folder);
    const isRoot = process.platform === "linux" && process.getuid?.() === 0;
    const all = isRoot ? allPossessions().filter((one) => !isEmpty(one)) : [];
    const findings = await Promise.all(all.filter(({ prefix }) => only === undefined || prefix === only).map(judge));
    const toClear = values.clear ? findings.filter(({ kind }) => kind !== "served") : [];
    for (const { prefix, stateDir } of toClear) await takeDown(prefix, stateDir, true);
    if (values.json) {
        console.log(JSON.stringify({ host: lines, clouds: findings, cleared: toClear.map(({ prefix }) => prefix) }, null, 2));
        return;
    }
    for (const line of lines) console.log(line);
    for (const finding of findings) if (!toClear.includes(finding)) console.log(describe(finding));
    for (const { prefix, stateDir } of toClear) console.log(`${prefix}: cleared (${stateDir ?? "unknown state folder"})`);
    if (findings.length === 0) console.log("No cloud has anything here.");
}
