/** One process at a time. */
import { DatabaseSync } from "node:sqlite";

/** How often it is tried, in milliseconds. */
const INTERVAL = 200;

/** SQLITE_BUSY */
const BUSY = 5;

/**
 * Does something while nobody else does it, on this computer. The lock is SQLite's on a file that stays empty, so the
 * kernel takes it from a process that ends, however it ends.
 *
 * @param onWait hears that another one is at it, again and again
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
    const database = new DatabaseSync(file);
    try {
        while (!hasTaken(database)) {
            onWait();
            await new Promise((resolve) => setTimeout(resolve, INTERVAL));
        }
        return await work();
    } finally {
        database.close();
    }
}

function hasTaken(database: DatabaseSync): boolean {
    try {
        database.exec("BEGIN EXCLUSIVE");
        return true;
    } catch (error) {
        if ((error as { errcode?: number }).errcode === BUSY) return false;
        throw error;
    }
}
