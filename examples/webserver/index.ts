// The README's program: a web server with its group, a generated key and a data disk.
import * as cloudstack from "pulumi-cloudstack";

const web = new cloudstack.SecurityGroup("web", {
    ingress: [
        { ports: "443", cidrs: ["0.0.0.0/0"] },
        { ports: "22", cidrs: ["203.0.113.0/24"] },
    ],
});
const key = new cloudstack.SshKeyPair("admin");
const server = new cloudstack.VirtualMachine("server", {
    serviceOffering: "Small Instance",
    template: "Debian 12",
    securityGroups: [web.id],
    sshKeyPairs: [key.name],
    userData: "#cloud-config\npackages: [nginx]\n",
});
const data = new cloudstack.Volume("data", { diskOffering: "Custom", sizeGiB: 20, virtualMachine: server.id });

export const address = server.ipAddress;
export const privateKey = key.privateKey; // secret
export const disk = data.name;
