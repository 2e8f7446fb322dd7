/** Chooses the hypervisor of a cloud. */
import { cacheFolder } from "../cache";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { none } from "../hypervisors/none";
import {
    checkOwner,
    ensureTemplate,
    nspawn,
    conflictingRoute,
    prefixOf,
    runningMachines,
    whyUnsupported,
} from "../hypervisors/nspawn";
import { DEFAULT_CIDR } from "../state/addresses";
import { type StateFolder, UserError } from "./stateFolder";

const NAMES = ["auto", "nspawn", "none"] as const;
export type HypervisorName = (typeof NAMES)[number];

/** The template that is made at the first start, so that the first machine need not wait for it. */
const FIRST_TEMPLATE = "Debian 13";

export interface HypervisorChoice {
    readonly name: "nspawn" | "none";
    /** What `start` prints about it. */
    readonly note: string;
    readonly make: (log: (line: string) => void) => Hypervisor;
}

/** @throws UserError for anything else */
export function hypervisorName(text: string): HypervisorName {
    const found = NAMES.find((name) => name === text);
    if (found === undefined) throw new UserError(`--hypervisor must be ${NAMES.join(", ")}, not "${text}".`, 2);
    return found;
}

/** @throws UserError if machines of the state are running: nothing would manage them any more */
function chooseNone({ folder }: StateFolder, note: string): HypervisorChoice {
    const machines = process.platform === "linux" ? runningMachines(folder) : [];
    const names = machines.map((machine) => machine.name);
    if (names.length > 0)
        throw new UserError(
            `${note} But machines of ${folder} are running (${names.join(", ")}): ` +
                `stop them first with cloudstack-local stop --state ${folder}`,
        );
    return { name: "none", note, make: () => none };
}

/**
 * Chooses the hypervisor, and makes the root file system of its machines if there is none yet.
 *
 * @throws UserError with the reason if nspawn was requested by name and cannot be used
 */
export async function chooseHypervisor(
    wanted: HypervisorName,
    folder: StateFolder,
    cidr: string | undefined,
    log: (line: string) => void,
): Promise<HypervisorChoice> {
    const stateDir = folder.folder;
    const name = wanted === "auto" ? hypervisorName(folder.credentials()?.hypervisor ?? "auto") : wanted;
    if (name === "none")
        return chooseNone(folder, "Machines do not boot (hypervisor none): only their states are kept.");
    const reason = await reasonAgainstNspawn(stateDir, cidr ?? folder.credentials()?.cidr ?? DEFAULT_CIDR, log);
    if (reason === undefined)
        return {
            name: "nspawn",
            note: "Machines boot as containers (hypervisor nspawn): cloudstack-local ps lists them.",
            make: (log) => nspawn({ stateDir, log }),
        };
    if (name === "nspawn")
        throw new UserError(
            `The machines of ${stateDir} cannot be booted: ${reason}. ` +
                "With --hypervisor none only their states are kept.",
        );
    return chooseNone(folder, `Machines do not boot (hypervisor none: ${reason}): only their states are kept.`);
}

async function reasonAgainstNspawn(
    stateDir: string,
    cidr: string,
    log: (line: string) => void,
): Promise<string | undefined> {
    const reason = await whyUnsupported();
    if (reason !== undefined) return reason;
    try {
        checkOwner(prefixOf(stateDir), stateDir);
    } catch (error) {
        return (error as Error).message;
    }
    const conflict = await conflictingRoute(prefixOf(stateDir), cidr);
    if (conflict !== undefined)
        return `this computer already uses addresses of the network ${cidr} (${conflict}): choose another with --cidr`;
    try {
        await ensureTemplate(cacheFolder(), FIRST_TEMPLATE, log);
        return undefined;
    } catch (error) {
        return (error as Error).message;
    }
}
