import { type ChildProcess, execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { certificateAuthority, certificate } from "../../../../provider/certificates/handlers";
import { renderEtcdMember } from "../../../../components/etcdCluster/member";
import {
    certificateRequests,
    clientUrl,
    type ClusterBirth,
    type EtcdClusterSpec,
    memberName,
    type MemberCertificates,
} from "../../../../components/etcdCluster/spec";
import { runTool } from "../../../support/tools";
import { type EtcdPrograms, unpacked } from "./programs";

/** The version of these programs decides how settings are rendered. */
function versionOf(bin: string): string {
    const { stdout } = runTool(path.join(bin, "etcd"), ["--version"]);
    return /etcd Version: (\S+)/.exec(stdout)![1];
}

interface Pair {
    certificate: string;
    privateKey: string;
}

async function authority(commonName: string): Promise<Pair & { bundle: string }> {
    const { inputs } = await certificateAuthority.check({}, { commonName });
    return (await certificateAuthority.create(inputs!)).outs as Pair & { bundle: string };
}

async function leaf(ca: Pair, request: object): Promise<Pair> {
    const { inputs } = await certificate.check(
        {},
        { caCertificate: ca.certificate, caPrivateKey: ca.privateKey, ...request },
    );
    return (await certificate.create(inputs!)).outs as Pair;
}

/**
 * A cluster on loopback addresses, each member made of the files of its real user data, with a small stand-in for
 * systemd: it runs `etcd-prestart` before every start of etcd, `etcd-promote` beside it, and starts etcd again when it
 * ends.
 */
export class TestCluster {
    readonly folder: string;
    /** The folder with etcd's programs. */
    readonly bin: string;
    readonly network = `127.${10 + Math.floor(Math.random() * 200)}.${Math.floor(Math.random() * 250)}`;
    readonly members = new Map<string, TestMember>();
    spec: EtcdClusterSpec;
    birth: ClusterBirth;
    private readonly ca: Record<"client" | "peer", Pair & { bundle: string }>;
    private readonly certificates = new Map<string, MemberCertificates>();

    private constructor(folder: string, bin: string, ca: Record<"client" | "peer", Pair & { bundle: string }>) {
        this.folder = folder;
        this.bin = bin;
        this.ca = ca;
        const members = this.addresses(["a", "b", "c"]);
        this.spec = {
            name: "test",
            members,
            version: versionOf(bin),
            dataVolume: false,
            artifacts: { inTemplate: true },
        };
        this.birth = { token: "0123456789abcdef", opensAt: Math.floor(Date.now() / 1000), founders: ["a", "b", "c"] };
    }

    /** @param folder everything of the cluster is in it, and goes with it */
    static async create(folder: string, programs: EtcdPrograms): Promise<TestCluster> {
        const bin = await unpacked(programs, path.join(folder, "bin"));
        return new TestCluster(folder, bin, { client: await authority("clients"), peer: await authority("peers") });
    }

    addresses(keys: string[]): Record<string, string> {
        return Object.fromEntries(keys.map((key) => [key, `${this.network}.${key.charCodeAt(0) - 86}`]));
    }

    /** Writes the files of all members anew, as the converge timer would, and makes those that are new. */
    async deliver(change: Partial<EtcdClusterSpec> = {}): Promise<void> {
        this.spec = { ...this.spec, ...change };
        for (const key of Object.keys(this.spec.members)) {
            const known = this.members.get(key) ?? new TestMember(this, key);
            this.members.set(key, known);
            known.write(
                renderEtcdMember({
                    cluster: this.spec,
                    key,
                    birth: this.birth,
                    certificates: await this.certificatesOf(key),
                }),
            );
        }
    }

    member(key: string): TestMember {
        return this.members.get(key)!;
    }

    /** etcdctl as a client with a certificate of its own; `key` is asked. */
    async client(key: string, ...args: string[]) {
        return this.ctl(key, await this.clientFiles(), ...args);
    }

    /** Not the synchronous kind: the members' supervisors run in this process, too. */
    ctl(key: string, files: string[], ...args: string[]): Promise<{ status: number; stdout: string; output: string }> {
        const options = ["--endpoints", clientUrl(this.spec.members[key]), "--command-timeout=5s", "--dial-timeout=2s"];
        return new Promise((resolve) =>
            execFile(path.join(this.bin, "etcdctl"), [...options, ...files, ...args], (error, stdout, stderr) =>
                resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, output: stdout + stderr }),
            ),
        );
    }

    /** What the gates of the cluster are told, as if the program had these members. */
    async gate(keys: string): Promise<Record<string, any>> {
        const [, ca, , certificate, , key] = await this.clientFiles();
        const members = [...keys].map((one) => [memberName(this.spec.name, one), this.spec.members[one]]);
        return {
            ...{ cluster: this.spec.name, members: Object.fromEntries(members) },
            caCertificate: fs.readFileSync(ca, "utf8"),
            clientCertificate: fs.readFileSync(certificate, "utf8"),
            clientKey: fs.readFileSync(key, "utf8"),
            ...{ waitFor: "healthy", timeoutSeconds: 60, revision: "1", allowDataLoss: false },
        };
    }

    private async clientFiles(): Promise<string[]> {
        const file = (name: string) => path.join(this.folder, name);
        if (!fs.existsSync(file("client.crt"))) {
            const pair = await leaf(this.ca.client, { commonName: "a client", usages: ["client"] });
            fs.writeFileSync(file("client.crt"), pair.certificate);
            fs.writeFileSync(file("client.key"), pair.privateKey);
            fs.writeFileSync(file("ca.crt"), this.ca.client.bundle);
        }
        return ["--cacert", file("ca.crt"), "--cert", file("client.crt"), "--key", file("client.key")];
    }

    private async certificatesOf(key: string): Promise<MemberCertificates> {
        const known = this.certificates.get(key);
        if (known) return known;
        const requests = certificateRequests(this.spec.name, key, this.spec.members[key]);
        const made = {
            clientAuthorities: this.ca.client.bundle,
            peerAuthorities: this.ca.peer.bundle,
            server: await leaf(this.ca.client, requests.server),
            // On one machine every connection comes from 127.0.0.1, and etcd compares.
            peer: await leaf(this.ca.peer, {
                ...requests.peer,
                ipAddresses: [...requests.peer.ipAddresses, "127.0.0.1"],
            }),
            client: await leaf(this.ca.client, requests.client),
        };
        this.certificates.set(key, made);
        return made;
    }

    async stop(): Promise<void> {
        await Promise.all([...this.members.values()].map((each) => each.stop()));
    }

    /** Rows of `member list`: name and whether it is a voter. */
    async voters(asked = "a"): Promise<string[]> {
        const { stdout } = await this.client(asked, "member", "list");
        return stdout
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split(", "))
            .map(([, , name, , , learner]) => (learner === "false" ? name : `${name}?`))
            .sort();
    }
}

