/** What the tests of a Kubernetes cluster's security ask of its machines. */
import * as https from "node:https";

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

export function secret(name: string, value: string): object {
    return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "default" }, stringData: { value } };
}
