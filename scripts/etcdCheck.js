"use strict";

const https = require("node:https");

/** How long one request may take, in milliseconds. */
const requestTimeout = 5_000;

/**
 * Calls the JSON gateway at the client port of an etcd member, with a client certificate.
 *
 * @param {string} endpoint
 * @param {{ ca: string, certificate: string, key: string }} certificates PEM
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
function callEtcd(endpoint, { ca, certificate, key }, path, body) {
    return new Promise((resolve, reject) => {
        const options = { method: "POST", ca, cert: certificate, key, timeout: requestTimeout };
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
        request.on("timeout", () =>
            request.destroy(new Error(`${endpoint} did not answer within ${requestTimeout / 1000} s`)),
        );
        request.on("error", reject);
        request.end(JSON.stringify(body));
    });
}

/**
 * Checks an etcd cluster: lists its members, puts a value through one of them and gets it through each.
 *
 * @param {string[]} endpoints
 * @param {{ ca: string, certificate: string, key: string }} certificates PEM
 * @returns {Promise<string[]>} one line per result
 * @throws Error that names the member that failed
 */
async function checkCluster(endpoints, certificates) {
    const [first] = endpoints;
    const { members } = await callEtcd(first, certificates, "/v3/cluster/member/list", { linearizable: true });
    const key = Buffer.from("pulumi-cloudstack/demo").toString("base64");
    const written = new Date().toISOString();
    const value = Buffer.from(written).toString("base64");
    const { header } = await callEtcd(first, certificates, "/v3/kv/put", { key, value });
    const lines = [
        `etcd has ${members.length} members: ${members
            .map((/** @type {any} */ member) => member.name)
            .sort()
            .join(", ")}`,
        `put "${written}" over mutual TLS at ${first}: revision ${header.revision}`,
    ];
    for (const endpoint of endpoints) {
        const { kvs } = await callEtcd(endpoint, certificates, "/v3/kv/range", { key });
        const read = Buffer.from(kvs?.[0]?.value ?? "", "base64").toString();
        if (read !== written) {
            throw new Error(`${endpoint} answered "${read}" for what was written as "${written}"`);
        }
        lines.push(`get it at ${endpoint}: the same`);
    }
    return lines;
}

module.exports = { callEtcd, checkCluster };
