import type { Params } from "./types";

/**
 * The rows of its database that CloudStack locks for a command. A thread that finds a lock taken sleeps for five
 * seconds before it tries again (`acquire` in
 * https://github.com/apache/cloudstack/blob/main/framework/db/src/main/java/com/cloud/utils/db/Merovingian2.java). Two
 * short commands sent concurrently therefore take five seconds; one after the other they take a tenth of a second.
 */

/** The commands that lock the row whose id is in a parameter, by that parameter. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
    // The security group. The parameters of a revocation contain only the rule; its caller passes the group.
    securitygroupid: ["authorizeSecurityGroupIngress", "authorizeSecurityGroupEgress"],
    // The public address.
    ipaddressid: ["createFirewallRule", "createPortForwardingRule", "enableStaticNat", "disableStaticNat"],
    publicipid: ["createLoadBalancerRule"],
    // The entity itself: a machine, an address, a network, a VPC.
    id: [
        "startVirtualMachine",
        "stopVirtualMachine",
        "rebootVirtualMachine",
        "destroyVirtualMachine",
        "expungeVirtualMachine",
        "recoverVirtualMachine",
        "updateVirtualMachine",
        "scaleVirtualMachine",
        "resetPasswordForVirtualMachine",
        "resetSSHKeyForVirtualMachine",
        "updateVMAffinityGroup",
        "disassociateIpAddress",
        "updateNetwork",
        "restartNetwork",
        "deleteNetwork",
        "updateVPC",
        "restartVPC",
        "deleteVPC",
    ],
    // The machine that the command changes.
    virtualmachineid: [
        "restoreVirtualMachine",
        "attachVolume",
        "addNicToVirtualMachine",
        "removeNicFromVirtualMachine",
        "updateDefaultNicForVirtualMachine",
    ],
    aclid: ["createNetworkACL"],
    vpcid: ["createNetworkACLList", "createPrivateGateway", "createVpnGateway"],
};

/** Commands that lock the account, or the account of the project that they work in. */
const ACCOUNT = ["associateIpAddress", "createNetwork", "createVPC"];

const ROW_OF = new Map(Object.entries(ROWS).flatMap(([row, commands]) => commands.map((command) => [command, row])));

/**
 * The locks that a command takes, as far as they follow from its parameters: ids of rows.
 *
 * @param account an identifier of the account or project that the command is sent for
 */
export function locksOf(command: string, params: Params, account: string): string[] {
    if (ACCOUNT.includes(command)) return [account];
    const row = ROW_OF.get(command);
    const id = row === undefined ? undefined : params[row];
    return typeof id === "string" ? [id] : [];
}

interface Waiter {
    readonly keys: readonly string[];
    readonly go: () => void;
}

/**
 * Serializes work that needs the same lock, in the order of the requests. All locks of one piece of work are acquired
 * together, so that nothing holds one lock while it waits for another, and there are no deadlocks.
 */
export class Locks {
    private readonly held = new Set<string>();
    private waiting: Waiter[] = [];

    /**
     * Runs some work while it holds its locks.
     *
     * @param timeout resolves when the wait for the locks has to end; the work is not started then
     * @returns the result of the work; `undefined` when it was not started
     */
    async withLocks<T>(
        keys: readonly string[],
        work: () => Promise<T>,
        timeout?: (signal: AbortSignal) => Promise<unknown>,
    ): Promise<{ result: T } | undefined> {
        if (keys.length > 0 && !(await this.acquire(keys, timeout))) return undefined;
        try {
            return { result: await work() };
        } finally {
            for (const key of keys) this.held.delete(key);
            this.grant();
        }
    }

    private async acquire(
        keys: readonly string[],
        timeout?: (signal: AbortSignal) => Promise<unknown>,
    ): Promise<boolean> {
        const done = new AbortController();
        let waiter: Waiter;
        const turn = new Promise<boolean>((resolve) => {
            waiter = { keys, go: () => resolve(true) };
            this.waiting.push(waiter);
            this.grant();
        });
        if (!this.waiting.includes(waiter!) || timeout === undefined) return turn;
        const late = timeout(done.signal).then(() => {
            const before = this.waiting.length;
            this.waiting = this.waiting.filter((other) => other !== waiter);
            if (this.waiting.length === before) return true;
            // Later waiters may have waited only for this one.
            this.grant();
            return false;
        });
        return Promise.race([turn, late]).finally(() => done.abort());
    }

    /** Starts all waiters whose locks are free and not requested by an earlier waiter. */
    private grant(): void {
        const wanted = new Set<string>();
        const going: Waiter[] = [];
        for (const waiter of this.waiting) {
            if (waiter.keys.some((key) => this.held.has(key) || wanted.has(key))) {
                for (const key of waiter.keys) wanted.add(key);
            } else {
                for (const key of waiter.keys) this.held.add(key);
                going.push(waiter);
            }
        }
        this.waiting = this.waiting.filter((waiter) => !going.includes(waiter));
        for (const { go } of going) go();
    }
}

const clouds = new Map<string, Locks>();

/** The locks of a cloud: one set per process, shared by the clients of all accounts and projects. */
export function locksAt(endpoint: string): Locks {
    const locks = clouds.get(endpoint) ?? new Locks();
    clouds.set(endpoint, locks);
    return locks;
}
