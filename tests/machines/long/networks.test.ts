/** Isolated networks: machines of different networks cannot reach each other, even with overlapping addresses. */
import { execFileSync } from "node:child_process";
import { CLOUD_INIT_SUCCEEDED, type Guest, Lab } from "../support/lab";
import { withMachines } from "../support/possible";

withMachines("isolated networks", () => {
    let lab: Lab;
    const networks: Record<string, string> = {};
    let left: Guest;
    let leftToo: Guest;
    let right: Guest;

    const place = (network: string, address: string) => ({
        zone: "sandbox-isolated",
        networkids: networks[network],
        ipaddress: address,
        userData: `#cloud-config\nwrite_files: [{path: /etc/told, content: ${network}}]\n`,
    });

    beforeAll(async () => {
        lab = await Lab.start("10.1.50.0/24");
        const zoneid = await lab.idOf("listZones", "sandbox-isolated");
        const offering = "DefaultIsolatedNetworkOfferingWithSourceNatService";
        const networkofferingid = await lab.idOf("listNetworkOfferings", offering);
        for (const [name, more] of [
            ["left", {}],
            ["right", {}],
            ["third", { gateway: "10.99.0.1", netmask: "255.255.255.0" }],
        ] as const) {
            const { network } = await lab.user.ok("createNetwork", { name, zoneid, networkofferingid, ...more });
            networks[name] = network.id;
        }
        [left, leftToo, right] = await Promise.all([
            lab.deploy("same", place("left", "10.1.1.20")),
            lab.deploy("left-too", place("left", "10.1.1.30")),
            lab.deploy("same", place("right", "10.1.1.20")),
        ]);
    });

    afterAll(async () => {
        expect(await lab.dispose()).toEqual([]);
    });

    const namespaces = () => lab.leftovers().filter((line) => line.startsWith(`namespace ${lab.prefix}x`));

    test("two networks with the same addresses are separate", async () => {
        for (const guest of [left, leftToo, right])
            expect(await guest.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
        expect(namespaces()).toHaveLength(2);
        expect([left.address, right.address]).toEqual(["10.1.1.20", "10.1.1.20"]);
        expect(await left.outputOf("cat /etc/told")).toBe("left");
        expect(await right.outputOf("cat /etc/told")).toBe("right");
        expect(await left.outputOf("ping -c 1 -W 2 left-too")).toContain(" 0% packet loss");
        expect(await right.outputOf("ping -c 1 -W 1 10.1.1.30")).toContain("100% packet loss");
        expect(await right.outputOf("getent ahostsv4 left-too")).toBe("");
    });

    test("the host has no address in them", async () => {
        const links = execFileSync("ip", ["-4", "-o", "address"], { encoding: "utf8" });
        expect(links).not.toMatch(new RegExp(`${lab.prefix}\\b.* 10\\.1\\.1\\.`));
        expect(await left.outputOf("ping -c 1 -W 1 10.1.1.254")).toContain("100% packet loss");
    });

    test("a machine in two networks has its default route in the first", async () => {
        const { zone, userData } = place("left", "");
        const both = await lab.deploy("both", { zone, userData, networkids: `${networks.left},${networks.third}` });
        expect(await both.waitForCloudInit()).toMatchObject(CLOUD_INIT_SUCCEEDED);
        const [first, second] = both.deployed.nic;
        expect(await both.outputOf("ip -4 -o address")).toMatch(
            new RegExp(`eth0 .*${first.ipaddress}/24[^]*eth1 .*${second.ipaddress}/24`),
        );
        expect(await both.outputOf("ip route show default")).toMatch(/^default via 10\.1\.1\.1 dev eth0 .*$/);
        expect(await both.outputOf("ping -c 1 -W 2 left-too; ping -c 1 -W 2 10.99.0.1")).toMatch(
            / 0% packet[^]* 0% packet/,
        );
        await both.call("rebootVirtualMachine");
        await both.waitForCloudInit();
        expect(await both.outputOf("ip route show default")).toMatch(/^default via 10\.1\.1\.1 dev eth0 .*$/);
    });
});
