/**
 * A parameter of an API command. `undefined` leaves the parameter out. A list of strings becomes `a,b` (an empty one the
 * empty string, which empties a set in CloudStack); a list of records `name[0].key=value`; a record `name[0].key=value`
 * for every key, except for `tags`, where each entry has an index of its own: `tags[0].key=k`, `tags[0].value=v`. See
 * `encodeParams`.
 */
export type ParamValue =
    | string
    | number
    | boolean
    | undefined
    | readonly string[]
    | readonly Record<string, string>[]
    | Readonly<Record<string, string>>;

export type Params = Record<string, ParamValue>;

/** The answer of an asynchronous command: the job, and for creating commands the id of what will exist. */
export interface Accepted {
    jobid: string;
    id?: string;
}

/** Everything a client needs to know; made by `resolveSettings`. */
export interface ClientSettings {
    /** The address of the API, such as `https://cloud.example.com/client/api`. */
    endpoint: string;
    apiKey: string;
    secretKey: string;
    /** Name or id of the zone that resources without one of their own are made in. */
    zone?: string;
    /** Name or id of the project that every call is made in. */
    project?: string;
    /** The profile that endpoint and keys come from, where they do. */
    profile?: string;
    /** A PEM file of authorities to trust beside those that Node trusts. */
    caFile?: string;
    /** How long one HTTP request may take. Default 60. */
    httpTimeoutSeconds?: number;
    /** Where each value came from, for messages: `apiKey` → `environment CLOUDSTACK_API_KEY`. */
    sources: Record<string, string>;
}

/**
 * The `cloudstack:` namespace of a stack: `endpoint`, `apiKey`, `secretKey`, `zone`, `project`, `profile`, `caFile`,
 * `httpTimeoutSeconds`.
 */
export interface StackSettings {
    [key: string]: string | undefined;
}

/** Time, so that tests can stand still. */
export interface Clock {
    /** Milliseconds since 1970. */
    now(): number;
    /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
    sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
