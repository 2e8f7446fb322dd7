import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { OsCategory } from "../../../../simulator/state/records";
import { StateError, Store } from "../../../../simulator/state/store";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-store-"));

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const row = (id: string, name = id): OsCategory => ({ id, name });

test("a transaction is committed or rolled back as a whole", () => {
    const store = new Store();
    store.transaction(() => {
        store.osCategories.insert(row("a"));
        store.osCategories.insert(row("b"));
    });
    expect(() =>
        store.transaction(() => {
            store.osCategories.change("a", { name: "A" });
            store.osCategories.change("a", { name: "AA" });
            store.osCategories.remove("b");
            store.osCategories.insert(row("c"));
            store.next("number");
            throw new Error("no");
        }),
    ).toThrow("no");
    expect(store.osCategories.all()).toEqual([row("a"), row("b")]);
    expect(store.transaction(() => store.next("number"))).toBe(1);
    expect(store.transaction(() => store.next("number"))).toBe(2);
    store.close();
});

test("a nested transaction is part of the outer one", () => {
    const store = new Store();
    expect(() =>
        store.transaction(() => {
            store.transaction(() => store.osCategories.insert(row("a")));
            throw new Error("no");
        }),
    ).toThrow("no");
    expect(store.osCategories.all()).toEqual([]);
    store.close();
});

test("a change outside of a transaction is refused", () => {
    const store = new Store();
    expect(() => store.osCategories.insert(row("a"))).toThrow(StateError);
    expect(store.osCategories.all()).toEqual([]);
    store.close();
});

test("committed records are read back in their order", () => {
    const first = new Store(folder);
    first.transaction(() => ["c", "a", "b"].forEach((id) => first.osCategories.insert(row(id))));
    first.transaction(() => {
        first.osCategories.change("c", { name: "changed" });
        first.osCategories.remove("a");
        first.next("number");
    });
    first.close();
    const second = new Store(folder);
    expect(second.osCategories.all()).toEqual([row("c", "changed"), row("b")]);
    expect(second.transaction(() => second.next("number"))).toBe(2);
    second.close();
});

test("a record that another refers to must exist", () => {
    const store = new Store();
    expect(() => store.zones.need("x")).toThrow("The state refers to zone x, which does not exist.");
    expect(store.zones.get(undefined)).toBeUndefined();
    store.close();
});

test("a database of a later version is not changed", () => {
    const { DatabaseSync } = require("node:sqlite") as typeof import("node:sqlite");
    const later = path.join(folder, "later");
    new Store(later).close();
    const database = new DatabaseSync(path.join(later, "cloud.sqlite"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => new Store(later)).toThrow(/format 99, this version reads 1: use a newer version/);
});
