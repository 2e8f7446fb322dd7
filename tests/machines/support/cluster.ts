/**
 * An embedded cloud that boots machines, and a Pulumi project with an etcd cluster on it. Tests change the program and
 * run `pulumi up`, and disturb the machines behind its back.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { Machine, prefixOf } from "../../../simulator/hypervisors/nspawn";
import { built } from "../../support/built";
import { Client } from "../../contract/simulator/client";
import { Project, type Result } from "../../e2e/support/project";
import { waitUntil } from "./lab";
import { TEMPLATE } from "./template";
import { type EtcdAccess, type Interval, type Verdict, Writer } from "./writer";

const run = promisify(execFile);
const main = path.resolve(__dirname, "../../../dist/simulator/main.js");

/** A cloud in a separate process, started by the command line. */
export class RealCloud {
    readonly state = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-machines-"));
    readonly cidr: string;

    /** @param cidr that no other test uses: several clouds run on a host at a time */
    constructor(cidr: string) {
        this.cidr = cidr;
    }

    private get file(): any {
        return JSON.parse(fs.readFileSync(path.join(this.state, "credentials.json"), "utf8"));
    }

    /** Runs `cloudstack-local COMMAND`; returns its standard output. */
    async command(...args: string[]): Promise<string> {
        const { stdout } = await run(process.execPath, [main, ...args], {
            env: { ...process.env, CLOUDSTACK_LOCAL_STATE: this.state },
            maxBuffer: 64 * 2 ** 20,
        });
        return stdout;
    }

    async start(): Promise<void> {
        await built();
        await this.command("artifacts", "--etcd", "3.6.14", "--etcd", "3.5.33", "--without-kubernetes");
        const first = fs.existsSync(path.join(this.state, "credentials.json")) ? [] : ["--cidr", this.cidr];
        await this.command("start", "--port", "0", "--hypervisor", "nspawn", "--expunge-seconds", "5", ...first);
    }

    /** The variables that `cloudstack-local env` prints. */
    async environment(): Promise<Record<string, string>> {
        const text = await this.command("env", "--account", "expunger");
        const lines = [...text.matchAll(/^export (\w+)='?(.*?)'?$/gm)];
        return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
    }

    /** A client of the API, with the account that the stack uses. */
    get client(): Client {
        const { endpoint, accounts } = this.file;
        return new Client({ endpoint } as never, accounts.expunger);
    }

    /** Kills the process that runs a machine, with SIGKILL. */
    async killMachine(machine: string): Promise<void> {
        const folder = path.join(this.state, "nspawn", "machines");
        for (const name of fs.readdirSync(folder)) {
            const one = new Machine(prefixOf(this.state), folder, name);
            if (one.runs && (await this.instance(machine)) === name) process.kill(one.process!.pid, "SIGKILL");
        }
    }

    /** The instance name of a machine, as in "i-2-7-VM". */
    private async instance(machine: string): Promise<string> {
        const { endpoint, accounts } = this.file;
        const admin = new Client({ endpoint } as never, accounts.admin);
        return (await admin.list("listVirtualMachines", { name: machine, listall: true }))[0].instancename;
    }

    /** How a command is started in a machine, to talk to it while it runs. */
    entering(machine: string): { enter: string[]; environment: NodeJS.ProcessEnv } {
        const environment = { ...process.env, CLOUDSTACK_LOCAL_STATE: this.state };
        return { enter: [process.execPath, main, "exec", machine, "--"], environment };
    }

    /** Runs a command in a machine; returns its standard output. */
    exec(machine: string, ...command: string[]): Promise<string> {
        return this.command("exec", machine, "--", ...command);
    }

    /** Creates a machine in the account's default group, and waits until it runs commands; returns its address. */
    async deploy(name: string, ipaddress?: string): Promise<string> {
        const idOf = async (command: string, wanted: string, more = {}) =>
            (await this.client.list(command, { name: wanted, ...more })).find((found: any) => found.name === wanted).id;
        const { virtualmachine } = await this.client.done("deployVirtualMachine", {
            name,
            ipaddress,
            zoneid: await idOf("listZones", "sandbox"),
            templateid: await idOf("listTemplates", TEMPLATE, { templatefilter: "executable" }),
            serviceofferingid: await idOf("listServiceOfferings", "Small Instance"),
        });
        await waitUntil(`${name} runs commands`, () =>
            this.exec(name, "systemctl", "is-active", "network-online.target").then(
                () => true,
                () => false,
            ),
        );
        return virtualmachine.nic[0].ipaddress;
    }

    async dispose(): Promise<void> {
        await this.command("destroy", "--yes").catch(async (error: Error) => {
            console.error(error.message);
            await this.command("doctor", "--state", this.state, "--clear");
        });
        fs.rmSync(this.state, { recursive: true, force: true });
    }
}

