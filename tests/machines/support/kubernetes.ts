/** An embedded cloud that boots machines, and a Pulumi project with a Kubernetes cluster on them. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { artifactsFolder } from "../../../simulator/artifacts/mirror";
import { ARCHITECTURE } from "../../../simulator/artifacts/releases";
import { cacheFolder } from "../../../simulator/cache";
import { Project, type Result } from "../../e2e/support/project";
import { addressesIn, RealCloud } from "./cluster";
import { NEWEST } from "./template";

const run = promisify(execFile);

/** What the program is told: the arguments of both clusters. */
interface Program {
    /** Archives of images that all nodes import: `node` is what they need. */
    images: string[];
    etcd: Record<string, unknown>;
    kubernetes: Record<string, any>;
    /** Another one than the cloud's own. */
    mirror?: string;
    /** Of all machines of Kubernetes. @default "Debian 13" */
    template?: string;
}

const program = `
import * as fs from "node:fs";
import * as cloudstack from "pulumi-cloudstack";
const args = JSON.parse(fs.readFileSync("cluster.json", "utf8"));
const { CLOUDSTACK_LOCAL_MIRROR: mirror, CLOUDSTACK_LOCAL_MANIFEST: file, CLOUDSTACK_LOCAL_HOST: host } = process.env;
const manifest = JSON.parse(fs.readFileSync(file, "utf8"));
const version = args.kubernetes.kubernetesVersion;
const archives = (role) => Object.keys(manifest).filter((name) => name.startsWith("kubernetes-" + role + "-images-v" + version + "-"));
const artifacts = {
    mirror: args.mirror ?? mirror, manifest, packages: "template",
    imageArchives: args.images.flatMap(archives), controlPlaneImageArchives: archives("control-plane"),
};
const common = { operatorCidrs: [host], artifacts, convergeIntervalSeconds: 10 };
const etcd = new cloudstack.EtcdCluster("etcd", { ...common, template: "Debian 13", ...args.etcd });
const cluster = new cloudstack.KubernetesCluster("k8s", { ...common, template: args.template ?? "Debian 13", etcd, ...args.kubernetes });
export const { kubeconfig, kubeconfigs, endpoint, nodes, caCertificate } = cluster;
export const etcdAccess = { endpoints: etcd.endpoints, ca: etcd.caCertificate, certificate: etcd.clientCertificate, key: etcd.clientKey };
`;

export class RealKubernetes {
    readonly cloud: RealCloud;
    readonly project: Project;
    private args: Program;

    private constructor(cloud: RealCloud, environment: Record<string, string>, args: Program) {
        this.cloud = cloud;
        this.args = args;
        this.project = new Project({
            name: "kubernetes",
            program,
            environment,
            config: { "cloudstack:zone": "sandbox" },
            files: { "cluster.json": JSON.stringify(args) },
        });
    }

    /**
     * A cloud, and a program that has not run yet.
     *
     * @param size keys of etcd members and control planes, one letter each
     */
    static async create(
        cidr: string,
        size: { etcd: string; controlPlanes: string; pools: Record<string, Record<string, unknown>> },
        more: Partial<Program> = {},
        versions: readonly string[] = [NEWEST],
    ): Promise<RealKubernetes> {
        const cloud = new RealCloud(cidr);
        await cloud.command("artifacts", ...versions.flatMap((version) => ["--kubernetes", version]));
        await cloud.start();
        return new RealKubernetes(cloud, await cloud.environment(), {
            images: more.images ?? ["node"],
            etcd: {
                members: addressesIn(cidr, size.etcd),
                serviceOffering: "Small Instance",
                dataVolume: { diskOffering: "Custom", sizeGiB: 1 },
                allowDataLoss: true,
                ...more.etcd,
            },
            kubernetes: {
                kubernetesVersion: versions[0],
                controlPlane: { members: addressesIn(cidr, size.controlPlanes, 21), serviceOffering: "Large Instance" },
                pools: Object.fromEntries(
                    Object.entries(size.pools).map(([name, pool]) => [
                        name,
                        { serviceOffering: "Medium Instance", ...pool },
                    ]),
                ),
                ...more.kubernetes,
            },
        });
    }

