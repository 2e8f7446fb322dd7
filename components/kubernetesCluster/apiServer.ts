import { createHash } from "node:crypto";
import { paths } from "./paths";
import type { ControlPlaneSpec, NodeFile } from "./spec";
import { toYamlDocuments } from "../yaml";

const apiServerConfig = "apiserver.config.k8s.io/v1";

/**
 * What the API server reads beside its flags: who may ask anonymously, what pods may do, what is logged and encrypted.
 */
export function apiServerFiles(spec: ControlPlaneSpec): NodeFile[] {
    return [
        { path: `${paths.conf}/admission.yaml`, content: toYamlDocuments(admission()) },
        { path: `${paths.conf}/audit-policy.yaml`, content: toYamlDocuments(auditPolicy()) },
        { path: `${paths.conf}/authentication.yaml`, content: toYamlDocuments(authentication()) },
        { path: `${paths.conf}/encryption.yaml`, content: toYamlDocuments(encryption(spec)), permissions: "0600" },
    ];
}

/**
 * Pods are held to the baseline policy and warned about the restricted one; kube-system, which runs the
 * control plane, is exempt. A namespace may ask for more or less with its own labels, as that of Flannel does.
 *
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/
 */
function admission(): object {
    return {
        apiVersion: apiServerConfig,
        kind: "AdmissionConfiguration",
        plugins: [
            {
                name: "PodSecurity",
                configuration: {
                    apiVersion: "pod-security.admission.config.k8s.io/v1",
                    kind: "PodSecurityConfiguration",
                    defaults: {
                        enforce: "baseline",
                        "enforce-version": "latest",
                        audit: "restricted",
                        "audit-version": "latest",
                        warn: "restricted",
                        "warn-version": "latest",
                    },
                    exemptions: { usernames: [], runtimeClasses: [], namespaces: ["kube-system"] },
                },
            },
        ],
    };
}

/**
 * Whoever has no credentials may ask for health and nothing else: kubelet's probes and the balancer do. Turning
 * anonymous requests off altogether would break both.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-authenticator-configuration
 */
function authentication(): object {
    return {
        apiVersion: apiServerConfig,
        kind: "AuthenticationConfiguration",
        anonymous: { enabled: true, conditions: [{ path: "/livez" }, { path: "/readyz" }, { path: "/healthz" }] },
    };
}

/**
 * Secrets are encrypted before etcd gets them. The first key writes, all of them read; `identity` reads what was there
 * before. The API server reads the file again when it changes.
 */
function encryption({ encryptionKey, previousEncryptionKey }: ControlPlaneSpec): object {
    const keys = [encryptionKey, previousEncryptionKey].filter((key) => key !== undefined);
    return {
        apiVersion: apiServerConfig,
        kind: "EncryptionConfiguration",
        resources: [
            {
                resources: ["secrets"],
                providers: [
                    { secretbox: { keys: keys.map((secret) => ({ name: keyName(secret), secret })) } },
                    { identity: {} },
                ],
            },
        ],
    };
}

/**
 * A key's name is stored with everything that it encrypted, so it must stay with the key when that becomes the previous
 * one: it is made of the key itself.
 */
function keyName(secret: string): string {
    return `key-${createHash("sha256").update(secret).digest("hex").slice(0, 8)}`;
}

/**
 * Who did what, without the noise of controllers and without the contents of secrets. The first rule that fits counts.
 */
function auditPolicy(): object {
    const core = (...resources: string[]) => ({ group: "", resources });
    return {
        apiVersion: "audit.k8s.io/v1",
        kind: "Policy",
        omitStages: ["RequestReceived"],
        rules: [
            {
                level: "None",
                users: ["system:kube-proxy"],
                verbs: ["watch"],
                resources: [
                    core("endpoints", "services"),
                    { group: "discovery.k8s.io", resources: ["endpointslices"] },
                ],
            },
            { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version"] },
            {
                level: "None",
                resources: [
                    core("events"),
                    { group: "events.k8s.io", resources: ["events"] },
                    { group: "coordination.k8s.io", resources: ["leases"] },
                ],
            },
            {
                level: "Metadata",
                resources: [
                    core("secrets", "configmaps", "serviceaccounts/token"),
                    { group: "authentication.k8s.io", resources: ["tokenreviews"] },
                ],
            },
            {
                level: "RequestResponse",
                verbs: ["create", "update", "patch", "delete", "deletecollection"],
                resources: [{ group: "rbac.authorization.k8s.io" }],
            },
            {
                level: "Request",
                resources: [core("pods/exec", "pods/attach", "pods/portforward", "nodes/proxy")],
            },
            { level: "Metadata" },
        ],
    };
}
