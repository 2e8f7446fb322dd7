/**
 * A parameter of an API command, which `encodeParams` encodes as follows:
 * - `undefined`: the parameter is left out
 * - a list of strings: `a,b`; an empty list is the empty string, which CloudStack reads as an empty set
 * - a list of records: `name[0].key=value`
 * - a record: `name[0].key=value` for every key
 * - the record `tags`: an index for every entry, `tags[0].key=k` and `tags[0].value=v`
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

/** The response to an asynchronous command: the job, and for creating commands the id of the new entity. */
export interface Accepted {
    jobid: string;
    id?: string;
}

/** The settings of a client; `resolveSettings` creates them. */
export interface ClientSettings {
    /** The address of the API, such as `https://cloud.example.com/client/api`. */
    endpoint: string;
    apiKey: string;
    secretKey: string;
    /** Name or id of the default zone of resources. */
    zone?: string;
    /** Name or id of the project that every call is made in. */
    project?: string;
    /** The profile that endpoint and keys come from, if they come from one. */
    profile?: string;
    /** A PEM file of authorities to trust in addition to those that Node trusts. */
    caFile?: string;
    /** How long one HTTP request may take. Default 60. */
    httpTimeoutSeconds?: number;
    /** The source of each value, for messages: `apiKey` → `environment CLOUDSTACK_API_KEY`. */
    sources: Record<string, string>;
}

/**
 * The `cloudstack:` namespace of a stack: `endpoint`, `apiKey`, `secretKey`, `zone`, `project`, `profile`, `caFile`,
 * `httpTimeoutSeconds`.
 */
export interface StackSettings {
    [key: string]: string | undefined;
}

/** The clock, which tests replace. */
export interface Clock {
    /** Milliseconds since 1970. */
    now(): number;
    /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
    sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