    /** Changes the program. */
    change(change: (args: Program) => Program): void {
        this.args = change(this.args);
        this.project.write("cluster.json", JSON.stringify(this.args));
    }

    /** `pulumi up`; `kubectl` uses the kubeconfig that it ends with. */
    async up(options: Parameters<Project["up"]>[0] = {}): Promise<Result> {
        const result = await this.project.up(options);
        fs.writeFileSync(this.kubeconfig, (await this.project.outputs()).kubeconfig, { mode: 0o600 });
        return result;
    }

    /** `kubectl` on this computer, with the administrator's kubeconfig. */
    async kubectl(...args: string[]): Promise<string> {
        const { stdout } = await run(this.client(), args, {
            env: this.clientEnvironment,
            maxBuffer: 64 * 2 ** 20,
        });
        return stdout;
    }

    /** `kubectl`, while it runs. */
    startKubectl(...args: string[]): ChildProcess {
        return spawn(this.client(), args, { env: this.clientEnvironment, stdio: ["ignore", "pipe", "pipe"] });
    }

    async get(...args: string[]): Promise<any> {
        return JSON.parse(await this.kubectl("get", ...args, "-o", "json"));
    }

    async apply(...objects: object[]): Promise<void> {
        const file = path.join(this.cloud.state, "apply.json");
        fs.writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
        await this.kubectl("apply", "-f", file);
    }

    /** @throws Error with what an API server has against an object, which is not stored */
    async dryRun(object: object): Promise<void> {
        const file = path.join(this.cloud.state, "dry-run.json");
        fs.writeFileSync(file, JSON.stringify(object));
        await this.kubectl("create", "--dry-run=server", "-f", file);
    }

    /** What a pod's port answers to a GET request through `kubectl port-forward`. */
    async throughPortForward(pod: string, port: number): Promise<string> {
        const child = this.startKubectl("port-forward", pod, `:${port}`);
        try {
            const local = await new Promise<string>((resolve, reject) => {
                let text = "";
                child.stdout!.on("data", (chunk: Buffer) => {
                    text += chunk;
                    const found = /127\.0\.0\.1:(\d+)/.exec(text);
                    if (found) resolve(found[1]);
                });
                child.stderr!.on("data", (chunk: Buffer) => (text += chunk));
                child.once("exit", () => reject(new Error(`kubectl port-forward: ${text}`)));
            });
            return await (await fetch(`http://127.0.0.1:${local}/`)).text();
        } finally {
            child.kill();
        }
    }

    /** Names of nodes that are Ready. */
    async ready(): Promise<string[]> {
        const { items } = await this.get("nodes");
        const isReady = (node: any) =>
            node.status.conditions?.some((one: any) => one.type === "Ready" && one.status === "True");
        return items
            .filter(isReady)
            .map((node: any) => node.metadata.name)
            .sort();
    }

    /** The file with the administrator's kubeconfig, after `up`. */
    get kubeconfig(): string {
        return path.join(this.cloud.state, "kubeconfig");
    }

    private get clientEnvironment(): NodeJS.ProcessEnv {
        return { ...process.env, KUBECONFIG: this.kubeconfig };
    }

    /** The file of `kubectl`. */
    client(): string {
        return executable("kubectl", this.cloud.state);
    }

    async dispose(): Promise<void> {
        this.project.dispose();
        await this.cloud.dispose();
    }
}

/** Copies a program of the mirror, whose files are not executable, to a folder, unless it is there. @returns the file */
export function executable(program: string, folder: string): string {
    const file = path.join(folder, program);
    if (!fs.existsSync(file)) {
        fs.copyFileSync(path.join(artifactsFolder(cacheFolder()), `${program}-v${NEWEST}-linux-${ARCHITECTURE}`), file);
        fs.chmodSync(file, 0o755);
    }
    return file;
}
