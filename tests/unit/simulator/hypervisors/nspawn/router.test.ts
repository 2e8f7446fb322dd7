import type { MachinePlan } from "../../../../../simulator/hypervisors/hypervisor";
import { entryOf, hostsFile, leasesFile, withoutStaleLeases } from "../../../../../simulator/hypervisors/nspawn/router";

const nic = (address: string, mac: string, isDefault = true): MachinePlan["nics"][number] => ({
    networkId: "n",
    cidr: "10.1.1.0/24",
    gateway: "10.1.1.1",
    isShared: true,
    address,
    netmask: "255.255.255.0",
    mac,
    isDefault,
});
const machine = (name: string): MachinePlan => ({
    id: `id of ${name}`,
    instanceName: "i-2-7-VM",
    name,
    templateName: "Debian 13",
    cpuNumber: 1,
    cpuSpeed: 500,
    memoryMiB: 512,
    zoneName: "sandbox",
    serviceOfferingName: "Small Instance",
    nics: [],
    securityGroupIds: [],
    publicKeys: ["ssh-rsa A", "ssh-rsa B"],
    userData: Buffer.from([0, 255]),
    rootVolume: { id: "r", sizeGiB: 2, deviceId: 0 },
    dataVolumes: [],
});
const entries = [
    entryOf(machine("web"), nic("10.1.1.10", "1e:00:00:00:00:01")),
    entryOf(machine("db"), nic("10.1.1.11", "1e:00:00:00:00:02", false)),
];

test("a machine gets its own data, and user data with any bytes", () => {
    expect(entries[0].metaData).toMatchObject({
        "instance-id": "id of web",
        "local-hostname": "web",
        "local-ipv4": "10.1.1.10",
        "public-keys": "ssh-rsa A\nssh-rsa B",
    });
    expect(Buffer.from(entries[0].userData, "base64")).toEqual(Buffer.from([0, 255]));
});

test("hosts are written in dnsmasq's format", () => {
    expect(hostsFile("10.1.1.1", entries)).toBe("10.1.1.1 data-server\n10.1.1.10 web\n10.1.1.11 db\n");
    expect(leasesFile(entries)).toBe(
        "1e:00:00:00:00:01,10.1.1.10,web,infinite\n1e:00:00:00:00:02,set:side,10.1.1.11,db,infinite\n",
    );
});

test("a lease is removed when another machine gets its address, and only then", () => {
    const leases = [
        "0 1e:00:00:00:00:01 10.1.1.10 web 01:1e:00:00:00:00:01",
        "0 1e:00:00:00:00:99 10.1.1.11 gone 01:1e:00:00:00:00:99",
        "0 1e:00:00:00:00:98 10.1.1.12 stopped 01:1e:00:00:00:00:98",
        "",
    ];
    expect(withoutStaleLeases(leases.join("\n"), entries)).toBe([leases[0], leases[2], ""].join("\n"));
    expect(withoutStaleLeases("", entries)).toBe("");
});
