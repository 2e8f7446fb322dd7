/** Keeps secrets out of messages and log lines. */

const REMOVED = "(removed)";

/** Parameters whose values may be shown: ids, names and paging. Everything else is shown by its name alone. */
const SHOWN = /^(name|state|page|pagesize|projectid|jobid|customjobid|[a-z]*ids?)$/;

/** Parameters and answer fields that hold secrets, also as `name[0].key`. */
const SECRET = /(userdata|password|secret|privatekey|signature|apikey|token|credential|certificate)/i;

/** Lengths of secrets that are looked for in any text: shorter ones are parts of other words, longer ones are never repeated whole. */
const [SHORTEST, LONGEST] = [6, 4096];

/** Secrets that this process has met, each in the forms in which a text may have it. */
const met = new Map<string, readonly string[]>();

/** From now on these are removed from every text that {@link scrub} sees, whatever it is about. */
export function keepOut(secrets: readonly string[]): void {
    for (const secret of secrets)
        if (secret.length >= SHORTEST && secret.length <= LONGEST && !met.has(secret)) met.set(secret, formsOf(secret));
}

/** A text as it is, in a URL and in JSON. */
function formsOf(secret: string): string[] {
    return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])];
}

/** Replaces each of the secrets, those of {@link keepOut}, PEM blocks and `signature=…` by a placeholder. */
export function scrub(text: string, secrets: readonly string[] = []): string {
    let clean = text;
    for (const form of [...secrets.flatMap(formsOf), ...[...met.values()].flat()])
        clean = form.length >= SHORTEST ? clean.replaceAll(form, REMOVED) : clean;
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
