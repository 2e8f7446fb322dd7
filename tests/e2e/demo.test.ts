/**
 * `npm run demo` and `npm run demo:down` as a newcomer runs them, isolated from stacks and clouds of whoever runs the
 * tests.
 */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { built } from "../support/built";
import { engine } from "./support/engine";
import { descendants, kill9, type Process, processes } from "./support/processes";

const checkout = path.resolve(__dirname, "../..");
const localStack = path.join(checkout, "Pulumi.local.yaml");

/** The folder of everything that the demo uses: engine, state, cloud and files. */
const folder = fs.mkdtempSync(path.join(tmpdir(), "pulumi-cloudstack-demo-"));
const tools = path.join(folder, "tools");
const demoFile = (name: string) => path.join(tools, "demo", name);

const machines = [
    ...["local-control-a", "local-etcd-a", "local-etcd-b", "local-etcd-c"],
    ...["local-worker-0", "local-worker-1", "local-worker-2", "local-worker-3"],
];

function environment(): NodeJS.ProcessEnv {
    const foreign = /^(PULUMI_|CLOUDSTACK_|CS_|HTTPS?_PROXY$|https?_proxy$|NODE_OPTIONS$)/;
    return {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
        PATH: [engine().folder, process.env.PATH].join(":"),
        PULUMI_HOME: path.join(folder, "home"), // the demo stores there which stack is selected
        PULUMI_CLOUDSTACK_TOOLS: tools,
        CLOUDSTACK_LOCAL_PORT: "0",
    };
}

/** `npm run SCRIPT` in a child process. Its machines do not boot; tests/machines has those that do. */
function npm(script: string) {
    const args = script === "demo" ? ["--", "--hypervisor", "none"] : [];
    const child = spawn("npm", ["run", script, ...args], {
        cwd: checkout,
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => (output += text));
    }
    return {
        finished: new Promise<{ code: number | null; output: string }>((resolve) => {
            child.once("close", (code) => resolve({ code, output }));
        }),
        says: (wanted: RegExp) =>
            new Promise<void>((resolve, reject) => {
                const look = () => wanted.test(output) && resolve();
                child.stdout.on("data", look);
                child.once("close", () => reject(new Error(`it ended without ${wanted}:\n${output}`)));
            }),
        /** The process of the engine, if it is running. */
        engine: () => descendants(child.pid!).find(({ command }) => /^pulumi up /.test(command)),
    };
}

/** Runs `cloudstack-local` on the demo's cloud. */
function cloud(...args: string[]): { code: number | null; output: string } {
    const env = { ...environment(), CLOUDSTACK_LOCAL_STATE: path.join(tools, "cloud") };
    const main = path.join(checkout, "dist/simulator/main.js");
    const plain = args[0] === "start" ? ["--hypervisor", "none"] : [];
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args, ...plain], {
        env,
        encoding: "utf8",
    });
    return { code: status, output: stdout + stderr };
}

const cloudStatus = () => JSON.parse(cloud("status", "--json").output);

/**
 * Processes that this test's commands have started, directly or not: they have its tool folder in their environment.
 */
function ours(): Process[] {
    return processes().filter(({ pid }) => {
        try {
            return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(`PULUMI_CLOUDSTACK_TOOLS=${tools}\0`);
        } catch {
            return false; // has ended, or belongs to another user
        }
    });
}

/** Waits until none of these processes is left, except those whose command line is allowed. */
async function expectNothingBut(allowed: RegExp | undefined): Promise<void> {
    const left = () => ours().filter(({ command }) => !allowed?.test(command));
    for (let i = 0; i < 50 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 200));
    expect(left()).toEqual([]);
}

/** Runs a demo whose engine is killed while the cloud deploys a machine. */
async function interruptedDemo(): Promise<void> {
    expect(cloud("start", "--port", "0", "--expunge-seconds", "60")).toMatchObject({ code: 0 });
    const slow = cloud("fault", "jobSeconds", "--command", "deployVirtualMachine", "--seconds", "4");
    expect(slow).toMatchObject({ code: 0 });
    const demo = npm("demo");
    await demo.says(/cloudstack:VirtualMachine \S+ creating/);
    for (let i = 0; i < 50 && cloudStatus().pendingJobs === 0; i++) await new Promise((next) => setTimeout(next, 100));
    expect(cloudStatus().pendingJobs).toBeGreaterThan(0);
    kill9(demo.engine()!.pid);
    const { code, output } = await demo.finished;
    expect(code).not.toBe(0);
    expect(output).toContain("run this again: it continues where it stopped");
    await expectNothingBut(cloudProcess);
    expect(cloud("fault", "clear")).toMatchObject({ code: 0 });
}

