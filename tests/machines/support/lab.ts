/** An embedded cloud with machines, in the test's own process, and its machines as tests look at them. */
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { startCloud, type CloudOptions, type RunningCloud } from "../../../simulator";
import { prefixOf, nspawn } from "../../../simulator/hypervisors/nspawn";
import { Machine } from "../../../simulator/hypervisors/nspawn/machine";
import { Client } from "../../contract/simulator/client";
import { TEMPLATE } from "./template";

const exec = promisify(execFile);

/** Asks until it is so. @throws Error that says what was waited for */
export async function eventually(what: string, isSo: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await isSo())) {
        if (Date.now() > end) throw new Error(`After ${seconds} s still not so: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** What a test asks of a machine; names instead of ids. */
export interface Wish {
    readonly template?: string;
    readonly offering?: string;
    readonly zone?: string;
    /** What cloud-init is to find, not encoded. */
    readonly userData?: string | Buffer;
    /** More parameters of deployVirtualMachine. */
    readonly [parameter: string]: unknown;
}

export class Lab {
    readonly stateDir: string;
    readonly prefix: string;
    private readonly options: CloudOptions;
    private readonly cacheDir: string | undefined;
    private running: RunningCloud | undefined;

    /** @param cidr of its own: several clouds run on a host at a time */
    constructor(cidr: string, { cacheDir, ...options }: CloudOptions & { cacheDir?: string } = {}) {
        this.stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-local-lab-"));
        this.prefix = prefixOf(this.stateDir);
        this.options = { cidr, ...options };
        this.cacheDir = cacheDir;
    }

    static async start(...options: ConstructorParameters<typeof Lab>): Promise<Lab> {
        const lab = new Lab(...options);
        await lab.start();
        return lab;
    }

    /** What the hypervisor had to say. */
    readonly said: string[] = [];

    async start(): Promise<void> {
        const { stateDir, cacheDir } = this;
        const log = (line: string) => void this.said.push(line);
        this.running = await startCloud({ ...this.options, stateDir, hypervisor: nspawn({ stateDir, cacheDir, log }) });
    }

    get cloud(): RunningCloud {
        if (this.running === undefined) throw new Error("the cloud does not run");
        return this.running;
    }

    /** A user that may expunge. */
    get user(): Client {
        return new Client(this.cloud, this.cloud.accounts.expunger);
    }

    async close(): Promise<void> {
        await this.running?.close();
        this.running = undefined;
    }

    /** Ends the cloud; answers what it has left on the host, which has to be nothing. */
    async dispose(): Promise<string[]> {
        await this.close();
        const left = this.leftovers();
        fs.rmSync(this.stateDir, { recursive: true, force: true });
        return left;
    }

    /** What of this cloud is on the host but for its files. */
    leftovers(): string[] {
        const isOurs = (name: string) => name.startsWith(this.prefix);
        const list = (folder: string) => {
            const found = fs.statSync(folder, { throwIfNoEntry: false });
            return found?.isDirectory() ? fs.readdirSync(folder) : [];
        };
        const groups = list("/sys/fs/cgroup").flatMap((name) => list(`/sys/fs/cgroup/${name}`).filter(isOurs));
        const processes = list("/proc").filter((name) => {
            if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
            try {
                return fs.readFileSync(`/proc/${name}/cmdline`, "utf8").includes(this.stateDir);
            } catch {
                return false;
            }
        });
        return [
            ...list("/run/netns")
                .filter(isOurs)
                .map((name) => `namespace ${name}`),
            ...list("/sys/class/net")
                .filter(isOurs)
                .map((name) => `link ${name}`),
            ...[...list("/sys/fs/cgroup").filter(isOurs), ...groups].map((name) => `group ${name}`),
            ...processes.map((pid) => `process ${pid}`),
            ...this.loops().map((line) => `loop device ${line}`),
            ...fs
                .readFileSync("/proc/self/mounts", "utf8")
                .split("\n")
                .filter((line) => line.includes(this.stateDir)),
        ];
    }

    /** Loop devices of this cloud. */
    loops(): string[] {
        const text = execFileSync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], {
            encoding: "utf8",
        });
        return text.split("\n").filter((line) => line.includes(this.stateDir));
    }

    /** The id of something in a list of the API, by its name. */
    async id(command: string, name: string, more: Record<string, unknown> = {}): Promise<string> {
        const found = (await this.user.list(command, { name, ...more })).find((item) => item.name === name);
        if (found === undefined) throw new Error(`${command} knows no ${name}`);
        return found.id;
    }

    /** Lets machines of the account's default group ping each other. */
    async letPing(): Promise<void> {
        const [{ id: securitygroupid }] = await this.user.list("listSecurityGroups", { securitygroupname: "default" });
        const rule = { protocol: "icmp", icmptype: -1, icmpcode: -1, cidrlist: "0.0.0.0/0" };
        await this.user.done("authorizeSecurityGroupIngress", { securitygroupid, ...rule });
    }

    async deploy(name: string, wish: Wish = {}): Promise<Guest> {
        const { template = TEMPLATE, offering = "Small Instance", zone = "sandbox", userData, ...more } = wish;
        const { virtualmachine } = await this.user.done("deployVirtualMachine", {
            name,
            zoneid: await this.id("listZones", zone),
            templateid: await this.id("listTemplates", template, { templatefilter: "executable" }),
            serviceofferingid: await this.id("listServiceOfferings", offering),
            userdata: userData && Buffer.from(userData as string).toString("base64"),
            ...more,
        });
        const admin = new Client(this.cloud, this.cloud.accounts.admin);
        const [{ instancename }] = await admin.list("listVirtualMachines", { id: virtualmachine.id, listall: true });
        return new Guest(this, virtualmachine, instancename);
    }
}

/** A machine of a lab. */
export class Guest {
    readonly lab: Lab;
    readonly id: string;
    readonly instanceName: string;
    /** The answer of its deployment. */
    readonly deployed: any;
    readonly machine: Machine;
    readonly folder: string;

    constructor(lab: Lab, deployed: any, instanceName: string) {
        this.lab = lab;
        this.id = deployed.id;
        this.deployed = deployed;
        this.instanceName = instanceName;
        const machines = path.join(lab.stateDir, "nspawn", "machines");
        this.folder = path.join(machines, instanceName);
        this.machine = new Machine(lab.prefix, machines, instanceName);
    }

    get address(): string {
        return this.deployed.nic[0].ipaddress;
    }

    /** Its control group below the root of a hierarchy. */
    get group(): string {
        return `${this.lab.prefix}/${/^i-\d+-(\d+)-/.exec(this.instanceName)![1]}`;
    }

    /** The machine as the API shows it. */
    async shown(): Promise<any> {
        return (await this.lab.user.list("listVirtualMachines", { id: this.id }))[0];
    }

    /** The result of a command of the API with this machine's id. */
    do(command: string, parameters: Record<string, unknown> = {}): Promise<any> {
        return this.lab.user.done(command, { id: this.id, ...parameters });
    }

    /** What a program in the machine prints. @throws Error with what it complained of */
    async run(...command: string[]): Promise<string> {
        const [program, ...args] = this.machine.commandLine(command);
        return (await exec(program, args, { timeout: 60_000, maxBuffer: 64 * 2 ** 20 })).stdout.trim();
    }

    /** Runs a script in the machine. @throws Error where one of its commands fails */
    script(text: string): Promise<string> {
        return this.run("sh", "-ec", text);
    }

    /** Whether a user of the machine has this password. */
    async hasPassword(user: string, password: string): Promise<boolean> {
        const hash = (await this.run("getent", "shadow", user)).split(":")[1];
        return (await this.run("perl", "-e", "print crypt($ARGV[0], $ARGV[1])", "--", password, hash)) === hash;
    }

    /** What a script in the machine prints, complaints included, however it ends. */
    sh(script: string): Promise<string> {
        return this.run("sh", "-c", `( ${script}\n) 2>&1 || true`);
    }

    /** The machine's root directory, as the host sees it while it runs. */
    private get root(): string {
        return `/proc/${this.machine.leader}/root`;
    }

    /** Waits until cloud-init has ended; answers what it says of itself. */
    async settled(): Promise<{ status: string; errors: string[]; recoverable_errors: Record<string, string[]> }> {
        await eventually(`cloud-init of ${this.instanceName} has ended`, () =>
            fs.existsSync(`${this.root}/run/cloud-init/result.json`),
        );
        const text = await this.sh("cloud-init status --wait --format=json");
        return JSON.parse(text.slice(text.indexOf("{")));
    }

    /** Waits for the boot after the one whose first process this was. */
    async anotherBoot(leader: number | undefined): Promise<void> {
        await eventually(`${this.instanceName} boots`, () => {
            const now = this.machine.leader;
            return now !== undefined && now !== leader;
        });
    }

    waitForState(state: string): Promise<void> {
        return eventually(`${this.instanceName} is ${state}`, async () => (await this.shown()).state === state);
    }
}
