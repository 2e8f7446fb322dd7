/** A control plane of Kubernetes on this machine, without nodes: etcd, an API server and the controllers of workloads. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { renderKubeconfig } from "../../components/kubernetesCluster/kubeconfig";
import { issueAuthority, issueLeaf, newPrivateKey, publicKeyOf } from "../../provider/certificates/x509";
import { type Access, KubernetesApi } from "../../provider/kubernetes/api";
import { artifactsFolder } from "../../simulator/artifacts/manifest";
import { cacheFolder } from "../../simulator/cache";
import { findTool } from "./tools";

const cache = artifactsFolder(cacheFolder());

/** Where programs are looked for before PATH: a folder of one's own, then the embedded cloud's artifacts. */
const folders = [process.env.KUBERNETES_BINARIES, path.join(cache, "bin"), cache].filter(
    (folder) => folder !== undefined,
);

const programs = ["etcd", "kube-apiserver", "kube-controller-manager"] as const;
type Program = (typeof programs)[number];

/** The path of a program, or of an archive that contains it. */
function findProgram(name: Program): string | undefined {
    const [found] = [...folders.map((folder) => path.join(folder, name)), name].flatMap((file) => findTool(file) ?? []);
    return (
        found ?? newestInCache(name === "etcd" ? /^etcd-v.*\.tar\.gz$/ : /^kubernetes-control-plane-images-v.*\.tar$/)
    );
}

/** The newest of the embedded cloud's artifacts with such a name. */
function newestInCache(pattern: RegExp): string | undefined {
    if (!fs.existsSync(cache)) return undefined;
    const [newest] = fs
        .readdirSync(cache)
        .filter((name) => pattern.test(name))
        .sort()
        .reverse();
    return newest === undefined ? undefined : path.join(cache, newest);
}

/** `describe` where the programs are there; elsewhere the tests are skipped, and their name says what is missing. */
export const withControlPlane: (name: string, body: () => void) => void = (() => {
    const missing = programs.filter((name) => findProgram(name) === undefined);
    if (missing.length === 0) return describe;
    return (name, body) => describe.skip(`${name} (skipped: no ${missing.join(", no ")})`, body);
})();

/** A control plane that runs. */
export interface ControlPlane {
    /** As an administrator. */
    readonly access: Access;
    readonly api: KubernetesApi;
    stop(): Promise<void>;
}

/** Starts a control plane on 127.0.0.1. Node objects are made by hand, and nothing marks them as lost. */
export async function startControlPlane(): Promise<ControlPlane> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-kubernetes-"));
    const [clientPort, peerPort, apiPort] = await freePorts(3);
    const running: ChildProcess[] = [];
    const start = (name: Program, args: string[]) => {
        const log = fs.openSync(path.join(folder, `${name}.log`), "w");
        running.push(spawn(unpacked(name, folder), args, { stdio: ["ignore", log, log], cwd: folder }));
    };
    const stop = async () => {
        for (const child of running.reverse()) {
            if (child.exitCode !== null) continue;
            const ended = new Promise((resolve) => child.once("exit", resolve));
            child.kill("SIGKILL");
            await ended;
        }
        fs.rmSync(folder, { recursive: true, force: true });
    };
    try {
        const access = await writeCertificates(folder, apiPort);
        const etcd = `http://127.0.0.1:${clientPort}`;
        const peer = `http://127.0.0.1:${peerPort}`;
        start("etcd", [
            ...[
                "--data-dir=data",
                "--unsafe-no-fsync",
                `--listen-client-urls=${etcd}`,
                `--advertise-client-urls=${etcd}`,
            ],
            ...[
                `--listen-peer-urls=${peer}`,
                `--initial-advertise-peer-urls=${peer}`,
                `--initial-cluster=default=${peer}`,
            ],
        ]);
        start("kube-apiserver", [
            ...[`--etcd-servers=${etcd}`, "--bind-address=127.0.0.1", `--secure-port=${apiPort}`],
            ...["--client-ca-file=ca.crt", "--tls-cert-file=server.crt", "--tls-private-key-file=server.key"],
            ...["--service-account-key-file=accounts.pub", "--service-account-signing-key-file=accounts.key"],
            ...["--service-account-issuer=https://kubernetes", "--service-cluster-ip-range=10.96.0.0/16"],
            // Pods without a service account's token: no controller makes accounts here.
            ...["--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount", "--profiling=false"],
        ]);
        const api = new KubernetesApi(access);
        await until("API server", async () => {
            if (running.some(({ exitCode }) => exitCode !== null)) throw new Error("a program has ended");
            return (await api.problemAt(access.endpoints[0])) === undefined;
        });
        start("kube-controller-manager", [
            ...["--kubeconfig=admin.conf", "--leader-elect=false", "--secure-port=0"],
            "--controllers=deployment-controller,replicaset-controller,disruption-controller",
        ]);
        return { access, api, stop };
    } catch (error) {
        const ends = fs
            .readdirSync(folder)
            .filter((name) => name.endsWith(".log"))
            .map((name) => `${name}: ...${fs.readFileSync(path.join(folder, name), "utf8").slice(-1500)}`);
        await stop();
        throw new Error([(error as Error).message, ...ends].join("\n"), { cause: error });
    }
}

