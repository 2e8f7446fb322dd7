/** `cloudstack-local doctor`: the resources that clouds hold on this computer, and what the computer lacks. */
import { parseArgs } from "node:util";
import {
    allHostResources,
    type CloudFinding,
    examineHost,
    type HostFinding,
    findingOf,
    hostResourcesOf,
    prefixOf,
    takeDown,
} from "../hypervisors/nspawn";
import { DEFAULT_CIDR } from "../state/addresses";
import { stateFolder } from "./stateFolder";
import { counted } from "./table";

export const DOCTOR_HELP = `cloudstack-local doctor [--state DIR] [--clear] [--json]

Reports whether this computer can boot machines, and lists the resources that clouds hold on it: processes, network
namespaces and links, control groups, loop devices, mounts. They belong to a running cloud, or to machines that run
without their cloud (its next start takes them over), or were left behind by a crash.

  --state DIR        examine only the cloud of this folder
  --clear            remove what was left behind; with --state also the machines that run without that cloud: their
                     power is cut. Disks and states are never deleted (cloudstack-local destroy does that), and nothing
                     that belongs to a running cloud is touched
  --json             print JSON

Exit code 1 if there is a problem, or if something was left behind.
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
    const host = await findHostProblems(values.state);
    const clouds = findings(only);
    const results = await Promise.all(
        clouds.map(async (cloud) =>
            values.clear && shouldClear(cloud, only !== undefined) ? { ...cloud, ...(await clear(cloud)) } : cloud,
        ),
    );
    if (values.json) console.log(JSON.stringify({ host, clouds: results }, null, 2));
    else console.log([...host.map(hostLine), "", ...cloudLines(results, only)].join("\n"));
    const isHealthy = host.every(({ level }) => level !== "problem") && results.every(hasNoLeftovers);
    if (!isHealthy) process.exitCode = 1;
}

/** A finding, and whether it was cleared. */
interface Result extends CloudFinding {
    readonly isCleared?: boolean;
    /** Why it could not be cleared. */
    readonly failure?: string;
}

function findHostProblems(state: string | undefined): Promise<HostFinding[]> {
    const folder = stateFolder(state);
    const cidr = folder.credentials()?.cidr;
    return examineHost({ prefix: prefixOf(folder.folder), cidr: cidr ?? DEFAULT_CIDR, exists: cidr !== undefined });
}

/** The environments of processes, which say whose they are, can only be read by root. */
const lacksRoot = () => process.platform === "linux" && process.getuid?.() !== 0;

function findings(stateDir: string | undefined): CloudFinding[] {
    if (process.platform !== "linux" || lacksRoot()) return [];
    const found = stateDir === undefined ? allHostResources() : [hostResourcesOf(prefixOf(stateDir), stateDir)];
    return found.flatMap((one) => findingOf(one) ?? []);
}

function shouldClear({ status }: CloudFinding, isNamed: boolean): boolean {
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

function hasNoLeftovers({ status, isGone, isCleared }: Result): boolean {
    return isCleared === true || (status === "served" && !isGone);
}

const LEVEL_LABELS = { ok: "ok      ", note: "note    ", problem: "problem " } as const;

function hostLine({ level, text, remedy }: HostFinding): string {
    return `${LEVEL_LABELS[level]}${text}${remedy === undefined ? "" : `\n        -> ${remedy}`}`;
}

function cloudLines(results: readonly Result[], only: string | undefined): string[] {
    if (lacksRoot()) return ["Only root can see what clouds hold on this computer."];
    const whose = only === undefined ? "No cloud" : `No cloud of ${only}`;
    if (results.length === 0) return [`${whose} holds resources on this computer.`];
    return results.map((result) => {
        const head = `${result.prefix}  ${result.stateDir ?? "(state folder unknown)"}: ${describe(result)}`;
        const remedies = remediesFor(result).map((line) => `        -> ${line}`);
        return [head, `        ${inventory(result)}`, ...remedies].join("\n");
    });
}

function describe({ status, server, machines, isGone, isCleared }: Result): string {
    const gone = isGone ? "its state folder was deleted; " : "";
    if (isCleared) return `${gone}cleared`;
    switch (status) {
        case "served":
            return `${gone}its cloud is running (process ${server}) with ${counted(machines.length, "machine")}`;
        case "unserved":
            return `${gone}${counted(machines.length, "machine")} run without their cloud: ${machines.join(", ")}`;
        case "unknown":
            return "machines run without their cloud";
        case "leftover":
            return `${gone}left behind by a cloud that is not running`;
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
    return words.length === 0 ? "only its entry in /run/cloudstack-local" : words.join(", ");
}

function remediesFor({ status, stateDir, server, isGone, isCleared, failure }: Result): string[] {
    if (failure !== undefined) return [failure];
    if (isCleared) return [];
    switch (status) {
        case "served":
            return isGone ? [`kill ${server}, then cloudstack-local doctor --clear`] : [];
        case "unserved":
            return [
                `keep them: cloudstack-local start --state ${stateDir}`,
                `or stop them: cloudstack-local stop --state ${stateDir}`,
            ];
        case "unknown":
            return ["cloudstack-local doctor --clear --state DIR, where DIR is the cloud's state folder"];
        case "leftover":
            return ["cloudstack-local doctor --clear"];
    }
}
