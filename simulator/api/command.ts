/** What a command is: a function from a checked request to its answer, or the steps of a job. */
import type { Cloud } from "../cloud";
import type { Account, Job, User } from "../state/records";
import type { Arguments } from "./parameters";

export interface Caller {
    readonly user: User;
    readonly account: Account;
    readonly isAdmin: boolean;
}

export interface Request {
    readonly cloud: Cloud;
    readonly caller: Caller;
    readonly arguments: Arguments;
    readonly method: "GET" | "POST";
}

/** A job at work: its request again, from the stored arguments, and the job itself. */
export interface Work extends Request {
    readonly job: Job;
}

/** What `id` and `ids` of a command refer to; see `entities.ts`. */
export type Entity =
    | "account"
    | "affinityGroup"
    | "diskOffering"
    | "event"
    | "instanceGroup"
    | "job"
    | "machine"
    | "network"
    | "networkOffering"
    | "nic"
    | "osCategory"
    | "osType"
    | "project"
    | "rule"
    | "securityGroup"
    | "serviceOffering"
    | "sshKeyPair"
    | "template"
    | "user"
    | "volume"
    | "zone";

interface Common {
    readonly entity?: Entity;
    /** Type of the event that it leaves behind, such as VM.START. */
    readonly event?: string;
}

/** Answers at once. It runs in a transaction: an exception undoes what it did. */
export interface SyncCommand extends Common {
    run(request: Request): object;
}

/** What the caller of an asynchronous command gets to know before its job runs. */
export interface Submission {
    /** Id of what the command makes; answered beside the job's id. */
    readonly created?: string;
    /** What the job works on. */
    readonly instanceId?: string;
    /** Jobs of one queue run one after the other. */
    readonly queue: string;
}

/**
 * Answers with a job. `submit`, `begin`, `finish` and `abandon` each run in a transaction of their own.
 */
export interface AsyncCommand extends Common {
    /** The class that CloudStack names as `cmd` of the job, below org.apache.cloudstack.api.command. */
    readonly java: string;
    readonly instanceType?: string;
    /** Checks what is checked before there is a job, and makes what is to have an id at once. */
    submit(request: Request): Submission;
    /** Checked when the job is handed out, before it waits for other jobs of its queue. */
    admit?(work: Work): void;
    /** The job got its turn: checks, and the state of transition. What it returns is remembered as the job's `memo`. */
    begin?(work: Work): unknown;
    /** What happens to real machines; done again after a restart in the middle. */
    act?(work: Work): Promise<void>;
    /** The new state, and the job's result. */
    finish(work: Work): object;
    /** `begin` was done and then something failed: the state that is left behind. */
    abandon?(work: Work): void;
}

export type Command = SyncCommand | AsyncCommand;

export function isAsync(command: Command): command is AsyncCommand {
    return "submit" in command;
}

/** A family of commands by name. */
export type Commands = Readonly<Record<string, Command>>;
