"use strict";

/** `npm run demo`: an etcd cluster on real machines of the embedded cloud, by one `pulumi up`. */

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { cloud, showCloud } = require("./cloud");
const { proof } = require("./etcdProof");
const { cloudCommand, demoFolder, privateFolder, writeWhole } = require("./paths");
const { seconds } = require("./progress");
const { setup } = require("./setup");
const { localStack } = require("./stack");
const { up } = require("./stackRuns");
const { makeStack, readStack } = require("./stackState");

const help = `Usage: npm run demo [-- --hypervisor auto|nspawn|none]

Gets what is missing (npm run setup), starts the embedded cloud, runs \`pulumi up\` on stack ${localStack}, and prints what then
exists. Run it again as often as you like: what is there stays as it is. Take it down with: npm run demo:down

As root on Linux the cloud boots the machines (hypervisor nspawn), and the demo ends with a put and a get in the etcd
cluster that runs on them. Elsewhere machines keep their states only (none), and the stack has Kubernetes machines, too.

The cloud listens on 127.0.0.1, port 8080 or where that is taken any other; CLOUDSTACK_LOCAL_PORT names one.`;

/** How long destroyed machines keep their addresses in the demo's cloud: a day, as elsewhere, would use them up. */
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
    heading("What this needs");
    // Without the machines' tools the demo runs all the same, with their states only.
    if (wanted !== "none") {
        await setup(["--machine-tools"]);
    }
    if ((await setup(["--engine"])) !== 0) {
        return 1;
    }
    heading("The embedded cloud");
    const start = await showCloud("start", "--expunge-seconds", String(expungeSeconds), "--hypervisor", wanted);
    if (start !== 0) {
        return start;
    }
    const { hypervisor } = JSON.parse(cloud("status", "--json").stdout);
    if (hypervisor !== "none") {
        heading("Release files for the machines");
        const artifacts = await showCloud("artifacts");
        if (artifacts !== 0) {
            return artifacts;
        }
    }
    heading(`pulumi up, stack ${localStack}`);
    makeStack();
    const code = await up();
    if (code !== 0) {
        console.error("\nThe stack is not up. Correct what the messages above say, and run this again: it goes on where it stopped.");
        return code;
    }
    const outputs = readStack("output", "--json", "--show-secrets");
    const files = writeFiles(outputs);
    heading("What exists now");
    printTable(outputs.machines);
    console.log(`\nGroups:             ${groups().join(", ")}`);
    console.log(`etcd:               ${outputs.etcdEndpoints.join(", ")}`);
    console.log(`etcd certificates:  ${files.certificates}`);
    if (files.kubeconfig) {
        console.log(`Kubernetes API:     ${outputs.kubernetesEndpoint}`);
        console.log(`kubeconfig:         ${files.kubeconfig}`);
    }
    if (hypervisor !== "none") {
        heading("What it can do");
        for (const line of await proof(outputs.etcdEndpoints, outputs.etcdCertificates)) {
            console.log(line);
        }
    } else {
        console.log("\nThe embedded cloud keeps the states of machines and boots none (hypervisor none): nothing listens at these addresses.");
    }
    heading(`Next (all of this took ${seconds(Date.now() - started)})`);
    if (hypervisor !== "none") {
        console.log("Look at the machines:  npx cloudstack-local ps --state .tools/cloud");
    }
    console.log("Preview a change:      edit Pulumi.local.yaml, then   npm run pulumi -- preview");
    console.log("Make it:                                              npm run pulumi -- up");
    console.log("Take it all down:                                     npm run demo:down");
    return 0;
}

/**
 * Writes what a client needs where only its owner can read it.
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
        kubeconfig: kubeconfig && shown(path.join(folder, "kubeconfig")),
        certificates: shown(certificates),
    };
}

/** A path as one would type it here. */
function shown(/** @type {string} */ file) {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith("..") ? file : relative;
}

/** Names of the security groups of the stack. */
function groups() {
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
