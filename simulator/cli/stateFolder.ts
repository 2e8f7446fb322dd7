/**
 * What the command line finds in a state folder: which process serves it, its keys, its log. All files are the
 * owner's only.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Credentials } from "../index";
import type { AccountName } from "../state/seed";

/** A message for the user, without a stack. */
export class UserError extends Error {
    readonly exitCode: number;

    constructor(message: string, exitCode = 1) {
        super(message);
        this.exitCode = exitCode;
    }
}

/** The process that serves a state. */
export interface ServerFile {
    readonly pid: number;
    readonly url: string;
    readonly token: string;
}

/** Keys of a state, and where it was served last. */
export interface CredentialsFile {
    readonly endpoint: string;
    /** What its machines are: a cloud keeps its hypervisor until another is asked for by name. */
    readonly hypervisor?: string;
    /** The addresses of its shared network. */
    readonly cidr?: string;
    readonly projectId: string;
    readonly accounts: Readonly<Record<AccountName, Credentials>>;
}

export class StateFolder {
    readonly folder: string;

    constructor(folder: string) {
        this.folder = folder;
    }

    private get serverFile(): string {
        return path.join(this.folder, "server.json");
    }

    private get credentialsFile(): string {
        return path.join(this.folder, "credentials.json");
    }

    get logFile(): string {
        return path.join(this.folder, "cloud.log");
    }

    make(): void {
        try {
            fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
            fs.accessSync(this.folder, fs.constants.W_OK);
        } catch (error) {
            throw new UserError(
                `The state folder ${this.folder} cannot be made or written to ` +
                    `(${(error as NodeJS.ErrnoException).code}): choose another with --state.`,
            );
        }
    }

    server(): ServerFile | undefined {
        return readJson<ServerFile>(this.serverFile);
    }

    /** Says who serves this state from now on. */
    serve(server: ServerFile, credentials: CredentialsFile): void {
        writeJson(this.credentialsFile, credentials);
        writeJson(this.serverFile, server);
    }

    forgetServer(): void {
        fs.rmSync(this.serverFile, { force: true });
    }

    credentials(): CredentialsFile | undefined {
        return readJson<CredentialsFile>(this.credentialsFile);
    }
}

/** `--state`, else $CLOUDSTACK_LOCAL_STATE, else the XDG state folder. */
export function stateFolder(option: string | undefined, env: NodeJS.ProcessEnv = process.env): StateFolder {
    const xdg = env.XDG_STATE_HOME || path.join(os.homedir(), ".local", "state");
    return new StateFolder(path.resolve(option ?? (env.CLOUDSTACK_LOCAL_STATE || path.join(xdg, "cloudstack-local"))));
}

function readJson<T>(file: string): T | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as T;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
        throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
    }
}

/** Whole or not at all: a reader never sees half a file. */
function writeJson(file: string, value: object): void {
    const part = `${file}.${process.pid}`;
    fs.writeFileSync(part, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    fs.renameSync(part, file);
}
