// All of version 0.1.0: each kind of resource, alone and within components.
import * as pulumi from "@pulumi/pulumi";
import * as cloudstack from "pulumi-cloudstack";

/** `changed`: an update of each kind that has one. */
const changed = new pulumi.Config().getBoolean("changed") ?? false;

const key = new cloudstack.SshKeyPair("key");
const spread = new cloudstack.AffinityGroup("spread", { type: "non-strict host anti-affinity" });
const front = new cloudstack.SecurityGroup("front", {
    ingress: [{ ports: changed ? "443" : "80", cidrs: ["0.0.0.0/0"] }, { self: true }],
});
const back = new cloudstack.SecurityGroup("back");
new cloudstack.SecurityGroupRules("back", {
    securityGroup: back.id,
    ingress: [{ ports: "5432", groups: [front.name] }, ...(changed ? [{ ports: "22", cidrs: ["10.0.0.0/8"] }] : [])],
});
const machine = new cloudstack.VirtualMachine("machine", {
    serviceOffering: "Small Instance",
    template: "Debian 12",
    ipAddress: "10.1.1.200",
    securityGroups: [front.id],
    affinityGroups: [spread.id],
    sshKeyPairs: [key.name],
    userData: changed ? "#cloud-config\npackages: [git]\n" : "#cloud-config\n",
    displayName: changed ? "changed" : "first",
    tags: { role: changed ? "changed" : "first" },
});
new cloudstack.Volume("disk", { diskOffering: "Custom", sizeGiB: changed ? 2 : 1, virtualMachine: machine.id });
const authority = new cloudstack.CertificateAuthority("authority", { commonName: "recorded" });
new cloudstack.Certificate("certificate", {
    caCertificate: authority.certificate,
    caPrivateKey: authority.privateKey,
    commonName: "recorded",
    dnsNames: changed ? ["localhost", "changed"] : ["localhost"],
    usages: ["server"],
});
new cloudstack.RandomSecret("secret");
new cloudstack.SigningKeyPair("signing");
new cloudstack.ClusterToken("token", { members: ["a"] });
new cloudstack.MachineGroup("group", {
    machines: cloudstack.machineKeys(changed ? 2 : 1),
    serviceOffering: "Small Instance",
    template: "Debian 12",
});
const etcd = new cloudstack.EtcdCluster("etcd", {
    members: { a: "10.1.1.201" },
    serviceOffering: "Small Instance",
    template: "Debian 12",
    dataVolume: { diskOffering: "Custom", sizeGiB: 1 },
    allowDataLoss: true,
});
new cloudstack.KubernetesCluster("kubernetes", {
    etcd,
    controlPlane: { members: { "control-a": "10.1.1.202" }, serviceOffering: "Medium Instance" },
    pools: { worker: { count: 1, serviceOffering: "Medium Instance" } },
    template: "Debian 12",
    networkCidr: "10.1.1.0/24",
});
