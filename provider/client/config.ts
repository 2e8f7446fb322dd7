import * as fs from "node:fs";
import { fromEnvironment, fromProfile, fromStack, type Source, type Sourced } from "./configSources";
import { ConfigurationError } from "./errors";
import { readProfiles } from "./iniProfiles";
import type { ClientSettings, StackSettings } from "./types";

const EXAMPLE = "https://cloud.example.com/client/api";

/**
 * Finds the settings of a client.
 *
 * Order of precedence:
 * - endpoint, zone and project: the stack's `cloudstack:` namespace, then the environment, then a profile of an INI
 *   file
 * - keys: the environment, then the stack, then a profile
 *
 * A profile that the stack names provides the stack's endpoint, and CLOUDSTACK_PROFILE that of the environment. Where
 * neither names one, the current profile of the files is used.
 *
 * **Keys belong to the endpoint that they are given with.** Once the endpoint is chosen, a source that names another
 * endpoint is ignored completely, with its keys, zone and project. Keys of a profile are never used for another
 * endpoint. When the endpoint comes from a profile, keys without an endpoint are an error unless they are the
 * profile's.
 *
 * @param options.profile the profile of a resource: endpoint and keys are read from that profile only
 * @throws ConfigurationError with every value that is missing or contradicts another
 */
export function resolveSettings(options: {
    stack?: StackSettings;
    env?: NodeJS.ProcessEnv;
    profile?: string;
}): ClientSettings {
    const env = options.env ?? process.env;
    const problems: string[] = [];
    const sources = readSources(options.stack ?? {}, env, options.profile, problems);
    const endpoint = chooseEndpoint(sources, problems);
    const keys = chooseKeys(sources, endpoint, problems);
    const zone = fitting([sources.stack, sources.environment], sources, endpoint)
        .map((source) => source.zone)
        .find(Boolean);
    const project = fitting([sources.stack, sources.environment], sources, endpoint)
        .map((source) => source.project)
        .find(Boolean);
    const caFile = sources.stack.caFile ?? sources.environment.caFile;
    const timeout = sources.stack.httpTimeoutSeconds ?? sources.environment.httpTimeoutSeconds;
    checkCaFile(caFile, problems);
    checkTimeout(timeout, problems);
    if (problems.length > 0 || !endpoint || !keys) {
        throw new ConfigurationError([...problems, ...sources.fileProblems]);
    }
    const tls = endpoint.from.unverified
        ? `TLS is verified although ${endpoint.from.label} turns verification off`
        : undefined;
    return defined({
        endpoint: endpoint.value,
        apiKey: keys.apiKey!.value,
        secretKey: keys.secretKey!.value,
        zone: zone?.value,
        project: project?.value,
        profile: endpoint.from.profile && isProfile(endpoint.from, sources) ? endpoint.from.profile.value : undefined,
        caFile: caFile?.value,
        httpTimeoutSeconds: timeout && Number(timeout.value),
        sources: defined({
            endpoint: endpoint.source,
            apiKey: keys.apiKey!.source,
            secretKey: keys.secretKey!.source,
            zone: zone?.source,
            project: project?.source,
            caFile: caFile?.source,
            tls,
        }) as Record<string, string>,
    });
}

interface Sources {
    stack: Source;
    environment: Source;
    /** The profile that the stack names, that the environment names, or, where neither does, the files' current one. */
    stackProfile?: Source;
    environmentProfile?: Source;
    currentProfile?: Source;
    /** The profile that a resource names. */
    only?: Source;
    /** A requested profile is missing or incomplete, and that is reported already. */
    profileFailed: boolean;
    /** Files that cannot be read. They are reported only when a setting is missing. */
    fileProblems: readonly string[];
    /** The places that were searched, for messages. */
    places: string;
}

interface Endpoint extends Sourced {
    from: Source;
}

