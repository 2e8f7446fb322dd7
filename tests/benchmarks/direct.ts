import type { RunningCloud } from "../../simulator";
import { Client } from "../contract/simulator/client";
import { USER_DATA } from "./programs";

/** The polling interval of jobs, in seconds. */
const POLL = 0.1;

/** The durations of the direct calls in seconds: for the groups, for the machines, and in total. */
export interface Courses {
    create: { groups: number; all: number };
    destroy: { machines: number; all: number };
}

/**
 * Creates and deletes the same as `machines(count)` in `programs.ts`, with API commands and as fast as possible: everything
 * concurrently, except the rules of a group, which would wait five seconds for each other's lock.
 */
export async function direct(cloud: RunningCloud, count: number): Promise<Courses> {
    const calls = new Direct(new Client(cloud, cloud.accounts.expunger));
    const base = await calls.client.catalogue();
    const { account } = await calls.client.ok("listUsers").then(({ user }) => user[0]);
    const seconds = clock();
    const [front, back] = await Promise.all(["front", "back"].map((name) => calls.group(name)));
    const groups = seconds();
    const rules = async (...all: object[]) => {
        for (const rule of all) await calls.done("authorizeSecurityGroupIngress", { protocol: "tcp", ...rule });
    };
    const open = (securitygroupid: string, port: number, cidrlist: string) => ({
        securitygroupid,
        startport: port,
        endport: port,
        cidrlist,
    });
    const source = { "usersecuritygrouplist[0].account": account, "usersecuritygrouplist[0].group": "front" };
    const machine = async (_: unknown, number: number) =>
        (
            await calls.done("deployVirtualMachine", {
                ...base,
                name: `machine-${number}`,
                securitygroupids: number % 2 === 0 ? front : back,
                userdata: Buffer.from(USER_DATA).toString("base64"),
            })
        ).id as string;
    const [machines] = await Promise.all([
        Promise.all(Array.from({ length: count }, machine)),
        rules(open(front, 80, "0.0.0.0/0"), open(front, 443, "0.0.0.0/0"), open(front, 22, "203.0.113.0/24")),
        rules({ securitygroupid: back, startport: 5432, endport: 5432, ...source }, open(back, 22, "203.0.113.0/24")),
    ]);
    const create = { groups, all: seconds() };
    const since = clock();
    await Promise.all(machines.map((id) => calls.done("destroyVirtualMachine", { id, expunge: true })));
    const gone = since();
    // The group whose rule refers to the other one is deleted first.
    for (const id of [back, front]) await calls.client.ok("deleteSecurityGroup", { id });
    return { create, destroy: { machines: gone, all: since() } };
}

function clock(): () => number {
    const started = performance.now();
    return () => (performance.now() - started) / 1000;
}

class Direct {
    readonly client: Client;
    private poll: Promise<Set<string>> | undefined;

    constructor(client: Client) {
        this.client = client;
    }

    async group(name: string): Promise<string> {
        return (await this.client.ok("createSecurityGroup", { name })).securitygroup.id;
    }

    /** Sends a command and waits for its job. All jobs share the list of running jobs. */
    async done(command: string, parameters: Record<string, unknown>): Promise<{ id: string }> {
        const { jobid, id } = await this.client.ok(command, parameters);
        while ((await this.running()).has(jobid));
        const { jobstatus, jobresult } = await this.client.ok("queryAsyncJobResult", { jobid });
        if (jobstatus !== 1) throw new Error(`${command}: ${JSON.stringify(jobresult)}`);
        return { id };
    }

    private running(): Promise<Set<string>> {
        this.poll ??= new Promise((resolve) => setTimeout(resolve, POLL * 1000)).then(async () => {
            this.poll = undefined;
            return new Set((await this.client.list("listAsyncJobs")).map(({ jobid }) => jobid as string));
        });
        return this.poll;
    }
}
