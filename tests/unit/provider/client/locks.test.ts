import * as fc from "fast-check";
import { Client } from "../../../../provider/client";
import { Locks, locksOf } from "../../../../provider/client/locks";
import { failure, ok, settingsFor, standIn, type Received, type StandIn } from "./support";

describe("requests that need the same lock in CloudStack do not run at the same time", () => {
    let server: StandIn;
    afterEach(() => server?.close());

    /**
     * Runs `work` on a cloud whose jobs end 40 ms after `together` of them have been running at once. @returns the
     * locks that were requested while a job held them, and how many jobs ran at once
     */
    async function underWay(
        work: (client: Client, other: Client) => Promise<unknown>,
        together = 1,
    ): Promise<{ met: string[]; most: number }> {
        const locks = new Map<string, string>();
        const found = { met: [] as string[], most: 0 };
        server = await standIn(({ params }: Received) => {
            const { command, jobid, customjobid } = params;
            if (command === "queryAsyncJobResult")
                return ok(command, { jobstatus: locks.has(jobid!) ? 0 : 1, jobresult: {} });
            if (command === "listAsyncJobs")
                return ok(command, { count: locks.size, asyncjobs: [...locks.keys()].map((id) => ({ jobid: id })) });
            const lock = params.securitygroupid ?? params.lock ?? params.ipaddressid ?? command!;
            if ([...locks.values()].includes(lock)) found.met.push(lock);
            locks.set(customjobid!, lock);
            found.most = Math.max(found.most, locks.size);
            if (found.most >= together) for (const job of locks.keys()) setTimeout(() => locks.delete(job), 40);
            return ok(command!, { jobid: customjobid });
        });
        const settings = settingsFor(server.endpoint);
        await work(new Client(settings), new Client({ ...settings, apiKey: "other" }));
        return found;
    }

    const options = { timeoutSeconds: 60 };

    test("rules of a group, whichever resource and project they belong to, and their revocations", async () => {
        const { met } = await underWay((client, other) =>
            Promise.all([
                client.run("authorizeSecurityGroupIngress", { securitygroupid: "g" }, options),
                client.run("authorizeSecurityGroupEgress", { securitygroupid: "g" }, options),
                other.run("authorizeSecurityGroupIngress", { securitygroupid: "g" }, options),
                client.run("revokeSecurityGroupIngress", { id: "rule", lock: "g" }, { ...options, queue: "g" }),
                client.run("authorizeSecurityGroupIngress", { securitygroupid: "h" }, options),
            ]),
        );
        expect(met).toEqual([]);
    });

    test("commands that lock an address or the account", async () => {
        const { met } = await underWay((client) =>
            Promise.all([
                client.run("createFirewallRule", { ipaddressid: "a" }, options),
                client.run("createPortForwardingRule", { ipaddressid: "a" }, options),
                client.run("associateIpAddress", { networkid: "n" }, options),
                client.run("associateIpAddress", { networkid: "m" }, options),
            ]),
        );
        expect(met).toEqual([]);
    });

    test("requests with different locks, or without any, run at the same time", async () => {
        const work = (client: Client) =>
            Promise.all([
                ...["g", "h", "i"].map((securitygroupid) =>
                    client.run("authorizeSecurityGroupIngress", { securitygroupid }, options),
                ),
                ...["v", "w"].map((lock) => client.run("createVolume", { lock }, options)),
            ]);
        const { most } = await underWay(work, 5);
        expect(most).toBe(5);
    });

    test("a request that times out waiting for its lock is reported as not sent, and does not block others", async () => {
        const jobs: string[] = [];
        let ended = false;
        server = await standIn(({ params }) => {
            if (params.command === "queryAsyncJobResult")
                return ok("queryAsyncJobResult", { jobstatus: ended ? 1 : 0, jobresult: {} });
            jobs.push(params.protocol!);
            return ok(params.command!, { jobid: params.customjobid });
        });
        const client = new Client(settingsFor(server.endpoint));
        const run = (protocol: string, timeoutSeconds: number) =>
            client.run("authorizeSecurityGroupIngress", { securitygroupid: "g", protocol }, { timeoutSeconds });
        const first = run("tcp", 60);
        const error = await failure(run("udp", 0.3));
        expect(error).toMatchObject({ outcome: "unsent" });
        expect(error.message).toContain("other changes to the same resource took all of the 0.3 s");
        const last = run("icmp", 60);
        ended = true;
        await Promise.all([first, last]);
        expect(jobs).toEqual(["tcp", "icmp"]);
    });
});

describe("locks", () => {
    test("follow from the parameters of a command, if they can be known", () => {
        expect(locksOf("authorizeSecurityGroupIngress", { securitygroupid: "g" }, "me")).toEqual(["g"]);
        expect(locksOf("createNetwork", { name: "n" }, "me")).toEqual(["me"]);
        expect(locksOf("attachVolume", { id: "v", virtualmachineid: "m" }, "me")).toEqual(["m"]);
        expect(locksOf("deployVirtualMachine", { securitygroupids: ["g"] }, "me")).toEqual([]);
        expect(locksOf("listSecurityGroups", { id: "g" }, "me")).toEqual([]);
        expect(locksOf("revokeSecurityGroupIngress", { id: "rule" }, "me")).toEqual([]);
    });

    test("are held by one request at a time, in the order of the requests, and each is granted", async () => {
        const work = fc.record({
            keys: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
            turns: fc.integer({ min: 0, max: 3 }),
            fails: fc.boolean(),
        });
        await fc.assert(
            fc.asyncProperty(fc.array(work, { maxLength: 12 }), async (works) => {
                const locks = new Locks();
                const held = new Set<string>();
                const order: Record<string, number[]> = { a: [], b: [], c: [] };
                const all = works.map(({ keys, turns, fails }, number) =>
                    locks.withLocks(keys, async () => {
                        for (const key of keys) {
                            expect(held.has(key)).toBe(false);
                            held.add(key);
                            order[key]!.push(number);
                        }
                        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
                        for (const key of keys) held.delete(key);
                        if (fails) throw new Error("work");
                        return number;
                    }),
                );
                const ends = await Promise.allSettled(all);
                ends.forEach((end, number) =>
                    expect(end.status === "fulfilled" ? end.value?.result : "failed").toBe(
                        works[number]!.fails ? "failed" : number,
                    ),
                );
                for (const numbers of Object.values(order)) expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
            }),
        );
    });
});
