/**
 * Locks on rows of the database, as CloudStack's `acquireInLockTable` takes them: nobody queues. Whoever finds a lock
 * taken sleeps five seconds before looking again, and whoever looks first then gets it.
 */

/** How long it sleeps, in seconds (framework/db, Merovingian2). */
export const LOCK_SLEEP = 5;

export class RowLocks {
    private readonly taken = new Set<string>();
    private readonly pause: (seconds: number) => Promise<unknown>;

    constructor(pause: (seconds: number) => Promise<unknown>) {
        this.pause = pause;
    }

    /** Takes the lock; what it answers gives it back. */
    async take(row: string): Promise<() => void> {
        while (this.taken.has(row)) await this.pause(LOCK_SLEEP);
        this.taken.add(row);
        return () => void this.taken.delete(row);
    }
}
