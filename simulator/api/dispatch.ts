/** Turns the parameters of a request into status and body: authenticates, authorizes, validates and executes it. */
import { record, type Cloud } from "../cloud";
import type { Account, User } from "../state/records";
import { isAsync, type Caller, type Command, type Commands, type Request } from "./command";
import { NOT_IMPLEMENTED, DEFINITIONS, responseName } from "./definitions";
import { exists } from "./entities";
import { ApiError, errorBody, notAvailable, unauthorized } from "./errors";
import type { Jobs } from "./jobs";
import { isAdministrative } from "./administrative";
import { readArguments } from "./parameters";
import { authenticate, reserved } from "./signature";

export interface Answer {
    readonly status: number;
    readonly body: object;
}

export class Dispatcher {
    private readonly cloud: Cloud;
    private readonly commands: Commands;
    private readonly jobs: Jobs;

    constructor(cloud: Cloud, commands: Commands, jobs: Jobs) {
        this.cloud = cloud;
        this.commands = commands;
        this.jobs = jobs;
    }

    /** The account of a request's API key, before its signature is checked. */
    accountOf(parameters: ReadonlyMap<string, string>): Account | undefined {
        const user = this.userOf(reserved(parameters, "apikey") ?? "");
        return user && this.cloud.store.accounts.get(user.accountId);
    }

    private userOf(apiKey: string): User | undefined {
        return apiKey === "" ? undefined : this.cloud.store.users.find((user) => user.apiKey === apiKey);
    }

    handle(parameters: ReadonlyMap<string, string>, method: "GET" | "POST"): Answer {
        const name = reserved(parameters, "command") ?? "";
        let wrapper = responseName(name);
        try {
            const format = (reserved(parameters, "response") ?? "xml").toLowerCase();
            if (format !== "json")
                throw new ApiError(
                    430,
                    `This cloud answers in JSON only: add response=json (asked for: ${format})`,
                    9999,
                );
            const user = authenticate(parameters, (apiKey) => this.userOf(apiKey), this.cloud.now());
            const account = this.cloud.store.accounts.need(user.accountId);
            const caller = { user, account, isAdmin: account.type === 1 };
            const command = this.commandFor(name, caller, () => (wrapper = "errorresponse"));
            return { status: 200, body: { [wrapper]: this.run(name, command, parameters, caller, method) } };
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            return { status: error.status, body: errorBody(wrapper, error) };
        }
    }

    private commandFor(name: string, caller: Caller, refuse: () => void): Command {
        const definition = DEFINITIONS.get(name);
        if (definition !== undefined && (caller.isAdmin || !definition.adminOnly)) return this.commands[name];
        refuse();
        if (definition !== undefined) throw notAvailable(name, caller.user.id);
        if (NOT_IMPLEMENTED.has(name))
            throw notAvailable(name, caller.user.id, " (CloudStack has it, this embedded cloud does not)");
        if (isAdministrative(name)) throw notAvailable(name, caller.user.id);
        throw unauthorized();
    }

    private run(
        name: string,
        command: Command,
        parameters: ReadonlyMap<string, string>,
        caller: Caller,
        method: "GET" | "POST",
    ): object {
        const { store } = this.cloud;
        const values = readArguments(DEFINITIONS.get(name)!, parameters, (parameter, id) =>
            exists(store, command.entity, parameter, id),
        );
        const request: Request = { cloud: this.cloud, caller, arguments: values, method };
        if (isAsync(command)) return this.jobs.accept(name, command, request);
        return store.transaction(() => {
            const answer = command.run(request);
            if (command.event !== undefined) {
                const { user, account } = caller;
                record(this.cloud, {
                    type: command.event,
                    level: "INFO",
                    description: `Successfully completed ${name}`,
                    userId: user.id,
                    accountId: account.id,
                });
            }
            return answer;
        });
    }
}
