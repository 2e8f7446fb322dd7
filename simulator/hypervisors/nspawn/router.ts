/**
 * The virtual router of a network: DHCP, DNS, user data, meta data and passwords. It consists of three processes in the
 * network's namespace that read their data from files, so that they need not be restarted when machines come and go,
 * and keep running while the management server is stopped. DNS and DHCP are separate processes, since one dnsmasq would
 * resolve the name of a machine for as long as its lease, which is infinite.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { MachinePlan } from "../hypervisor";
import { identify, inNamespace, isAlive, kill, type ProcessId, readJson, until, writeWhole } from "./host";
import { BRIDGE } from "./names";
import type { Network } from "./network";
import { environmentFor, ownedProcesses } from "./owner";

/** The processes in a network's namespace. */
const PROCESSES = ["dns", "dhcp", "http"] as const;

/** The domain of machines' names. */
const DOMAIN = "cs.local";

/** What the router serves about one machine. */
export interface MachineEntry {
    readonly name: string;
    /** Whether the machine's default route goes through this network. */
    readonly isDefault: boolean;
    readonly address: string;
    readonly mac: string;
    readonly metaData: Readonly<Record<string, string>>;
    /** Base64. */
    readonly userData: string;
}

export function entryOf(machine: MachinePlan, nic: MachinePlan["nics"][number]): MachineEntry {
    return {
        name: machine.name,
        isDefault: nic.isDefault,
        address: nic.address,
        mac: nic.mac,
        metaData: {
            "instance-id": machine.id,
            "local-hostname": machine.name,
            "local-ipv4": nic.address,
            "public-ipv4": nic.address,
            "public-hostname": nic.address,
            "service-offering": machine.serviceOfferingName,
            "availability-zone": machine.zoneName,
            "vm-id": machine.id,
            "cloud-identifier": "CloudStack-{cloudstack-local}",
            "hypervisor-host-name": "cloudstack-local",
            "public-keys": machine.publicKeys.join("\n"),
        },
        userData: (machine.userData ?? Buffer.alloc(0)).toString("base64"),
    };
}

export function hostsFile(gateway: string, entries: readonly MachineEntry[]): string {
    const lines = entries.map(({ address, name }) => `${address} ${name}`);
    return [`${gateway} data-server`, ...lines, ""].join("\n");
}

/** The dnsmasq tag of NICs that get no default route. */
const NO_ROUTER_TAG = "side";

/** The `--dhcp-hostsfile`: the address of each NIC. */
export function leasesFile(entries: readonly MachineEntry[]): string {
    return entries
        .map(({ mac, isDefault, address, name }) =>
            [mac, ...(isDefault ? [] : [`set:${NO_ROUTER_TAG}`]), address, name, "infinite\n"].join(","),
        )
        .join("");
}

/** Drops leases on these machines' addresses that earlier machines have not released. */
export function withoutStaleLeases(leases: string, entries: readonly MachineEntry[]): string {
    const lines = leases.split("\n").filter((line) => {
        const [, mac, address] = line.split(" ");
        return entries.every((entry) => entry.address !== address || entry.mac === mac);
    });
    return lines.join("\n");
}

/** Without a pid file, since the default one may be used by the host's own dnsmasq. */
const COMMON_OPTIONS = [
    ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file="],
    ...["--user=root", "--log-facility=-"],
];

function dnsCommand(folder: string, { gateway }: Network): string[] {
    return [
        ...COMMON_OPTIONS,
        ...["--bind-interfaces", "--except-interface=lo", `--listen-address=${gateway}`, "--no-hosts", "--no-resolv"],
        ...[`--domain=${DOMAIN}`, `--local=/${DOMAIN}/`, "--expand-hosts", `--addn-hosts=${folder}/hosts`],
    ];
}

