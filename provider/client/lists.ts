import { CloudStackError } from "./errors";
import type { Params } from "./types";

/** The largest page that CloudStack allows by default (setting `default.page.size`). */
const PAGE_SIZE = 500;

/** How often a list that changes between its pages is read. */
const ATTEMPTS = 4;

type Call = (command: string, params: Params) => Promise<any>;

/**
 * All entries of a list command, from all pages. When an entry was created or deleted between two pages, another one
 * could be missing, and a missing entry looks deleted. The list is read again then.
 */
export async function listAll<T>(call: Call, command: string, params: Params): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
        const { items, consistent } = await readPages<T>(call, command, params, PAGE_SIZE);
        if (consistent || attempt === ATTEMPTS) {
            return items;
        }
    }
}

async function readPages<T>(
    call: Call,
    command: string,
    params: Params,
    size: number,
): Promise<{ items: T[]; consistent: boolean }> {
    const items: T[] = [];
    let counted: number | undefined;
    for (let page = 1; ; page++) {
        let inner: Record<string, unknown>;
        try {
            inner = await call(command, { ...params, page, pagesize: size });
        } catch (error) {
            const allowed = allowedSize(error);
            if (page === 1 && allowed && allowed < size) {
                return readPages(call, command, params, allowed);
            }
            throw error;
        }
        const found = (Object.values(inner).find(Array.isArray) ?? []) as T[];
        const count = Number(inner.count ?? found.length);
        items.push(...found);
        if (counted !== undefined && count !== counted) {
            return { items, consistent: false };
        }
        counted = count;
        if (items.length >= count || found.length === 0) {
            return { items, consistent: page === 1 || distinct(items) === count };
        }
    }
}

/** The number in "Page size can't exceed max allowed page size value: 200". */
function allowedSize(error: unknown): number | undefined {
    const text = error instanceof CloudStackError && error.errorCode === 431 ? error.errorText : "";
    return Number(/page size\D*(\d+)/i.exec(text)?.[1]) || undefined;
}

/**
 * The number of distinct rows. Templates and ISOs have one row per zone under the same id, and the server counts rows.
 */
function distinct(items: readonly any[]): number {
    return new Set(items.map((item) => (item?.id === undefined ? item : `${item.id} ${item.zoneid ?? ""}`))).size;
}
