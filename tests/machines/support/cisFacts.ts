/** What the items of the CIS Kubernetes Benchmark in `cis.ts` are about, read from the machines of a running cluster. */
import * as tls from "node:tls";
import type { RealKubernetes } from "./kubernetes";
import { anonymously, CONTROL_PLANE, ETCD, WORKERS } from "./nodes";

/** The nodes that are looked at. */
export const NODES = [CONTROL_PLANE, WORKERS[0]];

export interface Facts {
    /** Arguments of processes. */
    readonly apiServer: Record<string, string>;
    readonly controllerManager: Record<string, string>;
    readonly scheduler: Record<string, string>;
    readonly kubeletArguments: readonly Record<string, string>[];
    /** The environment of etcd's process. */
    readonly etcd: Record<string, string>;
    /** `600 root:root` of files and directories, by machine and path. */
    readonly modes: Record<string, Record<string, string>>;
    /** The configuration with which each kubelet runs. */
    readonly kubelets: readonly any[];
    /** Configuration files. */
    readonly proxy: string;
    readonly admission: string;
    readonly auditPolicy: string;
    readonly encryption: string;
    /** Statuses of anonymous requests, by path. */
    readonly anonymous: Record<string, number | undefined>;
    /** The lists of cipher suites of TLS 1.2, `STRONG` and a weak one, of which the API server accepts one. */
    readonly accepted: readonly string[];
    /** Fingerprints of the authorities that sign etcd's and Kubernetes' certificates. */
    readonly authorities: { readonly etcd: string; readonly kubernetes: string };
}

/** Whichever kind of key the certificate has. */
const either = (suite: string) => `ECDHE-ECDSA-${suite}:ECDHE-RSA-${suite}`;
export const STRONG = either("AES128-GCM-SHA256");
/** Go accepts it unless it is told which to accept. */
const WEAK = either("AES128-SHA");

export async function readFacts(cluster: RealKubernetes): Promise<Facts> {
    const { endpoint, caCertificate: ca } = await cluster.project.outputs();
    const inside = (machine: string, script: string) => cluster.cloud.exec(machine, "sh", "-ec", script);
    const read = (file: string) => inside(CONTROL_PLANE, `cat /etc/kubernetes/conf/${file}.yaml`);
    const ofProcess = async (machine: string, program: string, file: "cmdline" | "environ") =>
        (await inside(machine, `tr '\\0' '\\n' </proc/$(pgrep -xo ${program})/${file}`)).trim().split("\n");
    const argumentsOf = async (machine: string, program: string) =>
        pairs((await ofProcess(machine, program, "cmdline")).map((word) => word.replace(/^--/, "")));
    const modesOf = async (machine: string) => {
        const places =
            "/etc/cni/net.d /etc/kubernetes /etc/systemd/system/kubelet.service /var/lib/etcd /var/lib/kubelet";
        const find = `find ${places} -maxdepth 3 -printf '%p=%m %u:%g\\n' 2>/dev/null || true`;
        return [machine, pairs((await inside(machine, find)).trim().split("\n"))] as const;
    };
    const configurationOf = async (node: string) =>
        JSON.parse(await cluster.kubectl("get", "--raw", `/api/v1/nodes/${node}/proxy/configz`)).kubeletconfig;
    const fingerprint = (machine: string, file: string) =>
        inside(machine, `openssl x509 -noout -fingerprint -sha256 -in ${file}`);
    const accepted: string[] = [];
    for (const suites of [STRONG, WEAK]) if (await accepts(endpoint, ca, suites)) accepted.push(suites);
    return {
        apiServer: await argumentsOf(CONTROL_PLANE, "kube-apiserver"),
        // Linux keeps 15 characters of a process's name.
        controllerManager: await argumentsOf(CONTROL_PLANE, "kube-controller"),
        scheduler: await argumentsOf(CONTROL_PLANE, "kube-scheduler"),
        kubeletArguments: await Promise.all(NODES.map((node) => argumentsOf(node, "kubelet"))),
        etcd: pairs(await ofProcess(ETCD, "etcd", "environ")),
        modes: Object.fromEntries(await Promise.all([ETCD, ...NODES].map(modesOf))),
        kubelets: await Promise.all(NODES.map(configurationOf)),
        proxy: (await cluster.get("configmap", "kube-proxy", "-n", "kube-system")).data["config.conf"],
        admission: await read("admission"),
        auditPolicy: await read("audit-policy"),
        encryption: await read("encryption"),
        anonymous: {
            "/livez": await anonymously(endpoint, ca, "/livez"),
            "/api": await anonymously(endpoint, ca, "/api"),
        },
        accepted,
        authorities: {
            etcd: await fingerprint(ETCD, "/etc/etcd/pki/ca.crt"),
            kubernetes: await fingerprint(CONTROL_PLANE, "/etc/kubernetes/pki/ca.crt"),
        },
    };
}

/** `name=value` lines. */
function pairs(lines: readonly string[]): Record<string, string> {
    return Object.fromEntries(lines.map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]));
}

/** Whether a server accepts one of these cipher suites of TLS 1.2. */
function accepts(endpoint: string, ca: string, suites: string): Promise<boolean> {
    const { hostname, port } = new URL(endpoint);
    const options = { host: hostname, port: Number(port), ca, maxVersion: "TLSv1.2" as const, timeout: 10_000 };
    return new Promise((resolve) => {
        const socket = tls.connect({ ...options, ciphers: `${suites}:@SECLEVEL=0` }, () => {
            socket.destroy();
            resolve(true);
        });
        socket.on("timeout", () => socket.destroy(new Error("no answer")));
        socket.on("error", () => resolve(false));
    });
}
