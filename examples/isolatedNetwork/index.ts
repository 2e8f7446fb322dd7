// An isolated network with a public address: SSH to each of two machines through forwarded ports.
import * as cloudstack from "pulumi-cloudstack";

const network = new cloudstack.Network("app", { cidr: "10.60.1.0/24", networkDomain: "app.internal" });
const key = new cloudstack.SshKeyPair("admin");
const machines = ["web-1", "web-2"].map(
    (name) =>
        new cloudstack.VirtualMachine(name, {
            serviceOffering: "Small Instance",
            template: "Debian 12",
            network: network.id,
            sshKeyPairs: [key.name],
        }),
);

// Machines may download packages and ask name servers.
new cloudstack.EgressFirewallRules("app", {
    network: network.id,
    rules: [{ ports: "80" }, { ports: "443" }, { protocol: "udp", ports: "53" }],
});

const address = new cloudstack.PublicIpAddress("app", { network: network.id });
new cloudstack.FirewallRules("app", {
    address: address.id,
    rules: [
        { ports: "2201-2202", cidrs: ["203.0.113.0/24"] },
        { protocol: "icmp", icmpType: 8, cidrs: ["0.0.0.0/0"] },
    ],
});
machines.forEach(
    (machine, index) =>
        new cloudstack.PortForwardingRule(`ssh-${index + 1}`, {
            address: address.id,
            publicPorts: 2201 + index,
            privatePorts: "22",
            virtualMachine: machine.id,
        }),
);

export const ip = address.ipAddress;
export const addresses = machines.map((machine) => machine.ipAddress);
export const privateKey = key.privateKey; // secret
