/**
 * The files of a state folder that the command line uses: the process that serves it, its keys, its log. Only their
 * owner can read them.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { identify, isAlive, type ProcessId } from "../hypervisors/nspawn/host";
import type { Credentials } from "../index";
import type { AccountName } from "../state/seed";

/** An error that is printed as a message, without a stack trace. */
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
    /** Identifies the process even after its pid was reused; Linux only. */
    readonly process?: ProcessId;
    /** It received a signal to stop, and waits for its machines. */
    readonly isStopping?: boolean;
}

/** The help of an option that most commands have. */
export const STATE_HELP =
    "  --state DIR        the state folder (default: $CLOUDSTACK_LOCAL_STATE, else the XDG state folder)\n";

/** The keys of a state, and its latest endpoint. */
export interface CredentialsFile {
    readonly endpoint: string;
    /** A cloud keeps its hypervisor until `--hypervisor` names another. */
    readonly hypervisor?: string;
    /** The addresses of its shared network. */
    readonly cidr?: string;
    readonly projectId: string;
    readonly accounts: Readonly<Record<AccountName, Credentials>>;
}

const CONTENTS = [
    ...["cloud.sqlite", "cloud.sqlite-wal", "cloud.sqlite-shm", "cloud.sqlite-journal"],
    ...["server.json", "credentials.json", "cloud.log", "cloud.log.1", "nspawn"],
];

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

    /** Whether there is a cloud in it, running or not. */
    get hasCloud(): boolean {
        return this.credentials() !== undefined;
    }

    server(): ServerFile | undefined {
        return readJson<ServerFile>(this.serverFile);
    }

    /**
     * The process that serves this state, if it exists, whether it answers or not; undefined on systems other than
     * Linux.
     */
    serverProcess(): ServerFile | undefined {
        const server = this.server();
        return server?.process !== undefined && isAlive(server.process) ? server : undefined;
    }

    /** Records that this process serves this state. */
    writeServer({ url, token }: Pick<ServerFile, "url" | "token">, credentials: CredentialsFile): void {
        writeJson(this.credentialsFile, credentials);
        const id = process.platform === "linux" ? identify(process.pid) : undefined;
        writeJson(this.serverFile, { pid: process.pid, url, token, process: id });
    }

    /** Records that the process that serves this state is about to end. */
    markStopping(): void {
        writeJson(this.serverFile, { ...this.server(), isStopping: true });
    }

    /** Removes all files of the cloud, and the folder unless it holds other files. */
    remove(): void {
        for (const name of CONTENTS) fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
        try {
            fs.rmdirSync(this.folder);
        } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
        }
    }

    removeServerFile(): void {
        fs.rmSync(this.serverFile, { force: true });
    }

    credentials(): CredentialsFile | undefined {
        return readJson<CredentialsFile>(this.credentialsFile);
    }
}

/** `--state`, else $CLOUDSTACK_LOCAL_STATE, else the XDG state folder. */
export function stateFolder(option: string | undefined, env: NodeJS.ProcessEnv = process.env): StateFolder {
    const xdg = env.XDG_STATE_HOME || path.join(os.homedir(), ".local", "state");
    const folder = path.resolve(option ?? (env.CLOUDSTACK_LOCAL_STATE || path.join(xdg, "cloudstack-local")));
    return new StateFolder(realPath(folder));
}

/** Resolves symbolic links, so that one folder is one cloud, by whatever path it is named. */
function realPath(folder: string): string {
    try {
        return fs.realpathSync(folder);
    } catch {
        const above = path.dirname(folder);
        return above === folder ? folder : path.join(realPath(above), path.basename(folder));
    }
}

function readJson<T>(file: string): T | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as T;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
        throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
    }
}

/** Writes a file atomically: a reader never sees part of it. */
function writeJson(file: string, value: object): void {
    const part = `${file}.${process.pid}`;
    fs.writeFileSync(part, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    fs.renameSync(part, file);
}
