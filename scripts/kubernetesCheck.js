"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { execFile } = require("node:child_process");
const { promisify } = require("node:util");

const run = promisify(execFile);

/** How long pods and nodes may take to become ready, as kubectl takes it. */
const patience = "180s";

/** The image of the demo's web page; every node has it. */
const image = "docker.io/library/busybox:1.37.0";

const labels = { app: "demo" };

/** It ends on SIGTERM, which httpd as the first process of a container ignores. */
const script = [
    'echo "Hello from pod $(hostname)" >/pages/index.html',
    "trap 'exit 0' TERM",
    "{ httpd -f -p 8080 -h /pages & wait; }",
].join(" && ");

/** A page that says which pod serves it, on two workers, behind a Service. */
const objects = {
    apiVersion: "v1",
    kind: "List",
    items: [
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "demo", labels },
            spec: {
                replicas: 2,
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        volumes: [{ name: "pages", emptyDir: {} }],
                        containers: [
                            {
                                name: "web",
                                image,
                                imagePullPolicy: "IfNotPresent",
                                command: ["sh", "-c", script],
                                volumeMounts: [{ name: "pages", mountPath: "/pages" }],
                                readinessProbe: { httpGet: { path: "/", port: 8080 } },
                                securityContext: {
                                    allowPrivilegeEscalation: false,
                                    capabilities: { drop: ["ALL"] },
                                    runAsNonRoot: true,
                                    runAsUser: 1000,
                                    seccompProfile: { type: "RuntimeDefault" },
                                },
                            },
                        ],
                    },
                },
            },
        },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "demo", labels },
            spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
        },
    ],
};

/**
 * An executable `kubectl` in a folder, from the release file of the mirror.
 *
 * @param {string} folder
 * @param {string} mirror the folder of release files
 * @returns {string} its path
 */
function installKubectl(folder, mirror) {
    const releases = fs.readdirSync(mirror).filter((name) => /^kubectl-v[\d.]+-linux-/.test(name));
    const newest = releases.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
    if (newest === undefined) {
        throw new Error(`${mirror} has no kubectl: run npx cloudstack-local artifacts`);
    }
    const file = path.join(folder, "kubectl");
    fs.copyFileSync(path.join(mirror, newest), `${file}.new`);
    fs.chmodSync(`${file}.new`, 0o755);
    fs.renameSync(`${file}.new`, file);
    return file;
}

/**
 * Checks a Kubernetes cluster: lists its nodes, deploys a web page on two workers and reads it through its Service by
 * its DNS name, from a pod.
 *
 * @param {string} kubectl
 * @param {string} kubeconfig
 * @returns {Promise<string[]>} lines for the terminal
 * @throws Error with kubectl's message
 */
async function checkKubernetes(kubectl, kubeconfig) {
    const call = async (/** @type {string[]} */ args, /** @type {string} */ input = "") => {
        const child = run(kubectl, args, { env: { ...process.env, KUBECONFIG: kubeconfig } });
        child.child.stdin?.end(input);
        return (await child).stdout.trim();
    };
    await call(["wait", "--for=condition=Ready", "nodes", "--all", `--timeout=${patience}`]);
    const nodes = await call(["get", "nodes", "-o", "wide"]);
    await call(["apply", "-f", "-"], JSON.stringify(objects));
    await call(["rollout", "status", "deployment/demo", `--timeout=${patience}`]);
    const address = "http://demo.default.svc.cluster.local";
    const answer = await call(["exec", "deployment/demo", "--", "wget", "-q", "-O", "-", address]);
    return [...nodes.split("\n"), "", `${address} answers: ${answer}`];
}

module.exports = { checkKubernetes, installKubectl };