const cloudProcess = /simulator\/main\.js start /;

describe("the demo", () => {
    let local: string;
    /** The number of security groups in a new cloud: one default group per account. */
    let empty: number;

    beforeAll(async () => {
        await built();
        expect(cloud("start", "--port", "0")).toMatchObject({ code: 0 });
        empty = cloudStatus().securityGroups;
        expect(cloud("stop")).toMatchObject({ code: 0 });
        local = fs.readFileSync(localStack, "utf8");
    });
    afterAll(() => {
        ours().forEach(({ pid }) => kill9(pid));
        fs.rmSync(folder, { recursive: true, force: true });
    });

    test("leaves no process behind when its engine is killed, and says how to continue", async () => {
        await interruptedDemo();
    });

    test("continues after that, and creates no machine twice", async () => {
        const { code, output } = await npm("demo").finished;
        expect([code, output]).toEqual([0, expect.stringContaining("An earlier run was interrupted")]);
        for (const name of machines) expect(output).toMatch(new RegExp(`^  ${name} +10\\.1\\.1\\.\\d+$`, "m"));
        expect(output).toContain("npm run pulumi -- preview");
        expect(output).toContain("npm run demo:down");
        expect(cloudStatus()).toMatchObject({ running: true, machines: { Running: machines.length } });
        await expectNothingBut(cloudProcess);
    });

    test("writes the clients' files so that only their owner can read them", () => {
        const files = ["kubeconfig", "etcd/ca.crt", "etcd/client.crt", "etcd/client.key"];
        for (const name of files) expect(fs.statSync(demoFile(name)).mode & 0o777).toBe(0o600);
        expect(fs.readFileSync(demoFile("kubeconfig"), "utf8")).toContain("server: https://10.1.1.21:6443");
        expect(fs.readFileSync(demoFile("etcd/client.crt"), "utf8")).toContain("BEGIN CERTIFICATE");
    });

    test("changes nothing in a second run", async () => {
        const { code, output } = await npm("demo").finished;
        expect([code, output]).toEqual([0, expect.stringMatching(/Resources:\n +\d+ unchanged\n\n/)]);
        expect(output).not.toMatch(/warning|pending/);
        expect(output).toContain("cloudstack-local is already running");
        expect(cloudStatus()).toMatchObject({ machines: { Running: machines.length } });
    });

    test("is removed, and the cloud stopped, by demo:down", async () => {
        const { code, output } = await npm("demo:down").finished;
        expect([code, output]).toEqual([0, expect.stringMatching(/Resources:\n +- \d+ deleted\n/)]);
        expect(cloudStatus()).toMatchObject({ running: false });
        expect(fs.existsSync(demoFile(""))).toBe(false);
        await expectNothingBut(undefined);
    });

    test("can be removed a second time without an error", async () => {
        const { code, output } = await npm("demo:down").finished;
        expect([code, output]).toEqual([0, expect.stringContaining("No cloud is running")]);
        await expectNothingBut(undefined);
    });

    test("can be removed after an interruption, with the machine that was being deployed", async () => {
        await interruptedDemo();
        expect(await npm("demo:down").finished).toMatchObject({ code: 0 });
        await expectNothingBut(undefined);
        expect(cloud("start", "--port", "0")).toMatchObject({ code: 0 });
        const { machines, volumes, securityGroups } = cloudStatus();
        expect(cloud("stop")).toMatchObject({ code: 0 });
        // Destroyed machines and their root disks exist until they are expunged.
        const { Destroyed = 0, ...others } = machines;
        expect({ others, volumes, securityGroups }).toEqual({ others: {}, volumes: Destroyed, securityGroups: empty });
    });

    test("leaves the stack's configuration file as it was", () => {
        expect(fs.readFileSync(localStack, "utf8")).toBe(local);
    });
});
