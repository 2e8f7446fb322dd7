"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { execFile } = require("node:child_process");
const { promisify } = require("node:util");
const { web } = require("./webPage");

const run = promisify(execFile);

/** How long pods and nodes may take to become ready, as kubectl takes it. */
const patience = "180s";

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
    const items = web("demo", 2, "Hello from pod $(hostname)");
    await call(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await call(["rollout", "status", "deployment/demo", `--timeout=${patience}`]);
    const address = "http://demo.default.svc.cluster.local";
    const answer = await call(["exec", "deployment/demo", "--", "wget", "-q", "-O", "-", address]);
    return [...nodes.split("\n"), "", `${address} answers: ${answer}`];
}

module.exports = { checkKubernetes, installKubectl };
