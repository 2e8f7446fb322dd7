/**
 * List answers as CloudStack returns them: one page of the matches, with the count of all; an empty object if there are
 * none.
 */
import { invalid, malformed } from "./errors";
import type { Arguments } from "./parameters";

/** CloudStack's `default.page.size`: the largest page, and the default page. */
const PAGE_LIMIT = 500;

/**
 * @throws ApiError 431 if only one of `page` and `pagesize` is given, or one is out of range
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

/** Whether `text` contains the keyword, ignoring case; true without a keyword. */
export function contains(text: string | undefined, keyword: string | undefined): boolean {
    return keyword === undefined || (text ?? "").toLowerCase().includes(keyword.toLowerCase());
}

/** Whether `value` is the requested one; true if none is requested. */
export function matches<T>(value: T, wanted: T | undefined): boolean {
    return wanted === undefined || value === wanted;
}

/** Compares names ignoring case, as CloudStack's database does. */
export function equalsName(name: string, wanted: string | undefined): boolean {
    return wanted === undefined || name.toLowerCase() === wanted.toLowerCase();
}