/** `etcdctl` in a member's machine, with the certificate of its scripts. */
export function inEtcd(cloud: RealCloud, machine: string, ...args: string[]): Promise<string> {
    const tls = ["--cacert=/etc/etcd/pki/ca.crt", "--cert=/etc/etcd/pki/client.crt", "--key=/etc/etcd/pki/client.key"];
    return cloud.exec(machine, "/usr/local/bin/etcdctl", ...tls, ...args);
}

/** An address for each key, in the order of the letters in `keys`. */
export function addressesIn(cidr: string, keys: string, first = 11): Record<string, string> {
    const net = cidr.replace(/\d+\/\d+$/, "");
    return Object.fromEntries([...keys].map((key, index) => [key, `${net}${first + index}`]));
}

/** The arguments that the program passes to `EtcdCluster`. */
export interface ClusterArgs {
    members: Record<string, string>;
    [argument: string]: unknown;
}

const program = `
import * as fs from "node:fs";
import * as cloudstack from "pulumi-cloudstack";
const { args } = JSON.parse(fs.readFileSync("cluster.json", "utf8"));
const { CLOUDSTACK_LOCAL_MIRROR: mirror, CLOUDSTACK_LOCAL_MANIFEST: file, CLOUDSTACK_LOCAL_HOST: host } = process.env;
const manifest = JSON.parse(fs.readFileSync(file, "utf8"));
const etcd = new cloudstack.EtcdCluster("db", { operatorCidrs: [host], artifacts: { mirror, manifest }, ...args });
export const { endpoints, caCertificate, clientCertificate, clientKey, members, health } = etcd;
`;

/** An event during which the writer ran: a row of the table at the end. */
interface Event extends Interval {
    readonly name: string;
    readonly isPlanned: boolean;
}

export class RealCluster {
    readonly cloud: RealCloud;
    readonly project: Project;
    args: ClusterArgs;
    writer: Writer | undefined;
    readonly events: Event[] = [];
    private readonly verdicts: Verdict[] = [];

    private constructor(cloud: RealCloud, environment: Record<string, string>, args: ClusterArgs) {
        this.cloud = cloud;
        this.args = args;
        this.project = new Project({
            name: "machines",
            program,
            environment,
            config: { "cloudstack:zone": "sandbox" },
            files: { "cluster.json": JSON.stringify({ args }) },
        });
    }

    /** A cloud, and a program that has not run yet. */
    static async create(cidr: string, args: Omit<ClusterArgs, "members">, keys = "abc"): Promise<RealCluster> {
        const cloud = new RealCloud(cidr);
        await cloud.start();
        return new RealCluster(cloud, await cloud.environment(), {
            serviceOffering: "Small Instance",
            template: "Debian 13",
            dataVolume: { diskOffering: "Custom", sizeGiB: 1 },
            waitFor: "healthy",
            allowDataLoss: true,
            convergeIntervalSeconds: 10,
            ...args,
            members: addressesIn(cidr, keys),
        });
    }

    /** Changes arguments in the program. */
    change(args: Partial<ClusterArgs>): void {
        this.args = { ...this.args, ...args } as ClusterArgs;
        this.project.write("cluster.json", JSON.stringify({ args: this.args }));
    }

    /** Runs `pulumi up`. */
    up(options: Parameters<Project["up"]>[0] = {}): Promise<Result> {
        return this.project.up(options);
    }

    async access(): Promise<EtcdAccess> {
        const { endpoints, caCertificate, clientCertificate, clientKey } = await this.project.outputs();
        return { endpoints, ca: caCertificate, certificate: clientCertificate, key: clientKey };
    }

    async startWriter(): Promise<void> {
        this.writer = await Writer.start(await this.access());
        await this.writer.mark();
    }

    /** Continues with the current client certificate, and keeps the verdict of the writer with the old one. */
    async replaceWriter(): Promise<void> {
        this.verdicts.push(await this.writer!.end());
        await this.startWriter();
    }

    /** Ends writing; returns the verdict over all writers. */
    async endWriting(): Promise<Verdict> {
        const all = [...this.verdicts, await this.writer!.end()];
        this.writer = undefined;
        return {
            acknowledged: all.reduce((sum, one) => sum + one.acknowledged, 0),
            unknown: all.reduce((sum, one) => sum + one.unknown, 0),
            lost: all.flatMap(({ lost }) => lost),
            wentBack: all.flatMap(({ wentBack }) => wentBack),
        };
    }

    /** Waits until every member's machine has applied its user data. */
    async waitForConvergence(): Promise<void> {
        for (const member of Object.keys(this.args.members)) {
            const machine = this.machine(member);
            await waitUntil(
                `${machine} has applied its user data`,
                async () => {
                    // Exit code 75: another member's turn.
                    const state =
                        "systemctl start cs-converge.service; systemctl show -P ExecMainStatus cs-converge.service";
                    return (await this.cloud.exec(machine, "sh", "-c", state)).trim().endsWith("0");
                },
                90,
            );
        }
    }

