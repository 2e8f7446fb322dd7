/**
 * The cloud's state: tables of records that are kept in maps, for fast reads, and in SQLite, so that nothing
 * acknowledged is lost.
 *
 * All changes happen in `transaction`, which is written to SQLite as a whole before it returns; an exception rolls
 * back the maps instead. The journal is a write-ahead log, so a killed process loses nothing that was committed;
 * with `synchronous=NORMAL` only a crash of the whole computer may lose the latest transactions, and never leaves a
 * partial one.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type * as r from "./records";

const FORMAT = 1;

/** The state on disk cannot be used; the message says what to do. */
export class StateError extends Error {}

/** Records of one kind in the order of their creation. */
export class Table<R extends r.Row> {
    readonly kind: string;
    private readonly rows = new Map<string, R>();
    private readonly changed: (kind: string, id: string, undo: () => void) => void;

    constructor(kind: string, changed: (kind: string, id: string, undo: () => void) => void) {
        this.kind = kind;
        this.changed = changed;
    }

    get(id: string | undefined): R | undefined {
        return id === undefined ? undefined : this.rows.get(id);
    }

    /** The record of an id that another record refers to. @throws StateError if it does not exist */
    need(id: string): R {
        const row = this.rows.get(id);
        if (row === undefined) throw new StateError(`The state refers to ${this.kind} ${id}, which does not exist.`);
        return row;
    }

    all(): R[] {
        return [...this.rows.values()];
    }

    filter(wanted: (row: R) => boolean): R[] {
        const found: R[] = [];
        for (const row of this.rows.values()) if (wanted(row)) found.push(row);
        return found;
    }

    find(wanted: (row: R) => boolean): R | undefined {
        for (const row of this.rows.values()) if (wanted(row)) return row;
        return undefined;
    }

    insert(row: R): R {
        this.changed(this.kind, row.id, () => this.rows.delete(row.id));
        this.rows.set(row.id, row);
        return row;
    }

    change(id: string, patch: Partial<R>): R {
        const before = this.need(id);
        const after = { ...before, ...patch };
        this.changed(this.kind, id, () => this.rows.set(id, before));
        this.rows.set(id, after);
        return after;
    }

    remove(id: string): void {
        const before = this.need(id);
        // After a rollback the record is last in order until the next start; nothing depends on that.
        this.changed(this.kind, id, () => this.rows.set(id, before));
        this.rows.delete(id);
    }

    /** Loads a record while the store is opened, outside of a transaction. */
    load(row: R): void {
        this.rows.set(row.id, row);
    }
}

export class Store {
    private readonly database: DatabaseSync;
    private readonly write: StatementSync;
    private readonly erase: StatementSync;
    private readonly tables = new Map<string, Table<any>>();
    private dirty: Map<string, [kind: string, id: string]> | undefined;
    private undo: (() => void)[] = [];

    readonly accounts = this.table<r.Account>("account");
    readonly users = this.table<r.User>("user");
    readonly projects = this.table<r.Project>("project");
    readonly zones = this.table<r.Zone>("zone");
    readonly osCategories = this.table<r.OsCategory>("osCategory");
    readonly osTypes = this.table<r.OsType>("osType");
    readonly templates = this.table<r.Template>("template");
    readonly serviceOfferings = this.table<r.ServiceOffering>("serviceOffering");
    readonly diskOfferings = this.table<r.DiskOffering>("diskOffering");
    readonly networkOfferings = this.table<r.NetworkOffering>("networkOffering");
    readonly networks = this.table<r.Network>("network");
    readonly networkRules = this.table<r.NetworkRule>("networkRule");
    readonly publicAddresses = this.table<r.PublicAddress>("publicAddress");
    readonly machines = this.table<r.Machine>("machine");
    readonly instanceGroups = this.table<r.InstanceGroup>("instanceGroup");
    readonly volumes = this.table<r.Volume>("volume");
    readonly securityGroups = this.table<r.SecurityGroup>("securityGroup");
    readonly rules = this.table<r.SecurityGroupRule>("rule");
    readonly keyPairs = this.table<r.KeyPair>("keyPair");
    readonly affinityGroups = this.table<r.AffinityGroup>("affinityGroup");
    readonly tags = this.table<r.Tag>("tag");
    readonly jobs = this.table<r.Job>("job");
    readonly events = this.table<r.Event>("event");
    readonly counters = this.table<r.Counter>("counter");