function dhcpCommand(folder: string, { gateway, cidr }: Network): string[] {
    const [base] = cidr.split("/");
    return [
        ...COMMON_OPTIONS,
        ...["--port=0", `--interface=${BRIDGE}`, "--bind-interfaces", `--domain=${DOMAIN}`, "--dhcp-authoritative"],
        ...[`--dhcp-range=${base},static,${netmaskOf(cidr)},12h`, `--dhcp-hostsfile=${folder}/leases`],
        ...[`--dhcp-option=option:router,${gateway}`, `--dhcp-option=tag:${NO_ROUTER_TAG},option:router`],
        ...[`--dhcp-option=option:dns-server,${gateway}`, `--dhcp-option=option:domain-search,${DOMAIN}`],
        `--dhcp-leasefile=${folder}/dhcp.leases`,
    ];
}

function netmaskOf(cidr: string): string {
    const bits = Number(cidr.split("/")[1]);
    return [0, 8, 16, 24].map((shift) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - shift)))).join(".");
}

/** The router of one network. `folder` holds its files. */
export class Router {
    private readonly namespace: string;
    private readonly network: Network;
    private readonly folder: string;
    private readonly mirror: string;
    private starting: Promise<void> | undefined;
    private lastRestart: Promise<void> = Promise.resolve();

    constructor(namespace: string, network: Network, folder: string, mirror: string) {
        this.namespace = namespace;
        this.network = network;
        this.folder = folder;
        this.mirror = mirror;
    }

    /** Starts the processes that are not running. */
    ensure(): Promise<void> {
        this.starting ??= this.startMissing().finally(() => (this.starting = undefined));
        return this.starting;
    }

    private async startMissing(): Promise<void> {
        const { folder, network, mirror } = this;
        for (const name of ["machines", "passwords"])
            fs.mkdirSync(path.join(folder, name), { recursive: true, mode: 0o700 });
        await this.killUnknownProcesses();
        this.writeNames();
        if (!this.isRunning("dhcp")) writeWhole(this.leases.file, this.leases.expected);
        const http = [process.execPath, "--disable-warning=ExperimentalWarning", require.resolve("./routerMain")];
        await Promise.all([
            this.ensureProcess("dns", /started, version/, dnsCommand(folder, network)),
            this.ensureProcess("dhcp", /started, version/, dhcpCommand(folder, network)),
            this.ensureProcess("http", /ready/, [...http, network.gateway, folder, mirror]),
        ]);
    }

    /** Kills processes without a pid file: the cloud was killed while it started them. */
    private async killUnknownProcesses(): Promise<void> {
        if (PROCESSES.every((name) => this.isRunning(name))) return;
        const strays = () => {
            const known = PROCESSES.map((name) => readJson<ProcessId>(this.pidFile(name))?.pid);
            return ownedProcesses().filter(({ pid, owner }) => owner === this.folder && !known.includes(pid));
        };
        for (const { pid } of strays()) kill(pid, "SIGKILL");
        await until(() => strays().length === 0, 3_000, 5);
    }

    private pidFile(name: string): string {
        return path.join(this.folder, `${name}.pid`);
    }

    /** @param ready what it logs once it is ready: a SIGHUP before that would end it */
    private async ensureProcess(name: string, ready: RegExp, command: string[]): Promise<void> {
        if (this.isRunning(name)) return;
        const logFile = path.join(this.folder, `${name}.log`);
        const log = fs.openSync(logFile, "w", 0o600);
        const [program, args] = inNamespace(this.namespace, ...command);
        const child = spawn(program, args, {
            detached: true,
            stdio: ["ignore", log, log],
            env: environmentFor(this.folder),
        });
        fs.closeSync(log);
        child.unref();
        // The pid stays the same, since "ip netns exec" executes the program in its own process.
        const process = child.pid === undefined ? undefined : identify(child.pid);
        const isReady = () => ready.test(fs.readFileSync(logFile, "utf8"));
        await until(() => isReady() || !isAlive(process), 10_000, 10);
        if (!isReady())
            throw new Error(
                `The router process ${name} did not start: ${fs.readFileSync(logFile, "utf8").trim().slice(-500)}`,
            );
        writeWhole(this.pidFile(name), JSON.stringify(process));
    }