    /** Runs `action` on the cluster, then waits until all of its members are healthy. */
    async recordEvent<T>(name: string, isPlanned: boolean, action: () => Promise<T>): Promise<T> {
        await this.writer?.mark();
        const result = await action();
        await this.waitForHealth();
        if (this.writer !== undefined) this.events.push({ name, isPlanned, ...(await this.writer.mark()) });
        return result;
    }

    /** Runs `etcdctl` in a member's machine, with the client certificate that its scripts use. */
    async etcdctl(member: string, ...args: string[]): Promise<string> {
        return inEtcd(this.cloud, this.machine(member), ...args);
    }

    machine(member: string): string {
        return `dev-db-etcd-${member}`;
    }

    /** The machine of a member as the API returns it now. */
    async fromApi(member: string): Promise<any> {
        return (await this.cloud.client.list("listVirtualMachines", { name: this.machine(member) }))[0];
    }

    /** Waits until all members in the program are healthy voters. @throws Error that says what is wrong */
    async waitForHealth(seconds = 120): Promise<void> {
        const endpoints = Object.values(this.args.members).map((address) => `https://${address}:2379`);
        const deadline = Date.now() + seconds * 1000;
        for (;;) {
            const problem = await this.problem(endpoints);
            if (problem === undefined) return;
            if (Date.now() > deadline) throw new Error(`the cluster is not healthy after ${seconds} s: ${problem}`);
            await new Promise((resolve) => setTimeout(resolve, 500));
        }
    }

    private async problem(endpoints: readonly string[]): Promise<string | undefined> {
        const failures: string[] = [];
        for (const member of Object.keys(this.args.members)) {
            try {
                const list = JSON.parse(await this.etcdctl(member, "member", "list", "--write-out=json"));
                const voters = list.members.filter(
                    (one: any) => one.clientURLs !== undefined && one.isLearner !== true,
                );
                if (voters.length !== endpoints.length || list.members.length !== endpoints.length)
                    return `${voters.length} voters of ${list.members.length} members, ${endpoints.length} wanted`;
                await this.etcdctl(member, "endpoint", "health", `--endpoints=${endpoints.join(",")}`);
                return undefined;
            } catch (error) {
                failures.push(`${member}: ${(error as Error).message.slice(-300)}`);
            }
        }
        return failures.join("; ");
    }

    /** `etcdctl endpoint status` of each member, in the order of the members. */
    async endpointStatus(): Promise<any[]> {
        const endpoints = Object.values(this.args.members).map((address) => `https://${address}:2379`);
        const text = await this.etcdctl(
            "a",
            "endpoint",
            "status",
            "--write-out=json",
            `--endpoints=${endpoints.join(",")}`,
        );
        return JSON.parse(text);
    }

    /** Waits until the API shows the machines of these members as Stopped. */
    waitForStopped(...members: string[]): Promise<void> {
        return waitUntil(
            `${members.join(", ")} are stopped`,
            async () => {
                const states = await Promise.all(members.map(async (member) => (await this.fromApi(member)).state));
                return states.every((state) => state === "Stopped");
            },
            90,
        );
    }

    /** A member's peer certificate and its key. */
    async peerCertificate(member: string): Promise<{ certificate: string; key: string }> {
        const read = (name: string) => this.cloud.exec(this.machine(member), "cat", `/etc/etcd/pki/${name}`);
        return { certificate: await read("peer.crt"), key: await read("peer.key") };
    }

    /** Expects that no planned change made the writer wait for longer than an election takes. */
    expectShortGaps(): void {
        const long = this.events.filter(({ isPlanned, longestGapMilliseconds: gap }) => isPlanned && gap >= 5_000);
        expect(long.map(({ name, longestGapMilliseconds: gap }) => `${name}: ${gap} ms`)).toEqual([]);
    }

    /** The recorded events as a table, printed at the end of the test. */
    table(): string {
        const rows = this.events.map(({ name, seconds, acknowledged, failed, longestGapMilliseconds }) =>
            [
                name.padEnd(58),
                seconds.toFixed(0).padStart(7),
                String(acknowledged).padStart(12),
                String(failed).padStart(7),
                (longestGapMilliseconds / 1000).toFixed(1).padStart(15),
            ].join(""),
        );
        const head = `${"event".padEnd(58)}seconds acknowledged failed longest gap (s)`;
        return [head, ...rows].join("\n");
    }

    async dispose(): Promise<void> {
        this.writer?.dispose();
        this.project.dispose();
        await this.cloud.dispose();
    }
}