export class TestMember {
    readonly home: string;
    /** Everything that its scripts and its supervisor have said. */
    log = "";
    private readonly cluster: TestCluster;
    private readonly key: string;
    private etcd: ChildProcess | undefined;
    private promote: ChildProcess | undefined;
    private running: Promise<void> | undefined;

    constructor(cluster: TestCluster, key: string) {
        this.cluster = cluster;
        this.key = key;
        this.home = path.join(cluster.folder, key);
        for (const name of ["run", "state"]) fs.mkdirSync(path.join(this.home, name), { recursive: true });
    }

    get name(): string {
        return memberName(this.cluster.spec.name, this.key);
    }

    file(...names: string[]): string {
        return path.join(this.home, ...names);
    }

    /** The document's files, moved below the member's folder; what only a machine of its own has is left out. */
    write(doc: ReturnType<typeof renderEtcdMember>): void {
        const moved = (text: string) =>
            text
                .replaceAll("/etc/etcd", this.file("etc"))
                .replaceAll("/var/lib/etcd", this.file("state"))
                .replaceAll("/run/etcd", this.file("run"))
                .replaceAll("BIN=/usr/local/bin", `BIN=${this.cluster.bin}`);
        for (const { path: name, content, permissions } of doc.writeFiles ?? []) {
            if (!/^\/(etc\/etcd|usr\/local\/(sbin|lib)\/etcd)/.test(name)) continue;
            const target = moved(name).replace("/usr/local", this.home);
            fs.mkdirSync(path.dirname(target), { recursive: true });
            const isScript = permissions === "0755" || name.endsWith(".sh");
            fs.writeFileSync(target, isScript ? content : moved(content), { mode: isScript ? 0o755 : 0o600 });
        }
        const settings = this.file("etc", "etcd.env");
        // All members share one machine: nobody may have its loopback ports.
        fs.writeFileSync(
            settings,
            fs
                .readFileSync(settings, "utf8")
                .replace(/,https:\/\/127\.0\.0\.1:2379/, "")
                .replace(/^ETCD_LISTEN_METRICS.*\n/m, ""),
        );
        fs.mkdirSync(this.file("fake"), { recursive: true });
        fs.writeFileSync(this.file("fake", "systemctl"), systemctl(this.home), { mode: 0o755 });
    }

