/** What the tests of a Kubernetes cluster's security ask of its machines. */
import { execFile } from "node:child_process";
import * as https from "node:https";
import { promisify } from "node:util";
import type { RealKubernetes } from "./kubernetes";

const { image, restricted } = require("../../../scripts/webPage");

export const CONTROL_PLANE = "dev-k8s-a";
export const ETCD = "dev-etcd-etcd-a";
export const WORKERS = ["dev-k8s-worker-0", "dev-k8s-worker-1"] as const;

/** The status that a client without credentials gets from an API server. */
export function anonymously(endpoint: string, ca: string, path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
        const request = https.get(new URL(path, endpoint), { ca, agent: false, timeout: 10_000 }, (response) => {
            response.resume();
            resolve(response.statusCode);
        });
        request.on("error", reject);
    });
}

/** The status that a worker's own credentials get from an API server, on that worker. */
export async function asWorker(
    cluster: RealKubernetes,
    worker: string,
    method: string,
    path: string,
    body?: object,
): Promise<number> {
    const pki = "/etc/kubernetes/pki";
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const status = await cluster.cloud.exec(
        worker,
        ...["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-H", `Content-Type: ${type}`],
        ...["--cacert", `${pki}/ca.crt`, "--cert", `${pki}/kubelet-client.crt`, "--key", `${pki}/kubelet-client.key`],
        ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
        `https://127.0.0.1:7443${path}`,
    );
    return Number(status);
}

/** The address on a node's Node object. */
export async function addressOf(cluster: RealKubernetes, node: string): Promise<string> {
    const { addresses } = (await cluster.get("node", node)).status;
    return addresses.find(({ type }: any) => type === "InternalIP").address;
}

/** A pod that sleeps on a node, and that the restricted Pod Security Standard admits, with a Secret if it is named. */
export function pod(name: string, nodeName: string, secretName?: string): object {
    const secretVolume = { name: "secret", secret: { secretName } };
    const container = {
        name: "main",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["sleep", "100000"],
        securityContext: restricted,
        ...(secretName && { volumeMounts: [{ name: "secret", mountPath: "/secret" }] }),
    };
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: {
            nodeName,
            terminationGracePeriodSeconds: 0,
            containers: [container],
            ...(secretName && { volumes: [secretVolume] }),
        },
    };
}

export function secret(name: string, value: string): object {
    return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "default" }, stringData: { value } };
}

/** The exit code of a shell script in a pod. */
export async function inPod(cluster: RealKubernetes, name: string, script: string): Promise<number> {
    const said = await cluster.kubectl("exec", name, "--", "sh", "-c", `{ ${script}; } >/dev/null 2>&1; echo $?`);
    return Number(said);
}

/** What a worker asks a signer for. */
export interface CertificateRequest {
    readonly subject: string;
    /** Subject alternative names, as OpenSSL writes them: `DNS:a,IP:10.1.1.1`. */
    readonly names?: string;
    readonly signer: "kubelet-serving" | "kube-apiserver-client" | "kube-apiserver-client-kubelet";
    readonly usages: readonly string[];
}

/** Creates a CertificateSigningRequest with a worker's credentials; returns the API's status. */
export async function requestCertificate(
    cluster: RealKubernetes,
    worker: string,
    name: string,
    { subject, names, signer, usages }: CertificateRequest,
): Promise<number> {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
    const extension = names === undefined ? [] : ["-addext", `subjectAltName=${names}`];
    const { stdout } = await promisify(execFile)("openssl", ["req", ...key, "-subj", subject, ...extension]);
    return asWorker(cluster, worker, "POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", {
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: { request: Buffer.from(stdout).toString("base64"), signerName: `kubernetes.io/${signer}`, usages },
    });
}
