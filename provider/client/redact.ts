/** Keeps secrets out of messages and log lines. */

const REMOVED = "(removed)";

/** Parameters whose values may be shown: ids, names and paging. Of the others only the name is shown. */
const SHOWN = /^(name|state|page|pagesize|projectid|jobid|customjobid|[a-z]*ids?)$/;

/** Parameters and response fields that contain secrets, also as `name[0].key`. */
const SECRET = /(userdata|password|secret|privatekey|signature|apikey|token|credential|certificate)/i;

/** The lengths of secrets that are removed: a shorter one may be part of a word, a longer one is never quoted whole. */
const [SHORTEST, LONGEST] = [6, 4096];

/** The secrets that this process knows, each in the forms in which a text may contain it. */
const known = new Map<string, readonly string[]>();

/** Registers secrets, which {@link scrub} then removes from every text. */
export function keepOut(secrets: readonly string[]): void {
    for (const secret of secrets)
        if (secret.length >= SHORTEST && secret.length <= LONGEST && !known.has(secret))
            known.set(secret, formsOf(secret));
}

/** A secret as it is, in a URL and in JSON. */
function formsOf(secret: string): string[] {
    return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])];
}

/** Replaces the given secrets, those of {@link keepOut}, private keys in PEM and `signature=…` by a placeholder. */
export function scrub(text: string, secrets: readonly string[] = []): string {
    let clean = text;
    for (const form of [...secrets.flatMap(formsOf), ...[...known.values()].flat()])
        clean = form.length >= SHORTEST ? clean.replaceAll(form, REMOVED) : clean;
    return clean
        .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, REMOVED)
        .replace(/\b(signature|apikey|secretkey|userdata|password)=[^&\s"'<>]+/gi, `$1=${REMOVED}`)
        .replace(/:\/\/[^/\s:@]*:[^/\s@]*@/g, `://${REMOVED}@`);
}

/** The values of parameters that are secret. */
export function secretValues(pairs: readonly [string, string][]): string[] {
    return pairs.filter(([name]) => SECRET.test(name)).map(([, value]) => value);
}

/** The parameters as a log line shows them: `id=4711 userdata displayname`. */
export function describePairs(pairs: readonly [string, string][]): string {
    return pairs
        .map(([name, value]) =>
            SHOWN.test(name) && !SECRET.test(name) && value.length <= 80 ? `${name}=${value}` : name,
        )
        .join(" ");
}

/** The first characters of an API key, to recognise it by. */
export function keyStart(apiKey: string): string {
    return `${apiKey.slice(0, 4)}…`;
}