function readSources(
    stackSettings: StackSettings,
    env: NodeJS.ProcessEnv,
    only: string | undefined,
    problems: string[],
): Sources {
    const stack = fromStack(stackSettings);
    const environment = fromEnvironment(env, problems);
    const profiles = readProfiles(env, process.cwd());
    const places = `the stack's configuration, the environment, ${profiles.files.join(", ")}`;
    const profileProblems: string[] = [];
    // A profile that nothing requests, or whose endpoint is overridden, may be missing or incomplete.
    const ignored: string[] = [];
    const read = (value: string | undefined, source: string, important: boolean): Source | undefined =>
        value === undefined
            ? undefined
            : fromProfile({ value, source }, profiles, important ? profileProblems : ignored);
    const found =
        only !== undefined
            ? { only: read(only, "the resource's profile", true) ?? { label: `profile "${only}"` } }
            : {
                  stackProfile: read(stack.profile?.value, stack.profile?.source ?? "", true),
                  environmentProfile: read(
                      environment.profile?.value,
                      environment.profile?.source ?? "",
                      !stack.endpoint && !stack.profile && !environment.endpoint,
                  ),
                  currentProfile:
                      stack.profile || environment.profile
                          ? undefined
                          : read(profiles.current, "the current one", false),
              };
    problems.push(...profileProblems);
    return {
        stack,
        environment,
        ...found,
        profileFailed: profileProblems.length > 0,
        fileProblems: profiles.problems,
        places,
    };
}

function chooseEndpoint(sources: Sources, problems: string[]): Endpoint | undefined {
    const order = sources.only
        ? [sources.only]
        : [
              sources.stack,
              sources.stackProfile,
              sources.environment,
              sources.environmentProfile,
              sources.currentProfile,
          ];
    const from = order.find((source) => source?.endpoint);
    if (!from?.endpoint) {
        if (!sources.profileFailed) {
            problems.push(
                `no endpoint: set cloudstack:endpoint (pulumi config set cloudstack:endpoint ${EXAMPLE}), ` +
                    `CLOUDSTACK_ENDPOINT, ` +
                    `or a profile (cloudstack:profile, CLOUDSTACK_PROFILE); looked in ${sources.places}`,
            );
        }
        return undefined;
    }
    const own =
        from === sources.stack
            ? sources.stackProfile
            : from === sources.environment
              ? sources.environmentProfile
              : undefined;
    if (own?.endpoint && !same(own.endpoint.value, from.endpoint.value)) {
        problems.push(
            `${from.endpoint.source} is ${from.endpoint.value}, but ${own.label} is for ${own.endpoint.value}: ` +
                `keep one of the two`,
        );
    }
    const { value, problem } = checkEndpoint(from.endpoint);
    if (problem) {
        problems.push(problem);
    }
    return { value, source: from.endpoint.source, from };
}

function checkEndpoint({ value, source }: Sourced): { value: string; problem?: string } {
    const clean = value.replace(/[?/]+$/, "");
    let url: URL | undefined;
    try {
        url = new URL(clean);
    } catch {
        // Reported below.
    }
    if (!url || !/^https?:$/.test(url.protocol)) {
        return {
            value: clean,
            problem: `the endpoint "${value}" (from ${source}) is not a URL such as ${EXAMPLE}`,
        };
    }
    if (url.username || url.password) {
        return {
            value: clean,
            problem: `the endpoint from ${source} must not contain a user name or password: API calls need keys`,
        };
    }
    if (url.search || url.hash) {
        return {
            value: clean,
            problem: `the endpoint "${url.origin}${url.pathname}…" (from ${source}) must end before "?" and "#"`,
        };
    }
    return { value: clean };
}

