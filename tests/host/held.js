"use strict";

/** How many numbers etcd holds, and which is the largest up to which all are there: held.js OUTPUTS */

const { callEtcd } = require("./etcdCheck");

const outputs = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const certificates = { ca: outputs.caCertificate, certificate: outputs.clientCertificate, key: outputs.clientKey };
const encode = (text) => Buffer.from(text).toString("base64");

callEtcd(outputs.endpoints[0], certificates, "/v3/kv/range", {
    key: encode("cut/"),
    rangeEnd: encode("cut0"),
    keysOnly: true,
}).then(
    ({ kvs = [] }) => {
        const numbers = new Set(kvs.map(({ key }) => Number(Buffer.from(key, "base64").toString().slice(4))));
        let complete = 0;
        while (numbers.has(complete + 1)) complete += 1;
        console.log(complete);
    },
    (error) => console.log(`0 (${error.message})`),
);
