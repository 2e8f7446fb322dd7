/**
 * Enforcement of security groups: every port in the table of the clusters, scanned from each group and from outside.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { hostAddressOf } from "../../simulator/hypervisors/nspawn/network";
import { type Guest, Lab } from "./support/lab";
import { withMachines } from "./support/possible";

type Group = "etcd" | "control" | "worker";
type Target = [address: string, protocol: string, port: number];

const CIDR = "10.1.45.0/24";
const HOST = hostAddressOf(CIDR);

/** Which group may reach which port. */
const TABLE: { to: Group; protocol: string; port: number; from: (Group | "host")[] }[] = [
    { to: "etcd", protocol: "tcp", port: 2379, from: ["control", "etcd", "host"] },
    { to: "etcd", protocol: "tcp", port: 2380, from: ["etcd"] },
    { to: "control", protocol: "tcp", port: 6443, from: ["control", "worker", "host"] },
    { to: "control", protocol: "tcp", port: 10250, from: ["control"] },
    { to: "worker", protocol: "tcp", port: 10250, from: ["control"] },
    { to: "control", protocol: "udp", port: 8472, from: ["control", "worker"] },
    { to: "worker", protocol: "udp", port: 8472, from: ["control", "worker"] },
    { to: "worker", protocol: "tcp", port: 30_080, from: ["host"] },
    { to: "worker", protocol: "udp", port: 30_080, from: ["host"] },
];
/** More ports on which machines listen, and which no rule opens. */
const CLOSED = { tcp: [22, 2381, 10_248, 10_255, 10_257], udp: [51_820] };
const portsOf = (protocol: "tcp" | "udp") => [
    ...new Set([...TABLE.filter((row) => row.protocol === protocol).map(({ port }) => port), ...CLOSED[protocol]]),
];

const script = (name: string) => fs.readFileSync(path.join(__dirname, "support", name), "utf8");
const text = ([address, protocol, port]: Target) => `${protocol} ${address}:${port}`;

