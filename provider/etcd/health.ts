import { setTimeout as sleep } from "node:timers/promises";
import { clientUrl } from "./names";
import type { Gateway, ListedMember } from "./gateway";

/** Member name to address. */
export type Members = Readonly<Record<string, string>>;

/** The health of one member. */
export interface MemberHealth {
    readonly name: string;
    readonly endpoint: string;
    /** Why it is not healthy; undefined if it is. */
    readonly problem?: string;
    /** Its member id, if it answers. */
    readonly id?: string;
    readonly isLeader?: boolean;
}

/**
 * Checks all members concurrently. A learner or a member without a leader is not healthy, because it cannot serve
 * clients.
 */
export async function examine(gateway: Gateway, members: Members): Promise<MemberHealth[]> {
    return Promise.all(Object.entries(members).map(([name, address]) => examineOne(gateway, name, clientUrl(address))));
}

async function examineOne(gateway: Gateway, name: string, endpoint: string): Promise<MemberHealth> {
    try {
        const status = await gateway.status(endpoint);
        const id = status.header.member_id;
        const isLeader = status.leader === id;
        const known = { name, endpoint, id, isLeader };
        if ((status.leader ?? "0") === "0") return { ...known, problem: "has no leader" };
        if (status.isLearner === true) return { ...known, problem: "is a learner that is still catching up" };
        await gateway.read(endpoint);
        const alarm = status.errors?.find((error) => /alarm|corrupt/i.test(error));
        return alarm === undefined ? known : { ...known, problem: alarm };
    } catch (error) {
        return { name, endpoint, problem: (error as Error).message };
    }
}

/** The problems of unhealthy members as text. */
export function describeProblems(health: readonly MemberHealth[]): string {
    return health
        .filter(({ problem }) => problem !== undefined)
        .map(({ name, endpoint, problem }) => `${name} (${endpoint}): ${problem}`)
        .join("; ");
}

/** The member list of any member that can reach a quorum; undefined if there is none. */
export async function listed(
    gateway: Gateway,
    members: Members,
): Promise<{ endpoint: string; list: ListedMember[] } | undefined> {
    const answers = Object.values(members).map(async (address) => {
        const endpoint = clientUrl(address);
        return { endpoint, list: await gateway.members(endpoint) };
    });
    return Promise.any(answers).catch(() => undefined);
}

/** The interval between two checks, in milliseconds. */
const INTERVAL = 500;

/**
 * Repeats a check until it finds no problem.
 *
 * @param look returns the problem; undefined if there is none
 * @param progress called whenever the problem changes
 * @throws Error with the last problem after the timeout
 */
export async function waitUntilHealthy(
    what: string,
    seconds: number,
    look: () => Promise<string | undefined>,
    progress: (line: string) => void,
): Promise<void> {
    const start = Date.now();
    let reported: string | undefined;
    for (;;) {
        const problem = await look();
        if (problem === undefined) return;
        const waited = Math.round((Date.now() - start) / 1000);
        if (waited >= seconds)
            throw new Error(
                `${what} after ${seconds} s. ${problem}. The machine's console and its journal (journalctl -u etcd) ` +
                    "show why; run `pulumi up` again once it is fixed, or increase waitForTimeoutSeconds.",
            );
        if (problem !== reported) progress(`waiting: ${problem}`);
        reported = problem;
        await sleep(INTERVAL);
    }
}
