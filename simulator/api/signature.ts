/**
 * Authenticates requests by CloudStack's signature, implemented from the API's documentation
 * (all parameters but the signature, sorted by name as written, values encoded as Java's URLEncoder does, the whole in
 * lower case, HMAC-SHA1 with the secret key, base64).
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { User } from "../state/records";
import { unauthorized } from "./errors";

/** Java's URLEncoder leaves letters, digits and `.-*_`; CloudStack turns its `+` into `%20`. */
function encode(value: string): string {
    return encodeURIComponent(value).replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

export function sign(parameters: ReadonlyMap<string, string>, secretKey: string): string {
    const text = [...parameters.keys()]
        .filter((name) => name.toLowerCase() !== "signature")
        .sort((a, b) => (a < b ? -1 : 1))
        .map((name) => `${name}=${encode(parameters.get(name)!)}`)
        .join("&");
    return createHmac("sha1", secretKey).update(text.toLowerCase(), "utf8").digest("base64");
}

/** The value of a parameter whose name is case-insensitive. */
export function reserved(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
    for (const [key, value] of parameters) if (key.toLowerCase() === name) return value;
    return undefined;
}

/** The time of an `expires`: 2026-01-02T03:04:05+0000, …Z, or with milliseconds. */
function moment(text: string): number {
    return Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
}

/**
 * Returns the user who signed the request.
 *
 * @throws ApiError 401, always with the same text, if key, signature or expiry is missing or wrong
 */
export function authenticate(
    parameters: ReadonlyMap<string, string>,
    userOf: (apiKey: string) => User | undefined,
    now: number,
): User {
    const user = userOf(reserved(parameters, "apikey") ?? "");
    const given = reserved(parameters, "signature");
    if (user === undefined || given === undefined) throw unauthorized();
    if (reserved(parameters, "signatureversion") === "3") {
        const expires = moment(reserved(parameters, "expires") ?? "");
        if (!(expires > now)) throw unauthorized();
    }
    const expected = Buffer.from(sign(parameters, user.secretKey));
    const actual = Buffer.from(given);
    if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) throw unauthorized();
    return user;
}
