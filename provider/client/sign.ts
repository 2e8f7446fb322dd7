import { createHmac } from "node:crypto";
import { escapeValue } from "./params";

/** How long a request is valid. CloudStack refuses more than 15 minutes where it enforces time stamps. */
const VALID_MINUTES = 10;

/**
 * The text whose HMAC-SHA1 is the signature: pairs sorted by name (capitals first), names as they are, values escaped,
 * everything in lower case.
 */
export function stringToSign(pairs: readonly [string, string][]): string {
    return pairs
        .filter(([name]) => name.toLowerCase() !== "signature")
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([name, value]) => `${name}=${escapeValue(value)}`)
        .join("&")
        .toLowerCase();
}

/** The signature of a request in base64, as CloudStack's `ApiServer.verifyRequest` computes it. */
export function sign(pairs: readonly [string, string][], secretKey: string): string {
    return createHmac("sha1", secretKey).update(stringToSign(pairs), "utf8").digest("base64");
}

/** `2026-01-02T03:04:05+0000`, ten minutes from now. */
export function expiry(now: number): string {
    return new Date(now + VALID_MINUTES * 60_000).toISOString().replace(/\.\d+Z$/, "+0000");
}

/** All parameters of a signed request (signature version 3). */
export function signedPairs(
    command: string,
    pairs: readonly [string, string][],
    keys: { apiKey: string; secretKey: string },
    now: number,
): [string, string][] {
    const all: [string, string][] = [
        ["command", command],
        ...pairs,
        ["apiKey", keys.apiKey],
        ["response", "json"],
        ["signatureVersion", "3"],
        ["expires", expiry(now)],
    ];
    return [...all, ["signature", sign(all, keys.secretKey)]];
}
