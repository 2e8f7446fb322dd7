import { readFileSync } from "node:fs";
import { type Call, type CloudOptions, type RunningCloud, startCloud } from "../../simulator";
import { Project, type Running } from "../e2e/support/project";

/** Commands that only query whether a job has ended. */
const POLLS = ["listAsyncJobs", "queryAsyncJobResult"];

/** The measurements of a command of the engine. */
export interface Taken {
    seconds: number;
    /** API calls without polls. */
    calls: number;
    /** The calls among them that concern security groups. */
    groupCalls: number;
    /** Polls of jobs. */
    polls: number;
    /** The peak memory of the plugin process in bytes; 0 if it is not known. */
    memory: number;
}

/** A measured program, with its own project and its own cloud. */
export class Subject {
    readonly project: Project;
    readonly cloud: RunningCloud;

    private constructor(program: string, cloud: RunningCloud) {
        const { apiKey, secretKey } = cloud.accounts.expunger;
        this.cloud = cloud;
        this.project = new Project({
            program,
            environment: {
                CLOUDSTACK_ENDPOINT: cloud.endpoint,
                CLOUDSTACK_API_KEY: apiKey,
                CLOUDSTACK_SECRET_KEY: secretKey,
            },
        });
    }

    static async of(program: string, options: CloudOptions = {}): Promise<Subject> {
        const subject = new Subject(program, await startCloud({ cidr: "10.1.0.0/20", ...options }));
        // Creates the stack before anything is measured.
        await subject.project.run(["stack", "ls"]);
        return subject;
    }

    /** Runs a command of the engine without its preview. */
    run(command: "up" | "preview" | "refresh" | "destroy", ...args: string[]): Promise<Taken> {
        return this.measured(() => this.project.start(command, { args }));
    }

    /** Runs `pulumi up` with its preview. */
    upWithPreview(): Promise<Taken> {
        return this.measured(async () => {
            const finished = this.project.run(["up", "--yes", "--stack", "dev"]);
            return { finished, plugin: () => undefined, pid: 0, kill9: () => {} };
        });
    }

    private async measured(start: () => Promise<Running>): Promise<Taken> {
        this.cloud.clearCalls();
        const started = performance.now();
        const running = await start();
        let memory = 0;
        const watch = setInterval(() => (memory = Math.max(memory, peak(running.plugin()?.pid))), 500);
        const result = await running.finished.finally(() => clearInterval(watch));
        if (result.code !== 0) throw new Error(`pulumi failed\n${result.stdout}\n${result.stderr}`);
        const seconds = (performance.now() - started) / 1000;
        const all = this.cloud.calls();
        const polls = all.filter(isPoll).length;
        const groupCalls = all.filter(({ command }) => command.includes("SecurityGroup")).length;
        return { seconds, calls: all.length - polls, groupCalls, polls, memory };
    }

    async close(): Promise<void> {
        this.project.dispose();
        await this.cloud.close();
    }
}

function isPoll({ command }: Call): boolean {
    return POLLS.includes(command);
}

/** The peak memory of a process in bytes. */
function peak(pid: number | undefined): number {
    try {
        return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
    } catch {
        return 0; // the process has ended, or the system has no /proc
    }
}
