/** A lock between processes. */
import { DatabaseSync } from "node:sqlite";

/** Interval of attempts, in milliseconds. */
const INTERVAL = 200;

/** SQLITE_BUSY */
const BUSY = 5;

/**
 * Runs `work` while no other process on this computer holds the lock. It is SQLite's lock on an empty file, which the
 * kernel releases when the process ends, even if it is killed.
 *
 * @param onWait called repeatedly while another process holds the lock
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
    const database = new DatabaseSync(file);
    try {
        while (!tryLock(database)) {
            onWait();
            await new Promise((resolve) => setTimeout(resolve, INTERVAL));
        }
        return await work();
    } finally {
        database.close();
    }
}

function tryLock(database: DatabaseSync): boolean {
    try {
        database.exec("BEGIN EXCLUSIVE");
        return true;
    } catch (error) {
        if ((error as { errcode?: number }).errcode === BUSY) return false;
        throw error;
    }
}
