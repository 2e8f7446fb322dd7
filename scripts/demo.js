"use strict";

/** `npm run demo`: deploys an etcd and a Kubernetes cluster on the embedded cloud with one `pulumi up`. */

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { cloud, cloudEnvironment, rememberKubernetes, runCloud } = require("./cloud");
const { checkCluster } = require("./etcdCheck");
const { checkKubernetes, installKubectl } = require("./kubernetesCheck");
const { cloudCommand, demoFolder, privateFolder, writeWhole } = require("./paths");
const { seconds } = require("./progress");
const { setup } = require("./setup");
const { localStack } = require("./stack");
const { up } = require("./stackRuns");
const { makeStack, readStack } = require("./stackState");

const help = `Usage: npm run demo [-- --hypervisor auto|nspawn|none] [--without-kubernetes]

Installs what is missing (npm run setup), starts the embedded cloud, runs \`pulumi up\` on stack ${localStack}, and
prints what was created. It can be run again: existing resources are not changed. Destroy everything with:
npm run demo:down

As root on Linux the cloud boots the machines (hypervisor nspawn). The demo ends with a put and a get in the etcd
cluster, with the nodes of the Kubernetes cluster, and with a page that a pod serves through a Service. Without access
to the projects' releases the first run builds Kubernetes, once, for some minutes: --without-kubernetes deploys etcd
alone. Elsewhere the machines do not boot (hypervisor none).

The cloud listens on 127.0.0.1, port 8080, or a free one if that is in use; CLOUDSTACK_LOCAL_PORT sets another.`;

/**
 * How long destroyed machines keep their addresses in the demo's cloud: with the default of a day, repeated demos would
 * exhaust the network.
 */
const expungeSeconds = 60;

/** @param {string[]} args */
function optionsOf(args) {
    const options = /** @type {const} */ ({
        hypervisor: { type: "string", default: "auto" },
        "without-kubernetes": { type: "boolean", default: false },
    });
    const { values } = parseArgs({ args, options });
    return { hypervisor: values.hypervisor, withKubernetes: !values["without-kubernetes"] };
}

/** @param {string} title */
function heading(title) {
    console.log(`\n== ${title}`);
}

/**
 * @param {{ hypervisor: string, withKubernetes: boolean }} options
 * @returns {Promise<number>} exit code
 */
async function demo({ hypervisor: wanted, withKubernetes }) {
    const started = Date.now();
    // The stack's program reads it, here and in every later command of the engine.
    rememberKubernetes(withKubernetes);
    heading("Requirements");
    // Not fatal if it fails: without these tools the cloud boots no machines, and the demo still runs.
    if (wanted !== "none") {
        await setup(["--machine-tools"]);
    }
    if ((await setup(["--engine"])) !== 0) {
        return 1;
    }
    heading("The embedded cloud");
    const start = await runCloud("start", "--expunge-seconds", String(expungeSeconds), "--hypervisor", wanted);
    if (start !== 0) {
        return start;
    }
    const { hypervisor } = JSON.parse(cloud("status", "--json").stdout);
    if (hypervisor !== "none") {
        heading("Release files for the machines");
        const artifacts = await runCloud("artifacts", ...(withKubernetes ? [] : ["--without-kubernetes"]));
        if (artifacts !== 0) {
            return artifacts;
        }
    }
    heading(`pulumi up, stack ${localStack}`);
    makeStack();
    const code = await up();
    if (code !== 0) {
        console.error(
            "\nThe update failed. Correct the errors above, and run this again: it continues where it stopped.",
        );
        return code;
    }
    const outputs = readStack("output", "--json", "--show-secrets");
    const files = writeFiles(outputs, mirrorFolder());
    heading("Resources");
    printTable(outputs.machines);
    console.log(`\nGroups:             ${securityGroupNames().join(", ")}`);
    console.log(`etcd:               ${outputs.etcdEndpoints.join(", ")}`);
    console.log(`etcd certificates:  ${files.certificates}`);
    if (files.kubeconfig) {
        console.log(`Kubernetes API:     ${outputs.kubernetesEndpoint}`);
        console.log(`kubeconfig:         ${files.kubeconfig}`);
    }
    if (hypervisor !== "none") {
        heading("etcd check");
        for (const line of await checkCluster(outputs.etcdEndpoints, outputs.etcdCertificates)) {
            console.log(line);
        }
        if (files.kubeconfig) {
            heading("Kubernetes check");
            for (const line of await checkKubernetes(files.kubectl, files.kubeconfig)) {
                console.log(line);
            }
        }
    } else {
        console.log("\nThe machines of this cloud do not boot (hypervisor none): nothing listens at these addresses.");
    }
    heading(`Next steps (the demo took ${seconds(Date.now() - started)})`);
    if (hypervisor !== "none") {
        console.log("List the machines:     npx cloudstack-local ps --state .tools/cloud");
    }
    if (files.kubectl) {
        console.log(`Use Kubernetes:        export KUBECONFIG=${path.resolve(files.kubeconfig)}`);
        console.log(`                       ${files.kubectl} get pods --all-namespaces`);
    }
    console.log("Preview a change:      edit Pulumi.local.yaml, then   npm run pulumi -- preview");
    console.log("Apply it:                                             npm run pulumi -- up");
    console.log("Destroy everything:                                   npm run demo:down");
    return 0;
}