    private entries(): MachineEntry[] {
        const folder = path.join(this.folder, "machines");
        const files = fs.readdirSync(folder).filter((file) => file.endsWith(".json"));
        return files.flatMap((file) => readJson<MachineEntry>(path.join(folder, file)) ?? []);
    }

    private writeNames(): void {
        const entries = this.entries();
        writeWhole(path.join(this.folder, "hosts"), hostsFile(this.network.gateway, entries));
        writeWhole(path.join(this.folder, "leases"), leasesFile(entries));
    }

    private isRunning(name: string): boolean {
        return isAlive(readJson<ProcessId>(this.pidFile(name)));
    }

    private reload(): void {
        this.writeNames();
        for (const name of this.mustRestartDhcp() ? ["dns"] : ["dns", "dhcp"]) {
            const process = readJson<ProcessId>(this.pidFile(name));
            if (isAlive(process)) kill(process.pid, "SIGHUP");
        }
    }

    /** The current leases, and the expected ones. */
    private get leases(): { file: string; text: string; expected: string } {
        const file = path.join(this.folder, "dhcp.leases");
        const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
        return { file, text, expected: withoutStaleLeases(text, this.entries()) };
    }

    /**
     * Leases of earlier machines can be removed only while dnsmasq is stopped; and dnsmasq 2.90 crashes when it rereads
     * a hosts file with tags.
     */
    private mustRestartDhcp(): boolean {
        return this.leases.text !== this.leases.expected || this.entries().some(({ isDefault }) => !isDefault);
    }

    private async restartDhcp(): Promise<void> {
        if (!this.mustRestartDhcp()) return;
        await this.starting;
        await this.stopProcess("dhcp");
        await this.ensure();
    }

    private entryFile(instanceName: string): string {
        return path.join(this.folder, "machines", `${instanceName}.json`);
    }

    /** Adds or updates a machine. */
    async putMachine(machine: MachinePlan, nic: MachinePlan["nics"][number]): Promise<void> {
        writeWhole(this.entryFile(machine.instanceName), JSON.stringify(entryOf(machine, nic)));
        if (machine.password === undefined) this.dropPassword(machine.id);
        else this.offerPassword(machine.id, machine.password);
        this.reload();
        this.lastRestart = this.lastRestart.catch(() => undefined).then(() => this.restartDhcp());
        await this.lastRestart;
    }

    /** Offers a password only once, since the machine would undo a change by its user if it fetched it again. */
    private offerPassword(id: string, password: string): void {
        const file = path.join(this.folder, "passwords", id);
        const offered = `${file}.told`;
        const digest = createHash("sha256").update(password).digest("hex");
        if (fs.existsSync(offered) && fs.readFileSync(offered, "utf8") === digest) return;
        writeWhole(file, password);
        writeWhole(offered, digest);
    }

    hasMachine(instanceName: string): boolean {
        return fs.existsSync(this.entryFile(instanceName));
    }

    removeEntry(instanceName: string): void {
        fs.rmSync(this.entryFile(instanceName), { force: true });
        if (fs.existsSync(path.join(this.folder, "hosts"))) this.reload();
    }

    /** Removes an expunged machine, including its password. */
    removeMachine({ id, instanceName }: { id: string; instanceName: string }): void {
        this.removeEntry(instanceName);
        this.dropPassword(id);
    }

    private dropPassword(id: string): void {
        for (const name of [id, `${id}.told`]) fs.rmSync(path.join(this.folder, "passwords", name), { force: true });
    }

    private async stopProcess(name: string): Promise<void> {
        const found = readJson<ProcessId>(this.pidFile(name));
        if (isAlive(found)) {
            kill(found.pid, "SIGTERM");
            if (!(await until(() => !isAlive(found), 3_000, 5))) kill(found.pid, "SIGKILL");
        }
        fs.rmSync(this.pidFile(name), { force: true });
    }
}
