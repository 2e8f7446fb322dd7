import type { Profile, Profiles } from "./iniProfiles";
import { nearestNames } from "../nearest";
import type { StackSettings } from "./types";

/** A value and the place where it was read, as messages name it. */
export interface Sourced {
    value: string;
    source: string;
}

/** The values that one source sets. */
export interface Source {
    /** The source's name in messages. */
    label: string;
    endpoint?: Sourced;
    apiKey?: Sourced;
    secretKey?: Sourced;
    zone?: Sourced;
    project?: Sourced;
    profile?: Sourced;
    caFile?: Sourced;
    httpTimeoutSeconds?: Sourced;
    unverified?: boolean;
}

type Field = Exclude<keyof Source, "label" | "unverified">;

/** The environment variables of each value: first that of this package, then that of other CloudStack clients. */
const VARIABLES: Record<Field, readonly string[]> = {
    endpoint: ["CLOUDSTACK_ENDPOINT", "CLOUDSTACK_API_URL"],
    apiKey: ["CLOUDSTACK_API_KEY", "CLOUDSTACK_KEY"],
    secretKey: ["CLOUDSTACK_SECRET_KEY", "CLOUDSTACK_SECRET"],
    zone: ["CLOUDSTACK_ZONE"],
    project: ["CLOUDSTACK_PROJECT"],
    profile: ["CLOUDSTACK_PROFILE"],
    caFile: ["CLOUDSTACK_CA_FILE"],
    httpTimeoutSeconds: ["CLOUDSTACK_HTTP_TIMEOUT_SECONDS"],
};

const FIELDS = Object.keys(VARIABLES) as Field[];

export function fromStack(stack: StackSettings): Source {
    const source: Source = { label: "the stack's configuration" };
    for (const field of FIELDS) {
        const value = stack[field]?.trim();
        if (value) {
            source[field] = { value, source: `stack configuration cloudstack:${field}` };
        }
    }
    return source;
}

/** Two variables for the same value must not differ, because other clients read the second one. */
export function fromEnvironment(env: NodeJS.ProcessEnv, problems: string[]): Source {
    const source: Source = { label: "the environment" };
    for (const field of FIELDS) {
        const set = VARIABLES[field].filter((name) => env[name]?.trim());
        const [first, other] = set;
        if (first) {
            source[field] = { value: env[first]!.trim(), source: `environment ${first}` };
        }
        if (first && other && env[first]!.trim() !== env[other]!.trim()) {
            problems.push(`${first} and ${other} are both set and differ: unset one of them`);
        }
    }
    return source;
}

/** @returns `undefined` after adding a problem, when there is no such profile */
export function fromProfile(wanted: Sourced, profiles: Profiles, problems: string[]): Source | undefined {
    const profile = profiles.byName.get(wanted.value);
    if (!profile) {
        const near = nearestNames(wanted.value, [...profiles.byName.keys()]);
        const there = near.length > 0 ? `there are: ${near.join(", ")}` : "they contain no profile";
        problems.push(
            `profile "${wanted.value}" (from ${wanted.source}) not found in ${profiles.files.join(", ")}; ${there}`,
        );
        return undefined;
    }
    const missing = [
        profile.endpoint ? undefined : "url (or endpoint)",
        profile.apiKey ? undefined : "apikey (or key)",
        profile.secretKey ? undefined : "secretkey (or secret)",
    ].filter((name) => name !== undefined);
    if (missing.length > 0) {
        const why = profile.passwordOnly
            ? ", and a user name and password cannot sign API calls: create keys with cmk's registerUserKeys"
            : "";
        problems.push(`profile "${profile.name}" of ${profile.file} has no ${missing.join(", no ")}${why}`);
    }
    return asSource(profile);
}

function asSource(profile: Profile): Source {
    const label = `profile "${profile.name}" of ${profile.file}`;
    const sourced = (value: string | undefined): Sourced | undefined => (value ? { value, source: label } : undefined);
    return {
        label,
        endpoint: sourced(profile.endpoint),
        apiKey: sourced(profile.apiKey),
        secretKey: sourced(profile.secretKey),
        profile: { value: profile.name, source: label },
        unverified: profile.unverified,
    };
}