/**
 * Writes the kubeconfig and certificates to files that only their owner can read.
 *
 * @param {Record<string, any>} outputs
 * @param {string | undefined} mirror the folder of release files; undefined if the machines do not boot
 */
function writeFiles({ kubeconfig, etcdCertificates }, mirror) {
    const folder = privateFolder(demoFolder);
    const certificates = privateFolder(path.join(folder, "etcd"));
    if (kubeconfig) {
        writeWhole(path.join(folder, "kubeconfig"), kubeconfig, 0o600);
    }
    const kubectl = kubeconfig && mirror && installKubectl(folder, mirror);
    writeWhole(path.join(certificates, "ca.crt"), etcdCertificates.ca, 0o600);
    writeWhole(path.join(certificates, "client.crt"), etcdCertificates.certificate, 0o600);
    writeWhole(path.join(certificates, "client.key"), etcdCertificates.key, 0o600);
    return {
        kubeconfig: kubeconfig && displayPath(path.join(folder, "kubeconfig")),
        kubectl: kubectl && displayPath(kubectl),
        certificates: displayPath(certificates),
    };
}

/** The folder of release files that the demo's machines fetch; undefined if they do not boot. */
function mirrorFolder() {
    const manifest = cloudEnvironment()?.CLOUDSTACK_LOCAL_MANIFEST;
    return manifest && path.dirname(manifest);
}

/** A path relative to the current folder if it is inside it, otherwise absolute. */
function displayPath(/** @type {string} */ file) {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith("..") ? file : relative;
}

/** Names of the security groups of the stack. */
function securityGroupNames() {
    const { deployment } = readStack("export");
    return deployment.resources
        .filter((/** @type {any} */ resource) => resource.type.endsWith("/cloudstack:SecurityGroup"))
        .map((/** @type {any} */ resource) => resource.outputs.name)
        .sort();
}

/** @param {Record<string, string>} machines */
function printTable(machines) {
    const width = Math.max(...Object.keys(machines).map((name) => name.length));
    for (const [name, address] of Object.entries(machines).sort()) {
        console.log(`  ${name.padEnd(width)}  ${address}`);
    }
}

if (process.argv.includes("--help") || process.argv.includes("-h")) {
    console.log(help);
} else if (!fs.existsSync(cloudCommand)) {
    console.error("The package is not built. Run `npm ci` (or `npm run build`) first.");
    process.exitCode = 1;
} else {
    demo(optionsOf(process.argv.slice(2))).then(
        (code) => (process.exitCode = code),
        (error) => {
            console.error(error.message);
            process.exitCode = 1;
        },
    );
}
