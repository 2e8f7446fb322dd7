/** Objects that tests deploy: pods that serve a page, on every node that takes pods. */

/** Every node has it, in the archive of images for nodes. */
export const IMAGE = "docker.io/library/busybox:1.37.0";

/** What the restricted Pod Security Standard asks of a container. */
const restricted = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: "RuntimeDefault" },
};

/** A container that answers with its pod's name at port 8080. */
export function webContainer(): object {
    return {
        name: "web",
        image: IMAGE,
        imagePullPolicy: "IfNotPresent",
        command: [
            "sh",
            "-c",
            "hostname >/pages/index.html && trap 'exit 0' TERM && { httpd -f -p 8080 -h /pages & wait; }",
        ],
        volumeMounts: [{ name: "pages", mountPath: "/pages" }],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
        securityContext: restricted,
    };
}

/** A Deployment with at most one pod per node, and a Service of the same name. */
export function web(name: string, replicas: number, service: object = {}): object[] {
    const labels = { app: name };
    return [
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name },
            spec: {
                replicas,
                selector: { matchLabels: labels },
                strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
                template: {
                    metadata: { labels },
                    spec: {
                        terminationGracePeriodSeconds: 1,
                        volumes: [{ name: "pages", emptyDir: {} }],
                        containers: [webContainer()],
                        topologySpreadConstraints: [
                            {
                                maxSkew: 1,
                                topologyKey: "kubernetes.io/hostname",
                                whenUnsatisfiable: "ScheduleAnyway",
                                labelSelector: { matchLabels: labels },
                            },
                        ],
                    },
                },
            },
        },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name },
            spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }], ...service },
        },
    ];
}
