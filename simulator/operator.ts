/** What the operator of a cloud does with what it offers, which no command of a tenant can. */
import { randomUUID } from "node:crypto";
import type { Cloud } from "./cloud";
import type { Offer } from "./state/records";
import type { Table } from "./state/store";

export type OfferKind = "zones" | "templates" | "serviceOfferings" | "diskOfferings" | "networks";

export interface Operator {
    /** Gives something of the offer another name. */
    rename(kind: OfferKind, name: string, to: string): void;
    /** Takes something out of the offer, or puts it back: whoever has it keeps it. */
    retire(kind: Exclude<OfferKind, "networks">, name: string, retired?: boolean): void;
    /** Offers another one of the same kind, under the same name. Returns its id. */
    repeat(kind: OfferKind, name: string): string;
    /** Takes away for good what nobody has. */
    remove(kind: OfferKind, id: string): void;
}

export function operatorOf({ store, now }: Cloud): Operator {
    const table = (kind: OfferKind) => store[kind] as unknown as Table<Offer>;
    const named = (kind: OfferKind, name: string): Offer => {
        const found = table(kind).find((offer) => offer.name === name);
        if (found === undefined) throw new RangeError(`No ${kind} are called ${name}.`);
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
