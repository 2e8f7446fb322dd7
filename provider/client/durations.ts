/** How long jobs take: what is known beforehand, and what is learnt. All times in milliseconds. */

/** What jobs of a command take on a quiet CloudStack 4.22: one alone, and what each further one at the same time adds. */
const USUAL: Readonly<Record<string, readonly [alone: number, further: number]>> = {
    deployVirtualMachine: [2_100, 300],
    destroyVirtualMachine: [6_000, 150],
    expungeVirtualMachine: [2_000, 150],
    startVirtualMachine: [2_200, 50],
    stopVirtualMachine: [2_200, 50],
    rebootVirtualMachine: [1_900, 50],
    restoreVirtualMachine: [4_500, 150],
    attachVolume: [2_000, 0],
    detachVolume: [2_000, 0],
    createVolume: [350, 20],
    authorizeSecurityGroupIngress: [100, 20],
    authorizeSecurityGroupEgress: [100, 20],
    revokeSecurityGroupIngress: [100, 20],
    revokeSecurityGroupEgress: [100, 20],
    createTags: [150, 20],
    deleteTags: [150, 20],
    disassociateIpAddress: [1_400, 50],
    createVPC: [3_000, 0],
};

/** Of a command that is not in the table. */
const OTHERS: readonly [number, number] = [600, 30];

/** How long a job is expected to take. */
export interface Expectation {
    milliseconds: number;
    /** Whether jobs of this process have shown it; else it is what is usual. */
    learnt: boolean;
}

/** What is known of how long the jobs of each command take. */
export class Durations {
    private readonly known = new Map<string, number>();

    /** @param atOnce how many jobs of the command are under way */
    expected(command: string, atOnce = 1): Expectation {
        const known = this.known.get(command);
        if (known !== undefined) return { milliseconds: known, learnt: true };
        const [alone, further] = USUAL[command] ?? OTHERS;
        return { milliseconds: alone + further * (atOnce - 1), learnt: false };
    }

    /**
     * A job ended after it was last seen running at age `from` and first seen ended at age `to`. What agrees with the
     * expectation leaves it as it is; what does not pulls it half of the way.
     */
    learn(command: string, from: number, to: number): void {
        const expected = this.known.get(command);
        const nearest = expected === undefined ? undefined : Math.min(to, Math.max(Math.min(from, to), expected));
        this.known.set(command, nearest === undefined ? (from + to) / 2 : (expected! + nearest) / 2);
    }
}