function unpacked(name: Program, folder: string): string {
    const found = findProgram(name)!;
    if (!/\.tar(\.gz)?$/.test(found)) return found;
    const archive = found.endsWith(".gz") ? found : layerOf(name, found, folder);
    const program = execFileSync("tar", ["tf", archive], { encoding: "utf8" })
        .split("\n")
        .find((entry) => entry.endsWith(`/${name}`));
    const file = path.join(folder, name);
    const out = fs.openSync(file, "w", 0o755);
    execFileSync("tar", ["xOf", archive, program!], { stdio: ["ignore", out, "inherit"] });
    fs.closeSync(out);
    return file;
}

/** The only layer of an image among those of an OCI archive. */
function layerOf(name: Program, archive: string, folder: string): string {
    const read = (entry: string) => JSON.parse(execFileSync("tar", ["xOf", archive, entry], { encoding: "utf8" }));
    const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
    const manifest = read("index.json").manifests.find(({ annotations }: any) =>
        Object.values<string>(annotations).some((image) => image.includes(`/${name}:`)),
    );
    const layer = blob(read(blob(manifest.digest)).layers[0].digest);
    execFileSync("tar", ["xf", archive, "-C", folder, layer]);
    return path.join(folder, layer);
}

async function writeCertificates(folder: string, port: number): Promise<Access> {
    const authority = await issueAuthority({ commonName: "test", validityDays: 2 });
    const leaf = async (commonName: string, organizations: string[], usages: ("server" | "client")[]) => {
        const key = newPrivateKey();
        const subject = {
            commonName,
            organizations,
            dnsNames: [],
            ipAddresses: ["127.0.0.1"],
            usages,
            validityDays: 1,
        };
        return { key, certificate: await issueLeaf(subject, key, authority) };
    };
    const server = await leaf("server", [], ["server"]);
    const admin = await leaf("admin", ["system:masters"], ["client"]);
    const accounts = newPrivateKey();
    const url = `https://127.0.0.1:${port}`;
    const access = {
        caCertificate: authority.certificate,
        clientCertificate: admin.certificate,
        clientKey: admin.key,
    };
    const files = {
        "ca.crt": authority.certificate,
        "server.crt": server.certificate,
        "server.key": server.key,
        "accounts.key": accounts,
        "accounts.pub": publicKeyOf(accounts),
        "admin.conf": renderKubeconfig({ cluster: "test", server: url, ...access }),
    };
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
    return { endpoints: [url], ...access };
}

/** Ports that are free now. */
async function freePorts(count: number): Promise<number[]> {
    const servers = await Promise.all(
        Array.from({ length: count }, async () => {
            const server = net.createServer();
            await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
            return server;
        }),
    );
    const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    return ports;
}

/** Waits for something that happens soon. */
export async function until(what: string, happened: () => Promise<boolean>, seconds = 120): Promise<void> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(200)) {
        if (await happened()) return;
        if (Date.now() > end) throw new Error(`${what}: nothing after ${seconds} s`);
    }
}
