/** Which hypervisor a cloud gets. */
import { cacheFolder } from "../cache";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { none } from "../hypervisors/none";
import {
    checkOwner,
    ensureTemplate,
    nspawn,
    occupantOf,
    prefixOf,
    runningMachines,
    whyNot,
} from "../hypervisors/nspawn";
import { DEFAULT_CIDR } from "../state/addresses";
import { type StateFolder, UserError } from "./stateFolder";

const NAMES = ["auto", "nspawn", "none"] as const;
export type HypervisorName = (typeof NAMES)[number];

/** The template that is made before the first machine asks for it. */
const USUAL_TEMPLATE = "Debian 13";

export interface Choice {
    readonly name: "nspawn" | "none";
    /** What a user is told about it. */
    readonly note: string;
    readonly make: (log: (line: string) => void) => Hypervisor;
}

/** @throws UserError for anything else */
export function hypervisorName(text: string): HypervisorName {
    const found = NAMES.find((name) => name === text);
    if (found === undefined) throw new UserError(`--hypervisor must be ${NAMES.join(", ")}, not "${text}".`, 2);
    return found;
}

/** @throws UserError where machines run already: they would be forgotten */
function states({ folder }: StateFolder, note: string): Choice {
    const machines = process.platform === "linux" ? runningMachines(folder) : [];
    const names = machines.map((machine) => machine.name);
    if (names.length > 0)
        throw new UserError(
            `${note} But machines of ${folder} run (${names.join(", ")}): ` +
                `stop them first with cloudstack-local stop --state ${folder}`,
        );
    return { name: "none", note, make: () => none };
}

/**
 * Makes ready what was asked for: the first time, a root file system.
 *
 * @throws UserError with the reason where nspawn was asked for by name and cannot be had
 */
export async function choose(
    wanted: HypervisorName,
    folder: StateFolder,
    cidr: string | undefined,
    say: (line: string) => void,
): Promise<Choice> {
    const stateDir = folder.folder;
    const name = wanted === "auto" ? hypervisorName(folder.credentials()?.hypervisor ?? "auto") : wanted;
    if (name === "none") return states(folder, "Machines keep their states only.");
    const reason = await obstacle(stateDir, cidr ?? folder.credentials()?.cidr ?? DEFAULT_CIDR, say);
    if (reason === undefined)
        return {
            name: "nspawn",
            note: "Machines boot, as containers (hypervisor nspawn): cloudstack-local ps shows them.",
            make: (log) => nspawn({ stateDir, log }),
        };
    if (name === "nspawn")
        throw new UserError(
            `The machines of ${stateDir} cannot be booted: ${reason}. ` +
                "With --hypervisor none they keep their states only.",
        );
    return states(folder, `Machines keep their states only (hypervisor none: ${reason}).`);
}

async function obstacle(stateDir: string, cidr: string, say: (line: string) => void): Promise<string | undefined> {
    const reason = await whyNot();
    if (reason !== undefined) return reason;
    try {
        checkOwner(prefixOf(stateDir), stateDir);
    } catch (error) {
        return (error as Error).message;
    }
    const occupant = await occupantOf(prefixOf(stateDir), cidr);
    if (occupant !== undefined)
        return `this computer uses addresses of the network ${cidr} already (${occupant}): give another with --cidr`;
    try {
        await ensureTemplate(cacheFolder(), USUAL_TEMPLATE, say);
        return undefined;
    } catch (error) {
        return (error as Error).message;
    }
}
