/** Eight machines at once, and the resources that they use. */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { memoryOf, processorSecondsOf } from "../../../simulator/hypervisors/nspawn/cgroups";
import { CLOUD_INIT_SUCCEEDED, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

const NAMES = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`);

withMachines("eight machines at once", () => {
    let lab: Lab;
    let guests: Guest[];
    const seconds: Record<"deployed" | "ready", number[]> = { deployed: [], ready: [] };

    beforeAll(async () => {
        lab = await Lab.start("10.1.47.0/24");
        await lab.allowPing();
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    test("boot, each with its own address and name", async () => {
        const start = Date.now();
        const since = () => (Date.now() - start) / 1000;
        const userData = "#cloud-config\nruncmd: [touch /root/ran]\n";
        guests = await Promise.all(
            NAMES.map(async (name) => {
                const guest = await lab.deploy(name, { userData });
                seconds.deployed.push(since());
                expect(await guest.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
                seconds.ready.push(since());
                return guest;
            }),
        );
        expect(new Set(guests.map((guest) => guest.address)).size).toBe(8);
        const boot = Math.max(...seconds.ready);
        expect(boot).toBeLessThan(90);
    });

    test("find each other by name", async () => {
        const script = NAMES.map((name) => `ping -q -c 1 -W 2 ${name} >/dev/null && echo ${name}`).join("; ");
        for (const guest of guests) expect(await guest.outputOf(script)).toBe(NAMES.join("\n"));
    });

    test("use little memory and disk space", () => {
        const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
        const memory = guests.map((guest) => mebibytes(memoryOf(guest.controlGroup).used));
        const disk = guests.map((guest) => {
            const options = ["--summarize", "--bytes", path.join(guest.folder, "upper")];
            return mebibytes(Number(execFileSync("du", options, { encoding: "utf8" }).split("\t")[0]));
        });
        const work = guests.map((guest) => Math.round(processorSecondsOf(guest.controlGroup) * 10) / 10);
        const range = (values: number[]) => `${Math.min(...values)} to ${Math.max(...values)}`;
        console.log(
            [
                "eight machines at once",
                `  started after             ${range(seconds.deployed)} s`,
                `  cloud-init done after     ${range(seconds.ready)} s`,
                `  of the processors         ${range(work)} s each`,
                `  memory, page cache too    ${range(memory)} MiB each`,
                `  disk                      ${range(disk)} MiB each`,
            ].join("\n"),
        );
        expect(Math.max(...memory)).toBeLessThan(400);
        expect(Math.max(...disk)).toBeLessThan(100);
    });

    test("can be destroyed as fast", async () => {
        await Promise.all(guests.map((guest) => guest.call("destroyVirtualMachine", { expunge: true })));
        expect(guests.filter((guest) => guest.machine.runs)).toEqual([]);
    });
});
