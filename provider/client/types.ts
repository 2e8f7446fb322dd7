/**
 * A parameter of an API command. Lists become `a,b`; a list of records becomes `name[0].key=value`, a record `name[0].key=value`
 * with one index per key or, for `details`, `name[0].<key>=value` (see `encodeParams`). `undefined` leaves the parameter out.
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
