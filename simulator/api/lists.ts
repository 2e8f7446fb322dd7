/**
 * Lists as CloudStack answers them: one page of what matches, with the count of all; nothing at all where nothing
 * matches.
 */
import { invalid, malformed } from "./errors";
import type { Arguments } from "./parameters";

/** CloudStack's `default.page.size`: the longest page, and what is given where no page is asked for. */
const PAGE_LIMIT = 500;

/**
 * @throws ApiError 431 where `page` and `pagesize` do not come together, or are out of bounds
 */
export function page<T>(
    request: { arguments: Arguments },
    name: string,
    items: readonly T[],
    show: (item: T) => object,
): object {
    const { page: number, pagesize } = request.arguments;
    if (pagesize !== undefined && number === undefined)
        throw malformed('"page" parameter is required when "pagesize" is specified');
    if (number !== undefined && pagesize === undefined)
        throw malformed('"pageSize" parameter is required when "page" is specified');
    if (pagesize > PAGE_LIMIT) throw invalid(`Page size can't exceed max allowed page size value: ${PAGE_LIMIT}`);
    if (number < 1 || pagesize < 1) throw invalid("Page and page size are counted from 1");
    const size = pagesize ?? PAGE_LIMIT;
    const start = ((number ?? 1) - 1) * size;
    const shown = items.slice(start, start + size);
    return shown.length === 0 ? {} : { count: items.length, [name]: shown.map(show) };
}

/** Whether `text` holds the keyword, in any case; true without one. */
export function contains(text: string | undefined, keyword: string | undefined): boolean {
    return keyword === undefined || (text ?? "").toLowerCase().includes(keyword.toLowerCase());
}

/** Whether `value` is what was asked for; true where nothing was. */
export function matches<T>(value: T, wanted: T | undefined): boolean {
    return wanted === undefined || value === wanted;
}

/** Names compare in any case, as in CloudStack's database. */
export function named(name: string, wanted: string | undefined): boolean {
    return wanted === undefined || name.toLowerCase() === wanted.toLowerCase();
}