withMachines("security groups on real machines", () => {
    let lab: Lab;
    const groups: Record<string, string> = {};
    const guests: Record<string, Guest> = {};

    const authorize = (to: string, rule: Record<string, unknown>) =>
        lab.user.done("authorizeSecurityGroupIngress", { securitygroupid: groups[to], ...rule });

    async function deploy(name: string, group: string): Promise<void> {
        guests[name] = await lab.deploy(name, { securitygroupids: groups[group] });
        await guests[name].waitForCloudInit();
        const ports = ["tcp", ...portsOf("tcp").filter((port) => port !== 22), "--", "udp", ...portsOf("udp")];
        await guests[name].run(
            "systemd-run",
            "--unit=listen",
            "python3",
            "-c",
            script("listen.py"),
            ...ports.map(String),
        );
    }

    /** The targets that answer to a machine, or to the host. */
    async function scan(from: string, targets: Target[]): Promise<string[]> {
        const command = ["python3", "-c", script("scan.py"), JSON.stringify(targets)];
        const output =
            from === "host"
                ? (await promisify(execFile)(command[0], command.slice(1))).stdout
                : await guests[from].run(...command);
        return (JSON.parse(output) as Target[]).map(text).sort();
    }

    beforeAll(async () => {
        lab = await Lab.start(CIDR);
        for (const name of ["etcd", "control", "worker", "other"])
            groups[name] = (await lab.user.ok("createSecurityGroup", { name })).securitygroup.id;
        for (const { to, protocol, port, from } of TABLE) {
            for (const source of from) {
                const end =
                    source === "host"
                        ? { cidrlist: `${HOST}/32` }
                        : { "usersecuritygrouplist[0].account": "expunger", "usersecuritygrouplist[0].group": source };
                await authorize(to, { protocol, startport: port, endport: port, ...end });
            }
        }
        await Promise.all(
            [
                ["etcd", "etcd"],
                ["etcd-2", "etcd"],
                ["control", "control"],
                ["worker", "worker"],
                ["other", "other"],
            ].map(([name, group]) => deploy(name, group)),
        );
    });

    afterAll(async () => expect(await lab.dispose()).toEqual([]));

    test.each(["etcd-2", "control", "worker", "other", "host"])(
        "%s reaches the ports in the table, and no other",
        async (from) => {
            const group = from === "etcd-2" ? "etcd" : from;
            const targets: Target[] = (["etcd", "control", "worker"] as const)
                .filter((to) => to !== from)
                .flatMap((to) =>
                    (["tcp", "udp"] as const).flatMap((protocol) =>
                        portsOf(protocol).map((port): Target => [guests[to].address, protocol, port]),
                    ),
                );
            const wanted = TABLE.filter((row) => row.to !== from && (row.from as string[]).includes(group))
                .map(({ to, protocol, port }) => text([guests[to].address, protocol, port]))
                .sort();
            expect(await scan(from, targets)).toEqual(wanted);
        },
    );

    test("rules with a group as their source apply to its current members only", async () => {
        const target: Target = [guests.etcd.address, "tcp", 2379];
        await deploy("control-2", "control");
        expect(await scan("control-2", [target])).toEqual([text(target)]);
        const { address } = guests["control-2"];
        await guests["control-2"].call("destroyVirtualMachine", { expunge: true });
        // A machine that later gets the member's address is not a member.
        guests.heir = await lab.deploy("heir", { securitygroupids: groups.other, ipaddress: address });
        await guests.heir.waitForCloudInit();
        expect(await scan("heir", [target])).toEqual([]);
    });

    test("a revoked rule closes its port at once", async () => {
        const { address } = guests.worker;
        const [group] = await lab.user.list("listSecurityGroups", { id: groups.worker });
        const rule = group.ingressrule.find((one: any) => one.startport === 30_080 && one.protocol === "tcp");
        const target: Target = [address, "tcp", 30_080];
        expect(await scan("host", [target])).toEqual([text(target)]);
        await lab.user.done("revokeSecurityGroupIngress", { id: rule.ruleid });
        expect(await scan("host", [target])).toEqual([]);
    });

    test("egress is open until the first egress rule, and then restricted to the rules", async () => {
        const [first, second]: Target[] = [
            [guests.control.address, "tcp", 6443],
            [guests.control.address, "udp", 8472],
        ];
        expect(await scan("worker", [first, second])).toEqual([first, second].map(text).sort());
        await lab.user.done("authorizeSecurityGroupEgress", {
            ...{ securitygroupid: groups.worker, protocol: "tcp", startport: 6443, endport: 6443 },
            cidrlist: `${guests.control.address}/32`,
        });
        expect(await scan("worker", [first, second])).toEqual([text(first)]);
        // Security groups do not apply to the services of the virtual router.
        expect(await guests.worker.run("getent", "hosts", "data-server")).toContain("10.1.45.1");
    });

    test("a machine cannot use the address of another", async () => {
        const target: Target = [guests.etcd.address, "tcp", 2380];
        expect(await scan("etcd-2", [target])).toEqual([text(target)]);
        // With the address of a member, from a machine that is not a member.
        await guests.other.outputOf(`ip address add ${guests["etcd-2"].address}/32 dev eth0`);
        const spoofed = `import socket
s = socket.socket(); s.settimeout(1); s.bind(("${guests["etcd-2"].address}", 0))
s.connect(("${guests.etcd.address}", 2380)); print("reached")`;
        expect(await guests.other.outputOf(`python3 -c '${spoofed}'`)).toMatch(/TimeoutError: timed out$/);
        await guests.other.outputOf(`ip address del ${guests["etcd-2"].address}/32 dev eth0`);
        // With another MAC address.
        await authorize("other", { protocol: "icmp", icmptype: -1, icmpcode: -1, cidrlist: "0.0.0.0/0" });
        await guests.other.run("ping", "-c1", "-W2", "10.1.45.1");
        await guests.other.outputOf("ip link set eth0 address 02:00:00:00:00:99");
        await expect(guests.other.run("ping", "-c1", "-W1", "10.1.45.1")).rejects.toThrow();
    });
});
