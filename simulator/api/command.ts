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

/** A running job: its request, restored from the stored arguments, and the job itself. */
export interface Work extends Request {
    readonly job: Job;
}

/** The kind of record that `id` and `ids` of a command refer to; see `entities.ts`. */
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
    | "networkRule"
    | "nic"
    | "osCategory"
    | "osType"
    | "project"
    | "publicAddress"
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
    /** Type of the event that it records, such as VM.START. */
    readonly event?: string;
}

/** A command that answers immediately. It runs in a transaction, which an exception rolls back. */
export interface SyncCommand extends Common {
    run(request: Request): object;
}

/** The result of submitting an asynchronous command, before its job runs. */
export interface Submission {
    /** Id of the record that the command creates; returned with the job's id. */
    readonly created?: string;
    /** Id of the record that the job works on. */
    readonly instanceId?: string;
    /** Jobs of one queue run one after the other. */
    readonly queue: string;
}

/**
 * A command that answers with a job. `submit`, `begin`, `finish` and `abandon` each run in a separate transaction.
 */
export interface AsyncCommand extends Common {
    /** The Java class in CloudStack's `cmd` field of the job, below org.apache.cloudstack.api.command. */
    readonly java: string;
    readonly instanceType?: string;
    /** Makes the checks that precede the job, and creates the record whose id is returned. */
    submit(request: Request): Submission;
    /** Checks that run when the job is dispatched, before it waits for other jobs of its queue. */
    admit?(work: Work): void;
    /** Runs when the job starts: checks, and the transitional state. Its result is stored as the job's `memo`. */
    begin?(work: Work): unknown;
    /** Calls the hypervisor; repeated if the cloud is restarted meanwhile. */
    act?(work: Work): Promise<void>;
    /** Sets the new state, and returns the job's result. */
    finish(work: Work): object;
    /** Sets the state after a failure that follows `begin`. */
    abandon?(work: Work): void;
}

export type Command = SyncCommand | AsyncCommand;

export function isAsync(command: Command): command is AsyncCommand {
    return "submit" in command;
}

/** A family of commands by name. */
export type Commands = Readonly<Record<string, Command>>;
