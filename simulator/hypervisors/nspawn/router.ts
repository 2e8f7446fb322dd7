/**
 * What a virtual router gives to the machines of a network: addresses by DHCP, names, user data, meta data and
 * passwords. Two processes in the network's namespace, which read what they tell from files, so they need not be
 * started anew when machines come and go, and go on when the management server is away.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { MachinePlan } from "../hypervisor";
import { HOST_ENV, identify, inNamespace, isAlive, kill, type ProcessId, readJson, until, writeWhole } from "./host";
import { BRIDGE } from "./names";
import type { Network } from "./network";

/** The domain of machines' names. */
const DOMAIN = "cs.local";

/** What the router tells of, and to, one machine. */
export interface MachineEntry {
    readonly name: string;
    readonly address: string;
    readonly mac: string;
    readonly metaData: Readonly<Record<string, string>>;
    /** Base64. */
    readonly userData: string;
}

export function entryOf(machine: MachinePlan, nic: MachinePlan["nics"][number]): MachineEntry {
    return {
        name: machine.name,
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

export function leasesFile(entries: readonly MachineEntry[]): string {
    return entries.map(({ mac, address, name }) => `${mac},${address},${name},infinite\n`).join("");
}

function dnsmasqArguments(folder: string, { gateway, cidr }: Network): string[] {
    const [base] = cidr.split("/");
    return [
        ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root"],
        ...[`--interface=${BRIDGE}`, "--bind-interfaces", "--except-interface=lo", `--listen-address=${gateway}`],
        ...[`--domain=${DOMAIN}`, `--local=/${DOMAIN}/`, "--expand-hosts", `--addn-hosts=${folder}/hosts`],
        ...[`--dhcp-range=${base},static,${netmaskOf(cidr)},12h`, `--dhcp-hostsfile=${folder}/leases`],
        ...[`--dhcp-option=option:router,${gateway}`, `--dhcp-option=option:dns-server,${gateway}`],
        ...[`--dhcp-option=option:domain-search,${DOMAIN}`, "--dhcp-authoritative"],
        ...[`--dhcp-leasefile=${folder}/dnsmasq.leases`, "--log-facility=-"],
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
    private ensuring: Promise<void> | undefined;

    constructor(namespace: string, network: Network, folder: string, mirror: string) {
        this.namespace = namespace;
        this.network = network;
        this.folder = folder;
        this.mirror = mirror;
    }

    /** Starts what does not run. */
    ensure(): Promise<void> {
        this.ensuring ??= this.startMissing().finally(() => (this.ensuring = undefined));
        return this.ensuring;
    }

    private async startMissing(): Promise<void> {
        for (const name of ["machines", "passwords"])
            fs.mkdirSync(path.join(this.folder, name), { recursive: true, mode: 0o700 });
        this.writeNames();
        const { gateway } = this.network;
        await Promise.all([
            this.ensureProcess("dnsmasq", /started, version/, [
                "dnsmasq",
                ...dnsmasqArguments(this.folder, this.network),
            ]),
            this.ensureProcess("http", /ready/, [
                process.execPath,
                "--disable-warning=ExperimentalWarning",
                require.resolve("./routerMain"),
                ...[gateway, this.folder, this.mirror],
            ]),
        ]);
    }

    private pidFile(name: string): string {
        return path.join(this.folder, `${name}.pid`);
    }

    /** @param ready what it says once it can be used: a signal before that would end it */
    private async ensureProcess(name: string, ready: RegExp, command: string[]): Promise<void> {
        if (isAlive(readJson<ProcessId>(this.pidFile(name)))) return;
        const logFile = path.join(this.folder, `${name}.log`);
        const log = fs.openSync(logFile, "w", 0o600);
        const [program, args] = inNamespace(this.namespace, ...command);
        const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], env: HOST_ENV });
        fs.closeSync(log);
        child.unref();
        // The number stays: "ip netns exec" becomes the program.
        const process = child.pid === undefined ? undefined : identify(child.pid);
        const isReady = () => ready.test(fs.readFileSync(logFile, "utf8"));
        await until(() => isReady() || !isAlive(process), 10_000, 10);
        if (!isReady()) throw new Error(`${name} does not start: ${fs.readFileSync(logFile, "utf8").trim().slice(-500)}`);
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

    private changed(): void {
        this.writeNames();
        const dnsmasq = readJson<ProcessId>(this.pidFile("dnsmasq"));
        if (isAlive(dnsmasq)) kill(dnsmasq.pid, "SIGHUP");
    }

    private entryFile(instanceName: string): string {
        return path.join(this.folder, "machines", `${instanceName}.json`);
    }

    /** Tells a machine, and others of it, from now on. */
    describe(machine: MachinePlan, nic: MachinePlan["nics"][number]): void {
        writeWhole(this.entryFile(machine.instanceName), JSON.stringify(entryOf(machine, nic)));
        if (machine.password !== undefined) this.offerPassword(nic.address, machine.password);
        this.changed();
    }

    /** Only a new password: one that the machine has fetched would undo what its user has changed since. */
    private offerPassword(address: string, password: string): void {
        const file = path.join(this.folder, "passwords", address);
        const told = path.join(this.folder, "passwords", `${address}.told`);
        const mark = createHash("sha256").update(password).digest("hex");
        if (fs.existsSync(told) && fs.readFileSync(told, "utf8") === mark) return;
        writeWhole(file, password);
        writeWhole(told, mark);
    }

    isDescribed(instanceName: string): boolean {
        return fs.existsSync(this.entryFile(instanceName));
    }

    forget(instanceName: string): void {
        fs.rmSync(this.entryFile(instanceName), { force: true });
        if (fs.existsSync(path.join(this.folder, "hosts"))) this.changed();
    }

    /** Ends both processes. */
    async stop(): Promise<void> {
        for (const name of ["dnsmasq", "http"]) {
            const found = readJson<ProcessId>(this.pidFile(name));
            if (isAlive(found)) {
                kill(found.pid, "SIGTERM");
                if (!(await until(() => !isAlive(found), 3_000))) kill(found.pid, "SIGKILL");
            }
            fs.rmSync(this.pidFile(name), { force: true });
        }
    }
}
