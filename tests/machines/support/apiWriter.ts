/** The client of a Kubernetes API that writes all the time (`apiWriter.py`), as tests use it. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import { waitUntil } from "./lab";

/** What happened between two marks. */
export interface Writes {
    readonly acknowledged: number;
    readonly failed: number;
    readonly longestGapMilliseconds: number;
    /** The last one. */
    readonly problem: string;
}

/** How one writer reaches the API: through which addresses, and with which command Python is started. */
export interface WriterPlace {
    /** Such as `127.0.0.1:7443`. */
    readonly endpoints: readonly string[];
    /** What comes before `python3`, such as the command that enters a machine. @default nothing: on this computer */
    readonly enter?: readonly string[];
    readonly environment?: NodeJS.ProcessEnv;
}

export const NAMESPACE = "writer";
const script = fs.readFileSync(path.join(__dirname, "apiWriter.py"), "utf8");
let writers = 0;
const nothing = () => ({ acknowledged: 0, failed: 0, longestGapMilliseconds: 0, problem: "" });

export class ApiWriter {
    /** Names of objects whose creation was acknowledged. */
    readonly acknowledged: string[] = [];
    private readonly child: ChildProcess;
    private since = nothing();
    private last = Date.now();
    private errors = "";

    private constructor(place: WriterPlace, kubeconfig: string) {
        const [command, ...args] = [...(place.enter ?? []), "python3", "-c", script];
        this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: place.environment ?? process.env });
        this.child.stderr!.on("data", (text) => (this.errors += text));
        const { ca, certificate, key } = credentialsOf(kubeconfig);
        const prefix = `w${++writers}`;
        this.child.stdin!.end(
            JSON.stringify({ endpoints: place.endpoints, ca, certificate, key, namespace: NAMESPACE, prefix }),
        );
        readline.createInterface({ input: this.child.stdout! }).on("line", (line) => this.hear(JSON.parse(line)));
    }

    /** Comes back after the first acknowledged write. */
    static async start(place: WriterPlace, kubeconfig: string): Promise<ApiWriter> {
        const writer = new ApiWriter(place, kubeconfig);
        await waitUntil("the client has written", () => {
            if (writer.child.exitCode !== null) throw new Error(`the client ended: ${writer.errors}`);
            return writer.acknowledged.length > 0;
        });
        writer.mark();
        return writer;
    }

    private hear({ name, at, problem }: { name: string; at: number; problem: string | null }): void {
        if (problem !== null) {
            this.since.failed += 1;
            this.since.problem = problem;
            return;
        }
        const now = at * 1000;
        this.acknowledged.push(name);
        this.since.acknowledged += 1;
        this.since.longestGapMilliseconds = Math.max(this.since.longestGapMilliseconds, now - this.last);
        this.last = now;
    }

    /** What has happened since the last mark. A gap that is still open counts. */
    mark(): Writes {
        const { acknowledged, failed, longestGapMilliseconds, problem } = this.since;
        const gap = Math.round(Math.max(longestGapMilliseconds, Date.now() - this.last));
        this.since = nothing();
        return { acknowledged, failed, longestGapMilliseconds: gap, problem };
    }

    /** Whether it still writes: one in a machine ends with it. */
    get runs(): boolean {
        return this.child.exitCode === null && this.child.signalCode === null;
    }

    async end(): Promise<void> {
        if (!this.runs) return;
        const gone = new Promise((resolve) => this.child.once("exit", resolve));
        this.child.kill("SIGTERM");
        await gone;
    }
}

/** The parts of a kubeconfig of this package; PEM. */
export function credentialsOf(kubeconfig: string): { server: string; ca: string; certificate: string; key: string } {
    const value = (name: string) => new RegExp(`\\b${name}: (\\S+)`).exec(kubeconfig)![1];
    const decoded = (name: string) => Buffer.from(value(name), "base64").toString();
    return {
        server: value("server").replaceAll('"', ""),
        ca: decoded("certificate-authority-data"),
        certificate: decoded("client-certificate-data"),
        key: decoded("client-key-data"),
    };
}
