"use strict";

/** `npm run demo`: deploys an etcd cluster on machines of the embedded cloud with one `pulumi up`. */

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { cloud, runCloud } = require("./cloud");
const { checkCluster } = require("./etcdCheck");
const { cloudCommand, demoFolder, privateFolder, writeWhole } = require("./paths");
const { seconds } = require("./progress");
const { setup } = require("./setup");
const { localStack } = require("./stack");
const { up } = require("./stackRuns");
const { makeStack, readStack } = require("./stackState");

const help = `Usage: npm run demo [-- --hypervisor auto|nspawn|none]

Installs what is missing (npm run setup), starts the embedded cloud, runs \`pulumi up\` on stack ${localStack}, and
prints what was created. It can be run again: existing resources are not changed. Destroy everything with:
npm run demo:down

As root on Linux the cloud boots the machines (hypervisor nspawn), and the demo ends with a put and a get in the etcd
cluster that runs on them. Elsewhere the machines do not boot (hypervisor none), and the stack also has Kubernetes
machines.

The cloud listens on 127.0.0.1, port 8080, or a free one if that is in use; CLOUDSTACK_LOCAL_PORT sets another.`;

/**
 * How long destroyed machines keep their addresses in the demo's cloud: with the default of a day, repeated demos would
 * exhaust the network.
 */
const expungeSeconds = 60;

/** @param {string[]} args */
function hypervisorOf(args) {
    return parseArgs({ args, options: { hypervisor: { type: "string", default: "auto" } } }).values.hypervisor;
}

/** @param {string} title */
function heading(title) {
    console.log(`\n== ${title}`);
}

/**
 * @param {string} wanted the hypervisor
 * @returns {Promise<number>} exit code
 */
async function demo(wanted) {
    const started = Date.now();
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
        const artifacts = await runCloud("artifacts", "--without-kubernetes");
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
    const files = writeFiles(outputs);
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
    } else {
        console.log("\nThe machines of this cloud do not boot (hypervisor none): nothing listens at these addresses.");
    }
    heading(`Next steps (the demo took ${seconds(Date.now() - started)})`);
    if (hypervisor !== "none") {
        console.log("List the machines:     npx cloudstack-local ps --state .tools/cloud");
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
 */
function writeFiles({ kubeconfig, etcdCertificates }) {
    const folder = privateFolder(demoFolder);
    const certificates = privateFolder(path.join(folder, "etcd"));
    if (kubeconfig) {
        writeWhole(path.join(folder, "kubeconfig"), kubeconfig, 0o600);
    }
    writeWhole(path.join(certificates, "ca.crt"), etcdCertificates.ca, 0o600);
    writeWhole(path.join(certificates, "client.crt"), etcdCertificates.certificate, 0o600);
    writeWhole(path.join(certificates, "client.key"), etcdCertificates.key, 0o600);
    return {
        kubeconfig: kubeconfig && displayPath(path.join(folder, "kubeconfig")),
        certificates: displayPath(certificates),
    };
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
    demo(hypervisorOf(process.argv.slice(2))).then(
        (code) => (process.exitCode = code),
        (error) => {
            console.error(error.message);
            process.exitCode = 1;
        },
    );
}
