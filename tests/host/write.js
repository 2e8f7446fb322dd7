"use strict";

/** Writes one number after the other into etcd, and says on the console which were acknowledged: write.js OUTPUTS */

const { callEtcd } = require("./etcdCheck");

const outputs = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const certificates = { ca: outputs.caCertificate, certificate: outputs.clientCertificate, key: outputs.clientKey };
const encode = (text) => Buffer.from(text).toString("base64");

async function main() {
    for (let number = 1; ; number += 1) {
        const endpoint = outputs.endpoints[number % outputs.endpoints.length];
        const key = encode(`cut/${String(number).padStart(9, "0")}`);
        await callEtcd(endpoint, certificates, "/v3/kv/put", { key, value: encode(String(number)) });
        console.log(`test: acknowledged ${number}`);
    }
}

main().catch((error) => console.log(`test: failed writing: ${error.message}`));
