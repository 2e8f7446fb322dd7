import type { Params } from "./types";

/**
 * Which rows of its database CloudStack locks for a command. Whoever finds such a lock taken sleeps five seconds before it looks again
 * (`Merovingian2` in framework/db), so two short commands at once take five seconds, and one after another a tenth of one.
 */

/** The parameter that names the row, by command. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
    // The security group. A revocation names its rule alone: its caller knows the group.
    securitygroupid: ["authorizeSecurityGroupIngress", "authorizeSecurityGroupEgress"],
    // The public address.
    ipaddressid: ["createFirewallRule", "createPortForwardingRule", "enableStaticNat", "disableStaticNat"],
    publicipid: ["createLoadBalancerRule"],
    // The thing itself: a machine, an address, a network, a VPC.
    id: [
        ...["startVirtualMachine", "stopVirtualMachine", "rebootVirtualMachine", "destroyVirtualMachine"],
        ...["expungeVirtualMachine", "recoverVirtualMachine", "updateVirtualMachine", "scaleVirtualMachine"],
        ...["resetPasswordForVirtualMachine", "resetSSHKeyForVirtualMachine", "updateVMAffinityGroup"],
        ...["disassociateIpAddress", "updateNetwork", "restartNetwork", "deleteNetwork"],
        ...["updateVPC", "restartVPC", "deleteVPC"],
    ],
    // The machine that something is done to.
    virtualmachineid: [
        ...["restoreVirtualMachine", "attachVolume", "addNicToVirtualMachine", "removeNicFromVirtualMachine"],
        ...["updateDefaultNicForVirtualMachine"],
    ],
    aclid: ["createNetworkACL"],
    vpcid: ["createNetworkACLList", "createPrivateGateway", "createVpnGateway"],
};

/** Commands that lock the account, or the account of the project that they are sent in. */
const ACCOUNT = ["associateIpAddress", "createNetwork", "createVPC"];

const ROW_OF = new Map(Object.entries(ROWS).flatMap(([row, commands]) => commands.map((command) => [command, row])));

/**
 * The locks that a command takes, as far as its parameters tell: ids of rows.
 *
 * @param account a text that stands for the account, or for the project, that the command is sent for
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
 * Keeps apart what wants the same lock: in the order in which it came, and all locks of one piece of work at once, so that nothing that
 * holds one lock waits for another.
 */
export class Locks {
    private readonly held = new Set<string>();
    private waiting: Waiter[] = [];

    /**
     * Does some work while nobody else here has one of its locks.
     *
     * @param lapse ends when there is no sense in waiting any longer: then the work is not begun
     * @returns the work's result; `undefined` where it was not begun
     */
    async through<T>(
        keys: readonly string[],
        work: () => Promise<T>,
        lapse?: (signal: AbortSignal) => Promise<unknown>,
    ): Promise<{ result: T } | undefined> {
        if (keys.length > 0 && !(await this.acquired(keys, lapse))) return undefined;
        try {
            return { result: await work() };
        } finally {
            for (const key of keys) this.held.delete(key);
            this.grant();
        }
    }

    private async acquired(
        keys: readonly string[],
        lapse?: (signal: AbortSignal) => Promise<unknown>,
    ): Promise<boolean> {
        const over = new AbortController();
        let waiter: Waiter;
        const turn = new Promise<boolean>((resolve) => {
            waiter = { keys, go: () => resolve(true) };
            this.waiting.push(waiter);
            this.grant();
        });
        if (!this.waiting.includes(waiter!) || lapse === undefined) return turn;
        const late = lapse(over.signal).then(() => {
            const before = this.waiting.length;
            this.waiting = this.waiting.filter((other) => other !== waiter);
            if (this.waiting.length === before) return true;
            // Those behind it may have waited for it alone.
            this.grant();
            return false;
        });
        return Promise.race([turn, late]).finally(() => over.abort());
    }

    /** Lets go all whose locks are free and not wanted by anybody before them. */
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

/** The locks of a cloud: one set per process, whatever account or project its clients work for. */
export function locksAt(endpoint: string): Locks {
    const locks = clouds.get(endpoint) ?? new Locks();
    clouds.set(endpoint, locks);
    return locks;
}
