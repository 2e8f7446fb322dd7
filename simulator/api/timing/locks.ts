/**
 * Locks on database rows, as CloudStack's `acquireInLockTable` takes them: without a queue. A caller that finds a lock
 * taken sleeps five seconds before it tries again, and the first to try gets it.
 */

/** How long a caller sleeps, in seconds (framework/db, Merovingian2). */
export const LOCK_SLEEP = 5;

export class RowLocks {
    private readonly taken = new Set<string>();
    private readonly pause: (seconds: number) => Promise<unknown>;

    constructor(pause: (seconds: number) => Promise<unknown>) {
        this.pause = pause;
    }

    /** Takes the lock; the returned function releases it. */
    async take(row: string): Promise<() => void> {
        while (this.taken.has(row)) await this.pause(LOCK_SLEEP);
        this.taken.add(row);
        return () => void this.taken.delete(row);
    }
}
