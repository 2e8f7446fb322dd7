import { createHash } from "node:crypto";
import { paths } from "./paths";
import type { ControlPlaneSpec, NodeFile } from "./spec";
import { toYamlDocuments } from "../yaml";

const apiServerConfig = "apiserver.config.k8s.io/v1";

/** The API server's configuration files: admission, audit, authentication and encryption at rest. */
export function apiServerFiles(spec: ControlPlaneSpec): NodeFile[] {
    return [
        { path: `${paths.conf}/admission.yaml`, content: toYamlDocuments(admission()) },
        { path: `${paths.conf}/audit-policy.yaml`, content: toYamlDocuments(auditPolicy()) },
        { path: `${paths.conf}/authentication.yaml`, content: toYamlDocuments(authentication()) },
        { path: `${paths.conf}/encryption.yaml`, content: toYamlDocuments(encryption(spec)), permissions: "0600" },
    ];
}

/**
 * Pod Security: the baseline standard is enforced, violations of the restricted one are warned about and audited.
 * kube-system is exempt, since the control plane's pods are privileged. Labels of a namespace override these defaults,
 * as those of Flannel's namespace do.
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
 * Anonymous requests are allowed for the health endpoints only. kubelet's probes and HAProxy's health checks depend on
 * them, so anonymous authentication cannot be disabled altogether.
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
 * Secrets are encrypted at rest in etcd. The first key encrypts, and all keys are tried for decryption; `identity`
 * reads data that was stored unencrypted. The API server reloads the file when it changes.
 *
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
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
 * The name of a key is stored with all data that the key encrypted, so it must not change when the key becomes the
 * previous one. Therefore it is a hash of the key.
 */
function keyName(secret: string): string {
    return `key-${createHash("sha256").update(secret).digest("hex").slice(0, 8)}`;
}

/**
 * The audit policy. Frequent requests of controllers are left out, and secrets are logged without their contents. The
 * first rule that matches applies.
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
