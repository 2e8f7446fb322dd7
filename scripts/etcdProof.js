"use strict";

const https = require("node:https");

/** How long one request may take, in milliseconds. */
const patience = 5_000;

/**
 * Asks a member of etcd through the JSON gateway of its client port, with a client's certificate.
 *
 * @param {string} endpoint
 * @param {{ ca: string, certificate: string, key: string }} certificates PEM
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
function ask(endpoint, { ca, certificate, key }, path, body) {
    return new Promise((resolve, reject) => {
        const options = { method: "POST", ca, cert: certificate, key, timeout: patience };
        const request = https.request(new URL(path, endpoint), options, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
            response.on("end", () => {
                if (response.statusCode === 200) {
                    resolve(JSON.parse(text));
                } else {
                    reject(new Error(`${endpoint} answered ${response.statusCode}: ${text.trim()}`));
                }
            });
        });
        request.on("timeout", () => request.destroy(new Error(`${endpoint} did not answer within ${patience / 1000} s`)));
        request.on("error", reject);
        request.end(JSON.stringify(body));
    });
}

/**
 * Uses an etcd cluster: what it says of its members, a value written through one of them and read through each other.
 *
 * @param {string[]} endpoints
 * @param {{ ca: string, certificate: string, key: string }} certificates PEM
 * @returns {Promise<string[]>} lines that say what was seen
 * @throws Error that says which member did not do what it should
 */
async function proof(endpoints, certificates) {
    const [first] = endpoints;
    const { members } = await ask(first, certificates, "/v3/cluster/member/list", { linearizable: true });
    const key = Buffer.from("pulumi-cloudstack/demo").toString("base64");
    const written = new Date().toISOString();
    const value = Buffer.from(written).toString("base64");
    const { header } = await ask(first, certificates, "/v3/kv/put", { key, value });
    const lines = [
        `etcd has ${members.length} members: ${members.map((/** @type {any} */ member) => member.name).sort().join(", ")}`,
        `put "${written}" over mutual TLS at ${first}: revision ${header.revision}`,
    ];
    for (const endpoint of endpoints) {
        const { kvs } = await ask(endpoint, certificates, "/v3/kv/range", { key });
        const read = Buffer.from(kvs?.[0]?.value ?? "", "base64").toString();
        if (read !== written) {
            throw new Error(`${endpoint} answered "${read}" for what was written as "${written}"`);
        }
        lines.push(`get it at ${endpoint}: the same`);
    }
    return lines;
}

module.exports = { ask, proof };
