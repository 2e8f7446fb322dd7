/** A cluster's machines as an intruder in one of them uses them, and what the tests of security need of a cluster. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import * as https from "node:https";
import { promisify } from "node:util";
import type { RealKubernetes } from "./kubernetes";

const { image } = require("../../../scripts/webPage");

export const CONTROL_PLANE = "dev-k8s-a";
export const ETCD = "dev-etcd-etcd-a";
export const WORKERS = ["dev-k8s-worker-0", "dev-k8s-worker-1"] as const;
export const MACHINES = [ETCD, CONTROL_PLANE, ...WORKERS];

/** An answer of the API: its status and its body. */
export interface Answer {
    readonly status: number;
    readonly body: any;
}

/** What an API server answers to a worker's own credentials, from that worker. */
export async function asWorker(
    cluster: RealKubernetes,
    worker: string,
    method: string,
    path: string,
    body?: object,
): Promise<Answer> {
    const pki = "/etc/kubernetes/pki/kubelet-client";
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const text = await cluster.cloud.exec(
        worker,
        ...["curl", "-sS", "--cacert", "/etc/kubernetes/pki/ca.crt", "--cert", `${pki}.crt`, "--key", `${pki}.key`],
        ...["-X", method, "-H", `Content-Type: ${type}`, "-w", "\n%{http_code}"],
        ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
        `https://127.0.0.1:7443${path}`,
    );
    const [status] = text.trim().split("\n").slice(-1);
    return { status: Number(status), body: JSON.parse(text.slice(0, text.lastIndexOf(status))) };
}

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

/** The address that a node's Node object has. */
export async function addressOf(cluster: RealKubernetes, node: string): Promise<string> {
    const { addresses } = (await cluster.get("node", node)).status;
    return addresses.find(({ type }: any) => type === "InternalIP").address;
}

/** A pod that sleeps on a node, which the restricted Pod Security Standard admits; a Secret of its own is in it if named. */
export function pod(name: string, nodeName: string, secretName?: string): object {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: {
            nodeName,
            terminationGracePeriodSeconds: 0,
            containers: [
                {
                    name: "main",
                    image,
                    imagePullPolicy: "IfNotPresent",
                    command: ["sleep", "100000"],
                    securityContext: {
                        allowPrivilegeEscalation: false,
                        capabilities: { drop: ["ALL"] },
                        runAsNonRoot: true,
                        runAsUser: 1000,
                        seccompProfile: { type: "RuntimeDefault" },
                    },
                    ...(secretName && { volumeMounts: [{ name: "secret", mountPath: "/secret" }] }),
                },
            ],
            ...(secretName && { volumes: [{ name: "secret", secret: { secretName } }] }),
        },
    };
}

export function secret(name: string, value: string): object {
    return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "default" }, stringData: { value } };
}

/** What a shell in a pod prints, and whether it failed. */
export async function inPod(
    cluster: RealKubernetes,
    name: string,
    script: string,
): Promise<[code: string, text: string]> {
    const said = await cluster.kubectl("exec", name, "--", "sh", "-c", `{ ${script}; } 2>&1; echo "=$?"`);
    const at = said.lastIndexOf("=");
    return [said.slice(at + 1).trim(), said.slice(0, at)];
}

/** A public key in short. */
export function fingerprint(publicKey: string): string {
    return createHash("sha256").update(publicKey.replace(/\s/g, "")).digest("hex").slice(0, 16);
}

/** What a worker asks a signer for. */
export interface Wish {
    readonly name: string;
    readonly subject: string;
    /** Subject alternative names, as OpenSSL writes them: `DNS:a,IP:10.1.1.1`. */
    readonly names?: string;
    readonly signer: "kubelet-serving" | "kube-apiserver-client" | "kube-apiserver-client-kubelet";
    readonly usages: readonly string[];
}

/** Asks for a certificate with a worker's credentials; answers the status of the request's creation. */
export async function request(cluster: RealKubernetes, worker: string, wish: Wish): Promise<number> {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
    const names = wish.names === undefined ? [] : ["-addext", `subjectAltName=${wish.names}`];
    const { stdout } = await promisify(execFile)("openssl", ["req", ...key, "-subj", wish.subject, ...names]);
    const { status } = await asWorker(
        cluster,
        worker,
        "POST",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        {
            apiVersion: "certificates.k8s.io/v1",
            kind: "CertificateSigningRequest",
            metadata: { name: wish.name },
            spec: {
                request: Buffer.from(stdout).toString("base64"),
                signerName: `kubernetes.io/${wish.signer}`,
                usages: wish.usages,
            },
        },
    );
    return status;
}
