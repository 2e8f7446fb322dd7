// What the host under test runs: an etcd cluster on the embedded cloud's machines.
import * as fs from "node:fs";
import * as cloudstack from "pulumi-cloudstack";

const {
    CLOUDSTACK_LOCAL_MIRROR: mirror,
    CLOUDSTACK_LOCAL_MANIFEST: manifest,
    CLOUDSTACK_LOCAL_HOST: host,
} = process.env;

const etcd = new cloudstack.EtcdCluster("db", {
    members: { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
    serviceOffering: "Small Instance",
    template: "Debian 13",
    dataVolume: { diskOffering: "Custom", sizeGiB: 1 },
    operatorCidrs: [host!],
    waitFor: "healthy",
    allowDataLoss: true,
    artifacts: { mirror, manifest: JSON.parse(fs.readFileSync(manifest!, "utf8")) },
});

export const { endpoints, caCertificate, clientCertificate, clientKey } = etcd;
