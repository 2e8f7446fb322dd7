/** Nothing acknowledged is lost when the process is killed, and running jobs continue. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { startCloud, StateError } from "../../../simulator";
import { Client } from "./client";
import { CommandLine } from "./commandLine";

jest.setTimeout(60_000);

describe("kill -9", () => {
    let command: CommandLine;

    beforeAll(() => {
        command = new CommandLine();
    });

    afterAll(() => command.remove());

    const start = (): Client => {
        command.ok("start", "--port", "0", "--job-seconds", "0.05");
        const { endpoint, accounts } = command.file("credentials.json");
        return new Client({ endpoint }, accounts.user);
    };

    const kill = async (): Promise<void> => {
        const { pid, url } = command.file("server.json");
        process.kill(pid, "SIGKILL");
        // It has ended when nothing listens any more.
        while (
            await fetch(url).then(
                () => true,
                () => false,
            )
        )
            await new Promise((resolve) => setTimeout(resolve, 5));
    };

    test("at any moment of many calls: all answered calls are stored afterwards, all jobs are done", async () => {
        const groups = new Set<string>();
        const machines = new Map<string, string>();
        let user = start();
        const base = await user.catalogue();
        const apiKey = user.credentials.apiKey;
        for (let round = 0; round < 6; round += 1) {
            let dead = false;
            const write = async (writer: number): Promise<void> => {
                for (let number = 0; !dead; number += 1) {
                    const name = `w${writer}-${round}-${number}`;
                    try {
                        if (writer === 0)
                            machines.set(name, (await user.ok("deployVirtualMachine", { ...base, name })).jobid);
                        else if ((await user.ok("createSecurityGroup", { name })).securitygroup.name === name)
                            groups.add(name);
                    } catch (error) {
                        if (!dead) throw error;
                    }
                }
            };
            const writers = [0, 1, 2].map(write);
            await new Promise((resolve) => setTimeout(resolve, 40 + 17 * round));
            dead = true;
            await kill();
            await Promise.all(writers);
            user = start();
            expect(user.credentials.apiKey).toBe(apiKey);
        }
        expect(groups.size).toBeGreaterThan(20);
        expect(machines.size).toBeGreaterThan(10);
        for (const [name, jobid] of machines) {
            const job = await user.job(jobid);
            expect([name, job.jobstatus]).toEqual([name, 1]);
        }
        const present = await user.list("listVirtualMachines");
        // A call that was not answered may have been carried out: there may be more, never less.
        expect(present.map((vm) => vm.name)).toEqual(expect.arrayContaining([...machines.keys()]));
        expect(present.length - machines.size).toBeLessThanOrEqual(6);
        const addresses = present.map((vm) => vm.ipaddress);
        expect(new Set(addresses).size).toBe(addresses.length);
        expect((await user.list("listSecurityGroups")).map((group) => group.name)).toEqual(
            expect.arrayContaining([...groups]),
        );
    });
});

describe("a state folder", () => {
    let folder: string;

    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-state-"));
    });

    afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

    test("keeps running jobs over a restart, in their order, and the states they passed through", async () => {
        const first = await startCloud({ stateDir: folder, jobSeconds: 0 });
        const before = new Client(first, first.accounts.user);
        const vm = (await before.done("deployVirtualMachine", { ...(await before.catalogue()), name: "patient" }))
            .virtualmachine;
        first.fault({ kind: "jobSeconds", command: "*", seconds: 600, count: 0 });
        const stop = (await before.ok("stopVirtualMachine", { id: vm.id })).jobid;
        const start = (await before.ok("startVirtualMachine", { id: vm.id })).jobid;
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect((await before.list("listVirtualMachines"))[0].state).toBe("Stopping");
        await first.close();

        const second = await startCloud({ stateDir: folder, jobSeconds: 0 });
        const after = new Client(second, second.accounts.user);
        expect(second.accounts).toEqual(first.accounts);
        const [stopped, started] = [await after.job(stop), await after.job(start)];
        expect([stopped.jobresult.virtualmachine.state, started.jobresult.virtualmachine.state]).toEqual([
            "Stopped",
            "Running",
        ]);
        expect((await after.list("listVirtualMachines"))[0]).toMatchObject({
            id: vm.id,
            ipaddress: vm.ipaddress,
            state: "Running",
        });
        await second.close();
    });

    test("belongs to one process, and its files to one user", async () => {
        const cloud = await startCloud({ stateDir: folder });
        await expect(startCloud({ stateDir: folder })).rejects.toThrow(/Another process uses .*cloudstack-local stop/);
        for (const name of fs.readdirSync(folder))
            expect([name, fs.statSync(path.join(folder, name)).mode & 0o077]).toEqual([name, 0]);
        await cloud.close();
    });

    test("that cannot be read is reported as such", async () => {
        fs.writeFileSync(
            path.join(folder, "cloud.sqlite"),
            "not a database, and longer than a header of one would be ".repeat(20),
        );
        await expect(startCloud({ stateDir: folder })).rejects.toThrow(StateError);
        await expect(startCloud({ stateDir: folder })).rejects.toThrow(/cannot be read .*move the folder away/);
    });
});
