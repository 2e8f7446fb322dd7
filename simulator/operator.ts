/** Changes to zones, templates, offerings and networks that only the operator of a cloud can make. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "./cloud";
import type { Offer } from "./state/records";
import type { Table } from "./state/store";

export type OfferKind = "zones" | "templates" | "serviceOfferings" | "diskOfferings" | "networks";

export interface Operator {
    /** Renames an entry. */
    rename(kind: OfferKind, name: string, to: string): void;
    /** Withdraws an entry, or offers it again: what already uses it keeps it. */
    retire(kind: Exclude<OfferKind, "networks">, name: string, retired?: boolean): void;
    /** Adds another entry with the same name and properties. Returns its id. */
    repeat(kind: OfferKind, name: string): string;
    /** Deletes an entry that nothing uses. */
    remove(kind: OfferKind, id: string): void;
}

export function operatorOf({ store, now }: Cloud): Operator {
    const table = (kind: OfferKind) => store[kind] as unknown as Table<Offer>;
    const named = (kind: OfferKind, name: string): Offer => {
        const found = table(kind).find((offer) => offer.name === name);
        if (found === undefined) throw new RangeError(`${kind}: ${name} not found.`);
        return found;
    };
    return {
        rename: (kind, name, to) =>
            store.transaction(() => void table(kind).change(named(kind, name).id, { name: to })),
        retire: (kind, name, retired = true) =>
            store.transaction(() => void table(kind).change(named(kind, name).id, { retired })),
        repeat: (kind, name) =>
            store.transaction(() => {
                const copy = { ...named(kind, name), id: randomUUID(), created: now() };
                return table(kind).insert(copy).id;
            }),
        remove: (kind, id) => store.transaction(() => void table(kind).remove(id)),
    };
}
