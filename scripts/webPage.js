"use strict";

/** The image of the page; every node has it. */
const image = "docker.io/library/busybox:1.37.0";

/** What the restricted Pod Security Standard requires of a container. */
const restricted = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: "RuntimeDefault" },
};

/**
 * A Deployment of pods that serve a page, spread over the nodes, and a Service of the same name with port 80.
 *
 * @param {string} name
 * @param {number} replicas
 * @param {string} page what a shell in the pod makes of these words
 * @returns {object[]}
 */
function web(name, replicas, page) {
    const labels = { app: name };
    // It ends on SIGTERM, which httpd as the first process of a container ignores.
    const script = [
        `echo "${page}" >/pages/index.html`,
        "trap 'exit 0' TERM",
        "{ httpd -f -p 8080 -h /pages & wait; }",
    ].join(" && ");
    const container = {
        name: "web",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", script],
        volumeMounts: [{ name: "pages", mountPath: "/pages" }],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
        securityContext: restricted,
    };
    const spread = {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels },
    };
    return [
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name, labels },
            spec: {
                replicas,
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        containers: [container],
                        volumes: [{ name: "pages", emptyDir: {} }],
                        topologySpreadConstraints: [spread],
                    },
                },
            },
        },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name, labels },
            spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
        },
    ];
}

module.exports = { image, restricted, web };