    /**
     * Opens the state in `folder` (created if missing), or a state in memory without one.
     *
     * @throws StateError if the file is damaged, of a later version, or in use by another process
     */
    constructor(folder?: string) {
        const file = folder === undefined ? ":memory:" : path.join(folder, "cloud.sqlite");
        if (folder !== undefined) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
        try {
            // SQLite creates the journal with the permissions of this file.
            if (folder !== undefined) fs.closeSync(fs.openSync(file, "a", 0o600));
            this.database = new DatabaseSync(file);
            // Only one process may use a state: the lock is taken at the first write and kept.
            this.database.exec(`
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = NORMAL;
                CREATE TABLE IF NOT EXISTS records (position INTEGER PRIMARY KEY AUTOINCREMENT,
                    kind TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (kind, id));
            `);
            this.checkFormat();
            this.write = this.database.prepare(
                "INSERT INTO records (kind, id, record) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET " +
                    "record = excluded.record",
            );
            this.erase = this.database.prepare("DELETE FROM records WHERE kind = ? AND id = ?");
            for (const row of this.database.prepare("SELECT kind, record FROM records ORDER BY position").all()) {
                this.tables.get(String(row.kind))?.load(JSON.parse(String(row.record)));
            }
        } catch (error) {
            if (error instanceof StateError) throw error;
            throw new StateError(explainOpening(file, error));
        }
    }

    private checkFormat(): void {
        const found = Number(this.database.prepare("PRAGMA user_version").get()?.user_version);
        if (found > FORMAT)
            throw new StateError(
                `The state is of format ${found}, this version reads ${FORMAT}: use a newer version, or another ` +
                    "folder (--state).",
            );
        this.database.exec(`PRAGMA user_version = ${FORMAT}`);
    }

    private table<R extends r.Row>(kind: string): Table<R> {
        const table = new Table<R>(kind, (changedKind, id, undo) => {
            if (this.dirty === undefined) throw new StateError("A change was made outside of a transaction.");
            this.dirty.set(`${changedKind}/${id}`, [changedKind, id]);
            this.undo.push(undo);
        });
        this.tables.set(kind, table);
        return table;
    }

    /**
     * Runs `work` so that either all of its changes are committed to disk or none. A nested transaction is part of the
     * outer one.
     */
    transaction<T>(work: () => T): T {
        if (this.dirty !== undefined) return work();
        this.dirty = new Map();
        this.undo = [];
        try {
            const answer = work();
            if (this.dirty.size > 0) this.commit([...this.dirty.values()]);
            return answer;
        } catch (error) {
            for (const undo of this.undo.reverse()) undo();
            throw error;
        } finally {
            this.dirty = undefined;
            this.undo = [];
        }
    }

    private commit(changes: [kind: string, id: string][]): void {
        this.database.exec("BEGIN IMMEDIATE");
        try {
            for (const [kind, id] of changes) {
                const row = this.tables.get(kind)?.get(id);
                if (row === undefined) this.erase.run(kind, id);
                else this.write.run(kind, id, JSON.stringify(row));
            }
            this.database.exec("COMMIT");
        } catch (error) {
            this.database.exec("ROLLBACK");
            throw error;
        }
    }

    /** The next number of a sequence: 1, 2, 3, … */
    next(sequence: string): number {
        const value = (this.counters.get(sequence)?.value ?? 0) + 1;
        if (value === 1) this.counters.insert({ id: sequence, value });
        else this.counters.change(sequence, { value });
        return value;
    }

    close(): void {
        this.database.close();
    }
}

function explainOpening(file: string, error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    if (/locked|busy/i.test(reason))
        return `Another process uses ${file}: stop it first (cloudstack-local stop), or use another folder (--state).`;
    const advice = "move the folder away to start with a new state, or use another one (--state)";
    return `The state in ${file} cannot be read (${reason}): ${advice}.`;
}