function chooseKeys(sources: Sources, endpoint: Endpoint | undefined, problems: string[]): Source | undefined {
    const order = sources.only
        ? [sources.only]
        : [
              sources.environment,
              sources.stack,
              sources.stackProfile,
              sources.environmentProfile,
              sources.currentProfile,
          ];
    const candidates = order.filter((source): source is Source => Boolean(source?.apiKey ?? source?.secretKey));
    const usable = fitting(candidates, sources, endpoint);
    const keys = usable[0];
    if (!keys) {
        if (!sources.profileFailed) {
            problems.push(missingKeys(sources, candidates, endpoint));
        }
        return undefined;
    }
    if (!keys.apiKey || !keys.secretKey) {
        const [has, lacks] = keys.apiKey ? [keys.apiKey, "secret key"] : [keys.secretKey!, "API key"];
        if (!isProfile(keys, sources) || !sources.profileFailed) {
            problems.push(`${has.source} is set, but ${keys.label} has no ${lacks}: set both or neither`);
        }
        return undefined;
    }
    const profile = endpoint && isProfile(endpoint.from, sources) ? endpoint.from : undefined;
    if (profile && keys !== profile && !isSame(keys, profile)) {
        problems.push(
            `the endpoint comes from ${profile.label}, but ${keys.apiKey.source} sets keys without an endpoint: ` +
                `set the endpoint that they belong to (CLOUDSTACK_ENDPOINT or cloudstack:endpoint), or remove them`,
        );
        return undefined;
    }
    return keys;
}

function missingKeys(sources: Sources, candidates: readonly Source[], endpoint: Endpoint | undefined): string {
    const aside = candidates.map((source) => {
        const other = endpointsOf(source, sources);
        return `; the keys of ${source.label} are for ${other?.value ?? "an endpoint that it does not name"}`;
    });
    const wanted = endpoint ? ` for ${endpoint.value} (from ${endpoint.source})` : "";
    return (
        `no API key and secret key${wanted}: set CLOUDSTACK_API_KEY and CLOUDSTACK_SECRET_KEY, ` +
        `or pulumi config set --secret cloudstack:apiKey and cloudstack:secretKey, or a profile ` +
        `(cloudstack:profile, CLOUDSTACK_PROFILE); looked in ${sources.places}${aside.join("")}`
    );
}

/** The sources that do not belong to another endpoint than the chosen one. A profile must belong to the chosen one. */
function fitting(candidates: readonly Source[], sources: Sources, endpoint: Endpoint | undefined): Source[] {
    return candidates.filter((source) => {
        const own = endpointsOf(source, sources);
        return !endpoint || (own ? same(own.value, endpoint.value) : !isProfile(source, sources));
    });
}

/** The endpoint of a source: its own, or that of the profile that it names. */
function endpointsOf(source: Source, sources: Sources): Sourced | undefined {
    const profile =
        source === sources.stack
            ? sources.stackProfile
            : source === sources.environment
              ? sources.environmentProfile
              : undefined;
    return source.endpoint ?? profile?.endpoint;
}

function isProfile(source: Source, sources: Sources): boolean {
    return source !== sources.stack && source !== sources.environment;
}

function isSame(a: Source, b: Source): boolean {
    return a.apiKey?.value === b.apiKey?.value && a.secretKey?.value === b.secretKey?.value;
}

function same(a: string, b: string): boolean {
    const [one, other] = [a, b].map((address) => address.replace(/[?/]+$/, ""));
    return URL.canParse(one!) && URL.canParse(other!) ? new URL(one!).href === new URL(other!).href : one === other;
}

function checkCaFile(caFile: Sourced | undefined, problems: string[]): void {
    if (!caFile) {
        return;
    }
    try {
        if (!fs.readFileSync(caFile.value, "utf8").includes("-----BEGIN CERTIFICATE-----")) {
            problems.push(`caFile ${caFile.value} (from ${caFile.source}) contains no certificate in PEM format`);
        }
    } catch (error) {
        problems.push(`caFile ${caFile.value} (from ${caFile.source}) cannot be read: ${(error as Error).message}`);
    }
}

function checkTimeout(timeout: Sourced | undefined, problems: string[]): void {
    if (timeout && !(Number(timeout.value) > 0)) {
        problems.push(
            `httpTimeoutSeconds "${timeout.value}" (from ${timeout.source}) is not a number of seconds above 0`,
        );
    }
}

function defined<T extends object>(value: T): T {
    return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}
