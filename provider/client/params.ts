import type { Params, ParamValue } from "./types";

/**
 * The parameters of a command as name-value pairs, in the given order. Names such as `details[0].owner` stay as they
 * are; values are not escaped yet.
 * @throws RangeError when an element of a list contains a comma, which CloudStack would read as two elements.
 */
export function encodeParams(params: Params): [string, string][] {
    return Object.entries(params).flatMap(([name, value]) => encode(name, value));
}

function encode(name: string, value: ParamValue): [string, string][] {
    if (value === undefined) {
        return [];
    }
    if (typeof value !== "object") {
        return [[name, String(value)]];
    }
    if (isList(value)) {
        return value.length > 0 && value.every((element) => typeof element === "object")
            ? value.flatMap((record, index) => fields(`${name}[${index}]`, record as Record<string, string>))
            : [[name, (value as readonly string[]).map((element) => listElement(name, element)).join(",")]];
    }
    return name === "tags"
        ? Object.entries(value).flatMap(([key, text], index) => fields(`${name}[${index}]`, { key, value: text }))
        : fields(`${name}[0]`, value);
}

function isList(value: object): value is readonly string[] | readonly Record<string, string>[] {
    return Array.isArray(value);
}

function fields(prefix: string, record: Readonly<Record<string, string | undefined>>): [string, string][] {
    return Object.entries(record).flatMap(([key, text]) =>
        text === undefined ? [] : [[`${prefix}.${key}`, String(text)] as [string, string]],
    );
}

function listElement(name: string, element: string): string {
    if (element.includes(",")) {
        throw new RangeError(
            `${name}: "${element}" contains a comma, which separates the elements of a list in CloudStack's API`,
        );
    }
    return element;
}

/**
 * Escapes a value like Java's `URLEncoder`, with `%20` for a space: everything except letters, digits, `.`, `-`, `*`
 * and `_`. The signature is computed over this form, so it must match CloudStack's exactly. A lone surrogate, which
 * has no UTF-8 form, becomes U+FFFD.
 */
export function escapeValue(value: string): string {
    return encodeURIComponent(Buffer.from(value).toString()).replace(
        /[!'()~]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}

/** The pairs as a query string or form body. */
export function formEncode(pairs: readonly [string, string][]): string {
    return pairs.map(([name, value]) => `${escapeValue(name)}=${escapeValue(value)}`).join("&");
}