    /** Runs one of the member's scripts to its end. */
    run(script: string, ...args: string[]): Promise<{ status: number | null; output: string }> {
        return new Promise((resolve) => {
            const child = this.spawnScript(script, args);
            let output = "";
            for (const stream of [child.stdout, child.stderr]) stream!.on("data", (data) => (output += data));
            child.on("close", (status) => resolve({ status, output }));
        });
    }

    private spawnScript(script: string, args: string[]): ChildProcess {
        const child = spawn("bash", [this.file("sbin", script), ...args], {
            env: { ...process.env, PATH: `${this.file("fake")}:${process.env.PATH}` },
            detached: true,
        });
        child.stderr!.on("data", (data) => (this.log += data));
        return child;
    }

    start(): void {
        fs.rmSync(this.file("stopped"), { force: true });
        this.running ??= this.supervise();
    }

    private async supervise(): Promise<void> {
        while (!fs.existsSync(this.file("gone"))) {
            if (
                fs.existsSync(this.file("stopped")) ||
                (await this.run("etcd-prestart", this.file("etc", "node.env"))).status !== 0
            ) {
                await pause(200);
                continue;
            }
            const settings = ["etc/etcd.env", "run/initial.env"].flatMap((name) =>
                fs.readFileSync(this.file(name), "utf8").trim().split("\n"),
            );
            const env = Object.fromEntries(settings.map((line) => /^(\w+)="?(.*?)"?$/.exec(line)!.slice(1)));
            const out = fs.openSync(this.file("etcd.log"), "a");
            const etcd = (this.etcd = spawn(path.join(this.cluster.bin, "etcd"), [], {
                env,
                stdio: ["ignore", out, out],
            }));
            fs.closeSync(out);
            fs.writeFileSync(this.file("pid"), String(etcd.pid));
            this.promote ??= this.spawnScript("etcd-promote", [this.file("etc", "node.env")]).on(
                "close",
                () => (this.promote = undefined),
            );
            await new Promise((resolve) => etcd.on("close", resolve));
            fs.rmSync(this.file("pid"), { force: true });
            this.etcd = undefined;
        }
    }

    /** With everything that it has started. */
    private endPromote(): void {
        if (this.promote?.pid !== undefined) process.kill(-this.promote.pid, "SIGKILL");
    }

    /** kill -9 of etcd; the supervisor starts it again. */
    kill(): void {
        this.etcd?.kill("SIGKILL");
    }

    /** The machine goes down. */
    async powerOff(): Promise<void> {
        fs.writeFileSync(this.file("stopped"), "");
        this.kill();
        this.endPromote();
        await until(`${this.key} is off`, async () => this.etcd === undefined);
        fs.rmSync(this.file("run"), { recursive: true, force: true });
        fs.mkdirSync(this.file("run"));
    }

    loseDisk(): void {
        fs.rmSync(this.file("state"), { recursive: true, force: true });
        fs.mkdirSync(this.file("state"));
    }

    async stop(): Promise<void> {
        fs.writeFileSync(this.file("gone"), "");
        this.kill();
        this.endPromote();
        await this.running;
    }
}

export function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until something is true; says what it waited for when it is not within the time. */
export async function until(what: string, condition: () => Promise<boolean>, seconds = 40): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await condition())) {
        if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
        await pause(200);
    }
}

/** What the scripts ask of systemd: stop, start and restart of etcd, as the supervisor does them. */
function systemctl(home: string): string {
    return `#!/bin/bash
cd ${home} || exit 1
echo "systemctl $*" >>systemctl.log
case $1 in
  restart) old=$(cat pid); kill "$old"
    for _ in $(seq 300); do sleep 0.1; [ -s pid ] && [ "$(cat pid)" != "$old" ] && exit 0; done; exit 1 ;;
  stop) touch stopped; [ ! -e pid ] || kill "$(cat pid)"
    for _ in $(seq 100); do [ -e pid ] || exit 0; sleep 0.1; done; exit 1 ;;
  start) rm -f stopped ;;
esac
`;
}
