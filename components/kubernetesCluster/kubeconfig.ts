import { toYamlDocuments } from "../yaml";

/** The contents of a kubeconfig. */
export interface KubeconfigSpec {
    /** Name of the cluster. */
    cluster: string;
    /** Such as `https://10.1.1.21:6443`; its host must be in the API server's certificate. */
    server: string;
    /** The cluster's CA certificate, PEM. */
    caCertificate: string;
    /** Client certificate with O=kubeadm:cluster-admins, PEM. */
    clientCertificate: string;
    clientKey: string;
}

/**
 * An administrator's kubeconfig. The permissions of the group `kubeadm:cluster-admins` come from a ClusterRoleBinding
 * and can be revoked. Those of `system:masters` are built into the API server:
 * https://github.com/kubernetes/kubeadm/issues/2414
 */
export function renderKubeconfig(spec: KubeconfigSpec): string {
    const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
    const user = `${spec.cluster}-admin`;
    return toYamlDocuments({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
            {
                name: spec.cluster,
                cluster: { server: spec.server, "certificate-authority-data": base64(spec.caCertificate) },
            },
        ],
        users: [
            {
                name: user,
                user: {
                    "client-certificate-data": base64(spec.clientCertificate),
                    "client-key-data": base64(spec.clientKey),
                },
            },
        ],
        contexts: [{ name: spec.cluster, context: { cluster: spec.cluster, user } }],
        "current-context": spec.cluster,
        preferences: {},
    });
}

/** A kubeconfig for each control plane, by its name. Any of them works while its control plane is available. */
export function renderKubeconfigs(
    spec: Omit<KubeconfigSpec, "server">,
    controlPlanes: Record<string, string>,
    port = 6443,
): Record<string, string> {
    return Object.fromEntries(
        Object.entries(controlPlanes).map(([name, address]) => [
            name,
            renderKubeconfig({ ...spec, server: `https://${address}:${port}` }),
        ]),
    );
}
