// A three-member etcd cluster that one security group may connect to.
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

const config = new pulumi.Config();

const clients = new cloudstack.SecurityGroup("clients");
const etcd = new cloudstack.EtcdCluster("db", {
    members: config.getObject<Record<string, string>>("members") ?? { a: "10.1.1.11", b: "10.1.1.12", c: "10.1.1.13" },
    serviceOffering: config.get("serviceOffering") ?? "Medium Instance",
    template: config.get("template") ?? "Debian 12",
    dataVolume: { diskOffering: "Custom", sizeGiB: 10 },
    clientGroups: [clients.name],
    // Must be true before the cluster can be deleted, since its data is lost then.
    allowDataLoss: config.getBoolean("allowDataLoss"),
});

export const endpoints = etcd.endpoints;
export const caCertificate = etcd.caCertificate;
export const clientCertificate = etcd.clientCertificate;
export const clientKey = etcd.clientKey; // secret
