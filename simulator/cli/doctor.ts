/** `cloudstack-local doctor`: what clouds have on this computer, and what it lacks. */
import { parseArgs } from "node:util";
import {
    allPossessions,
    type CloudFinding,
    examineHost,
    type HostFinding,
    judge,
    possessionsOf,
    prefixOf,
    takeDown,
} from "../hypervisors/nspawn";
import { DEFAULT_CIDR } from "../state/addresses";
import { stateFolder } from "./stateFolder";
import { counted } from "./table";

export const DOCTOR_HELP = `cloudstack-local doctor [--state DIR] [--clear] [--json]

Says whether this computer can boot machines, and lists what clouds have on it: processes, network namespaces and links,
control groups, loop devices, mounts. Each belongs to a cloud that runs, or to machines that run without their cloud
(start it again, and it takes them over), or was left by a crash.

  --state DIR        look at the cloud of this folder alone
  --clear            take away what was left; with --state also the machines that run without that cloud: their power
                     is cut. Disks and states are never deleted (cloudstack-local destroy does that), and nothing that
                     belongs to a running cloud is touched
  --json             the same for programs

Exit code 1 where there is a problem, or something was left.
`;

export async function doctor(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: {
            state: { type: "string" },
            clear: { type: "boolean", default: false },
            json: { type: "boolean", default: false },
        },
    });
    const only = values.state === undefined ? undefined : stateFolder(values.state).folder;
    const host = await examine(values.state);
    const clouds = findings(only);
    const results = await Promise.all(
        clouds.map(async (cloud) =>
            values.clear && isToClear(cloud, only !== undefined) ? { ...cloud, ...(await clear(cloud)) } : cloud,
        ),
    );
    if (values.json) console.log(JSON.stringify({ host, clouds: results }, null, 2));
    else console.log([...host.map(hostLine), "", ...cloudLines(results, only)].join("\n"));
    const isWell = host.every(({ level }) => level !== "problem") && results.every(isInOrder);
    if (!isWell) process.exitCode = 1;
}

/** A finding, and what became of it. */
interface Result extends CloudFinding {
    readonly isCleared?: boolean;
    /** Why it could not be cleared. */
    readonly failure?: string;
}

function examine(state: string | undefined): Promise<HostFinding[]> {
    const folder = stateFolder(state);
    const cidr = folder.credentials()?.cidr;
    return examineHost({ prefix: prefixOf(folder.folder), cidr: cidr ?? DEFAULT_CIDR, exists: cidr !== undefined });
}

/** Only root sees what processes are for. */
const isBlind = () => process.platform === "linux" && process.getuid?.() !== 0;

function findings(stateDir: string | undefined): CloudFinding[] {
    if (process.platform !== "linux" || isBlind()) return [];
    const found = stateDir === undefined ? allPossessions() : [possessionsOf(prefixOf(stateDir), stateDir)];
    return found.flatMap((one) => judge(one) ?? []);
}

function isToClear({ status }: CloudFinding, isNamed: boolean): boolean {
    return status === "leftover" || (isNamed && status !== "served");
}

async function clear({ prefix, stateDir }: CloudFinding): Promise<Pick<Result, "isCleared" | "failure">> {
    try {
        await takeDown(prefix, stateDir, true);
        return { isCleared: true };
    } catch (error) {
        return { isCleared: false, failure: (error as Error).message };
    }
}

function isInOrder({ status, isGone, isCleared }: Result): boolean {
    return isCleared === true || (status === "served" && !isGone);
}

const SIGNS = { ok: "ok      ", note: "note    ", problem: "problem " } as const;

function hostLine({ level, text, remedy }: HostFinding): string {
    return `${SIGNS[level]}${text}${remedy === undefined ? "" : `\n        -> ${remedy}`}`;
}

function cloudLines(results: readonly Result[], only: string | undefined): string[] {
    if (isBlind()) return ["What clouds have on this computer is for root to see."];
    const whose = only === undefined ? "No cloud" : `No cloud of ${only}`;
    if (results.length === 0) return [`${whose} has anything on this computer.`];
    return results.map((result) => {
        const head = `${result.prefix}  ${result.stateDir ?? "(state folder unknown)"}: ${describe(result)}`;
        const remedies = remediesFor(result).map((line) => `        -> ${line}`);
        return [head, `        ${inventory(result)}`, ...remedies].join("\n");
    });
}

function describe({ status, server, machines, isGone, isCleared }: Result): string {
    const gone = isGone ? "its folder is gone; " : "";
    if (isCleared) return `${gone}cleared`;
    switch (status) {
        case "served":
            return `${gone}its cloud runs (process ${server}) with ${counted(machines.length, "machine")}`;
        case "unserved":
            return `${gone}${counted(machines.length, "machine")} run without their cloud: ${machines.join(", ")}`;
        case "unknown":
            return "machines run without their cloud";
        case "leftover":
            return `${gone}left by a cloud that does not run`;
    }
}

function inventory({ processes, namespaces, links, groups, loopDevices, mounts }: Result): string {
    const found = [
        [processes.length, "process", "processes"],
        [namespaces.length, "network namespace", "network namespaces"],
        [links.length, "link", "links"],
        [groups.length, "control group", "control groups"],
        [loopDevices.length, "loop device", "loop devices"],
        [mounts.length, "mount", "mounts"],
    ] as const;
    const some = found.filter(([count]) => count > 0);
    const words = some.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
    return words.length === 0 ? "nothing but its entry in /run/cloudstack-local" : words.join(", ");
}

function remediesFor({ status, stateDir, server, isGone, isCleared, failure }: Result): string[] {
    if (failure !== undefined) return [failure];
    if (isCleared) return [];
    switch (status) {
        case "served":
            return isGone ? [`kill ${server}, then cloudstack-local doctor --clear`] : [];
        case "unserved":
            return [
                `go on with them: cloudstack-local start --state ${stateDir}`,
                `or end them: cloudstack-local stop --state ${stateDir}`,
            ];
        case "unknown":
            return ["cloudstack-local doctor --clear --state DIR, with the folder that the cloud was started with"];
        case "leftover":
            return ["cloudstack-local doctor --clear"];
    }
}
