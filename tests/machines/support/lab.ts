/** An embedded cloud that boots machines, in the process of the test, and access to its machines. */
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

/** What `waitForCloudInit` returns if cloud-init has succeeded without a warning. */
export const CLOUD_INIT_SUCCEEDED = { status: "done", errors: [], recoverable_errors: {} };

/** Polls until `condition` holds. @throws Error that names `what` after `seconds` */
export async function waitUntil(
    what: string,
    condition: () => boolean | Promise<boolean>,
    seconds = 60,
): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await condition())) {
        if (Date.now() > end) throw new Error(`timed out after ${seconds} s waiting for: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

/** How a machine is deployed, with names in place of ids. */
export interface DeployOptions {
    readonly template?: string;
    readonly offering?: string;
    readonly zone?: string;
    /** User data for cloud-init, not encoded. */
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

    /** @param cidr that no other test uses: several clouds run on a host at a time */
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

    /** Lines that the hypervisor logged. */
    readonly hypervisorLog: string[] = [];

    async start(): Promise<void> {
        const { stateDir, cacheDir } = this;
        const log = (line: string) => void this.hypervisorLog.push(line);
        this.running = await startCloud({ ...this.options, stateDir, hypervisor: nspawn({ stateDir, cacheDir, log }) });
    }

    get cloud(): RunningCloud {
        if (this.running === undefined) throw new Error("the cloud is not running");
        return this.running;
    }

    /** A client of a user who may expunge machines. */
    get user(): Client {
        return new Client(this.cloud, this.cloud.accounts.expunger);
    }

    async close(): Promise<void> {
        await this.running?.close();
        this.running = undefined;
    }

    /** Stops the cloud and deletes its files; returns what it left on the host, which must be nothing. */
    async dispose(): Promise<string[]> {
        await this.close();
        const left = this.leftovers();
        fs.rmSync(this.stateDir, { recursive: true, force: true });
        return left;
    }

    /** Everything of this cloud on the host, except its files. */
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
            ...this.loopDevices().map((line) => `loop device ${line}`),
            ...fs
                .readFileSync("/proc/self/mounts", "utf8")
                .split("\n")
                .filter((line) => line.includes(this.stateDir)),
        ];
    }

    /** Loop devices of this cloud. */
    loopDevices(): string[] {
        const text = execFileSync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], {
            encoding: "utf8",
        });
        return text.split("\n").filter((line) => line.includes(this.stateDir));
    }

    /** The id of an item in a list of the API, by its name. */
    async idOf(command: string, name: string, more: Record<string, unknown> = {}): Promise<string> {
        const found = (await this.user.list(command, { name, ...more })).find((item) => item.name === name);
        if (found === undefined) throw new Error(`${command} does not list ${name}`);
        return found.id;
    }

    /** Allows ping in the account's default security group. */
    async allowPing(): Promise<void> {
        const [{ id: securitygroupid }] = await this.user.list("listSecurityGroups", { securitygroupname: "default" });
        const rule = { protocol: "icmp", icmptype: -1, icmpcode: -1, cidrlist: "0.0.0.0/0" };
        await this.user.done("authorizeSecurityGroupIngress", { securitygroupid, ...rule });
    }

    async deploy(name: string, options: DeployOptions = {}): Promise<Guest> {
        const { template = TEMPLATE, offering = "Small Instance", zone = "sandbox", userData, ...more } = options;
        const { virtualmachine } = await this.user.done("deployVirtualMachine", {
            name,
            zoneid: await this.idOf("listZones", zone),
            templateid: await this.idOf("listTemplates", template, { templatefilter: "executable" }),
            serviceofferingid: await this.idOf("listServiceOfferings", offering),
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
    /** The machine as deployVirtualMachine returned it. */
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

    /** The path of its control group in a hierarchy. */
    get controlGroup(): string {
        return `${this.lab.prefix}/${/^i-\d+-(\d+)-/.exec(this.instanceName)![1]}`;
    }

    /** The machine as the API returns it now. */
    async fromApi(): Promise<any> {
        return (await this.lab.user.list("listVirtualMachines", { id: this.id }))[0];
    }

    /** Calls a command of the API with this machine's id; returns the result of its job. */
    call(command: string, parameters: Record<string, unknown> = {}): Promise<any> {
        return this.lab.user.done(command, { id: this.id, ...parameters });
    }

    /** Runs a program in the machine; returns its standard output. @throws Error with its standard error if it fails */
    async run(...command: string[]): Promise<string> {
        const [program, ...args] = this.machine.commandLine(command);
        return (await exec(program, args, { timeout: 60_000, maxBuffer: 64 * 2 ** 20 })).stdout.trim();
    }

    /** Runs a shell script in the machine; returns its standard output. @throws Error if one of its commands fails */
    runScript(text: string): Promise<string> {
        return this.run("sh", "-ec", text);
    }

    /** Whether this is the password of a user of the machine. */
    async hasPassword(user: string, password: string): Promise<boolean> {
        const hash = (await this.run("getent", "shadow", user)).split(":")[1];
        return (await this.run("perl", "-e", "print crypt($ARGV[0], $ARGV[1])", "--", password, hash)) === hash;
    }

    /** What a shell script in the machine prints, with standard error, whatever its exit code. */
    outputOf(script: string): Promise<string> {
        return this.run("sh", "-c", `( ${script}\n) 2>&1 || true`);
    }

    /** The root directory of the running machine, as a path of the host. */
    private get root(): string {
        return `/proc/${this.machine.leader}/root`;
    }

    /** Waits until cloud-init has ended; returns the status that it reports. */
    async waitForCloudInit(): Promise<{
        status: string;
        errors: string[];
        recoverable_errors: Record<string, string[]>;
    }> {
        await waitUntil(`cloud-init of ${this.instanceName} has ended`, () =>
            fs.existsSync(`${this.root}/run/cloud-init/result.json`),
        );
        const text = await this.outputOf("cloud-init status --wait --format=json");
        return JSON.parse(text.slice(text.indexOf("{")));
    }

    /** Waits until the machine has booted again. @param leader the process id of its init before that */
    async waitForNextBoot(leader: number | undefined): Promise<void> {
        await waitUntil(`${this.instanceName} boots`, () => {
            const now = this.machine.leader;
            return now !== undefined && now !== leader;
        });
    }

    waitForState(state: string): Promise<void> {
        return waitUntil(`${this.instanceName} is ${state}`, async () => (await this.fromApi()).state === state);
    }
}
