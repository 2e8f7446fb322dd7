import { setTimeout as sleep } from "node:timers/promises";
import { clientUrl } from "./names";
import type { Gateway, ListedMember } from "./gateway";

/** Member name to address. */
export type Members = Readonly<Record<string, string>>;

/** What is known of one member. */
export interface MemberHealth {
    readonly name: string;
    readonly endpoint: string;
    /** Why it is not healthy; undefined where it is. */
    readonly problem?: string;
    /** In the cluster's own number, where it answers. */
    readonly id?: string;
    readonly isLeader?: boolean;
}

/** What all members say, asked at once. A learner and a member without leader are not healthy: they serve no client. */
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

/** Those that are not healthy, as a sentence lists them. */
export function describeProblems(health: readonly MemberHealth[]): string {
    return health
        .filter(({ problem }) => problem !== undefined)
        .map(({ name, endpoint, problem }) => `${name} (${endpoint}): ${problem}`)
        .join("; ");
}

/** The list of members as one of them that can reach a quorum gives it; undefined where none is. */
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

/** Waits between two looks, in milliseconds. */
const INTERVAL = 500;

/**
 * Looks again and again until nothing is wrong.
 *
 * @param look says what is wrong; undefined where nothing is
 * @param progress hears it whenever it changes
 * @throws Error with what was wrong last
 */
export async function waitUntilHealthy(
    what: string,
    seconds: number,
    look: () => Promise<string | undefined>,
    progress: (line: string) => void,
): Promise<void> {
    const start = Date.now();
    let said: string | undefined;
    for (;;) {
        const problem = await look();
        if (problem === undefined) return;
        const waited = Math.round((Date.now() - start) / 1000);
        if (waited >= seconds)
            throw new Error(
                `${what} after ${seconds} s. ${problem}. The machine's console and its journal (journalctl -u etcd) ` +
                    "show why; run `pulumi up` again once it is fixed, or increase waitForTimeoutSeconds.",
            );
        if (problem !== said) progress(`waiting: ${problem}`);
        said = problem;
        await sleep(INTERVAL);
    }
}
