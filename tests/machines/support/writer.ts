/** Controls the client that writes all the time (`writerMain.js`). */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";

export interface EtcdAccess {
    readonly endpoints: readonly string[];
    readonly ca: string;
    readonly certificate: string;
    readonly key: string;
}

/** What the client saw between two marks. */
export interface Interval {
    readonly seconds: number;
    readonly acknowledged: number;
    readonly failed: number;
    readonly longestGapMilliseconds: number;
    /** The last error. */
    readonly error: string;
    readonly wentBack: number;
}

export interface Verdict {
    readonly acknowledged: number;
    /** Writes without an answer, which may have been applied or not. */
    readonly unknown: number;
    /** Acknowledged writes that the cluster no longer has. */
    readonly lost: readonly number[];
    readonly wentBack: readonly string[];
}

export class Writer {
    private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-writer-"));
    private readonly child: ChildProcess;
    private readonly answers: AsyncIterator<string>;
    private errors = "";

    private constructor(access: EtcdAccess) {
        const file = path.join(this.folder, "access.json");
        fs.writeFileSync(file, JSON.stringify(access), { mode: 0o600 });
        this.child = spawn(process.execPath, [path.join(__dirname, "writerMain.js"), file], {
            stdio: ["pipe", "pipe", "pipe"],
        });
        this.child.stderr!.on("data", (text) => (this.errors += text));
        this.answers = readline.createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
    }

    /** Resolves when the first write is about to start. */
    static async start(access: EtcdAccess): Promise<Writer> {
        const writer = new Writer(access);
        await writer.answer();
        return writer;
    }

    private async answer<T>(): Promise<T> {
        const { done, value } = await this.answers.next();
        if (done) throw new Error(`the writer ended: ${this.errors}`);
        return JSON.parse(value) as T;
    }

    /** What the client saw since the last mark. */
    mark(): Promise<Interval> {
        this.child.stdin!.write("mark\n");
        return this.answer();
    }

    /** Ends writing, and compares the acknowledged writes with the cluster's data. */
    async end(): Promise<Verdict> {
        this.child.stdin!.write("end\n");
        const verdict = await this.answer<Verdict>();
        this.dispose();
        return verdict;
    }

    dispose(): void {
        this.child.kill("SIGKILL");
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
