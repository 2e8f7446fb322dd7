/** Keeps secrets out of messages and log lines. */

const REMOVED = "(removed)";

/** Parameters whose values may be shown: ids, names and paging. Everything else is shown by its name alone. */
const SHOWN = /^(name|state|page|pagesize|projectid|jobid|customjobid|[a-z]*ids?)$/;

/** Parameters and answer fields that hold secrets, also as `name[0].key`. */
const SECRET = /(userdata|password|secret|privatekey|signature|apikey|token|credential|certificate)/i;

/** Replaces each of the secrets, PEM blocks and `signature=…` by a placeholder. */
export function scrub(text: string, secrets: readonly string[]): string {
    let clean = text;
    for (const secret of secrets) {
        for (const form of new Set([secret, encodeURIComponent(secret)])) {
            clean = form.length >= 6 ? clean.replaceAll(form, REMOVED) : clean;
        }
    }
    return clean
        .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, REMOVED)
        .replace(/\b(signature|apikey|secretkey|userdata|password)=[^&\s"'<>]+/gi, `$1=${REMOVED}`)
        .replace(/:\/\/[^/\s:@]*:[^/\s@]*@/g, `://${REMOVED}@`);
}

/** Values of parameters that must not be repeated. */
export function secretValues(pairs: readonly [string, string][]): string[] {
    return pairs.filter(([name]) => SECRET.test(name)).map(([, value]) => value);
}

/** The parameters for a log line: `id=4711 userdata displayname`. */
export function describePairs(pairs: readonly [string, string][]): string {
    return pairs
        .map(([name, value]) =>
            SHOWN.test(name) && !SECRET.test(name) && value.length <= 80 ? `${name}=${value}` : name,
        )
        .join(" ");
}

/** Enough of an API key to recognise it. */
export function keyStart(apiKey: string): string {
    return `${apiKey.slice(0, 4)}…`;
}
