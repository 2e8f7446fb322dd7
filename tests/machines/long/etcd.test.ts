/**
 * What an etcd cluster on real machines survives: changes of the program by `pulumi up`, and broken machines, while a
 * client writes and reads all the time. No acknowledged write may be lost, and no read may return an older value than
 * one before.
 */
import { RealCluster, addressesIn } from "../support/cluster";
import { waitUntil } from "../support/lab";
import { withMachines } from "../support/possible";

const CIDR = "10.1.72.0/24";

jest.setTimeout(600_000);

withMachines("what an etcd cluster survives", () => {
    let cluster: RealCluster;
    const planned = (name: string, action: () => Promise<unknown>) => cluster.recordEvent(name, true, action);
    const accident = (name: string, action: () => Promise<unknown>) => cluster.recordEvent(name, false, action);
    const client = () => cluster.cloud.client;
    const repaired = () => cluster.up({ args: ["--refresh"] });
    const volumeOf = async (member: string) =>
        (
            await client().list("listVolumes", {
                virtualmachineid: (await cluster.fromApi(member)).id,
                type: "DATADISK",
            })
        )[0];

    beforeAll(async () => {
        // The window closes at once: nothing after the bootstrap may depend on it.
        cluster = await RealCluster.create(CIDR, { version: "3.5.33", bootstrapWindowSeconds: 60 }, "abc");
        await cluster.up();
        await cluster.startWriter();
    });

    afterAll(async () => {
        try {
            console.log(cluster.table());
        } finally {
            await cluster.dispose();
        }
    });

    test("a reboot of each machine, and of all at once", async () => {
        for (const member of ["a", "b", "c"])
            await planned(`reboot of ${member}`, async () =>
                client().done("rebootVirtualMachine", { id: (await cluster.fromApi(member)).id }),
            );
        await accident("reboot of all at once", async () => {
            const ids = await Promise.all(["a", "b", "c"].map(async (member) => (await cluster.fromApi(member)).id));
            await Promise.all(ids.map((id) => client().done("rebootVirtualMachine", { id })));
        });
    });

    test("SIGKILL of a member's process", () =>
        accident("kill -9 of etcd on b", () =>
            cluster.cloud.exec(cluster.machine("b"), "systemctl", "kill", "--signal=KILL", "etcd.service"),
        ));

    test("SIGKILL of all machines during writes", () =>
        accident("SIGKILL of all machines", async () => {
            await Promise.all(["a", "b", "c"].map((member) => cluster.cloud.killMachine(cluster.machine(member))));
            await cluster.waitForStopped("a", "b", "c");
            await repaired();
        }));

    test("a machine destroyed, with its data volume kept", () =>
        accident("c destroyed, volume kept", async () => {
            await client().done("destroyVirtualMachine", { id: (await cluster.fromApi("c")).id, expunge: true });
            await repaired();
        }));

    test("a machine destroyed with its data volume, long after the bootstrap window", () =>
        accident("c destroyed with its volume", async () => {
            const { id } = await volumeOf("c");
            await client().done("destroyVirtualMachine", { id: (await cluster.fromApi("c")).id, expunge: true });
            await client().ok("deleteVolume", { id });
            await repaired();
        }));

    test("an upgrade from 3.5.33 to 3.6.14, one member at a time", async () => {
        await planned("upgrade 3.5.33 to 3.6.14", async () => {
            cluster.change({ version: "3.6.14" });
            await cluster.up();
        });
        for (const member of ["a", "b", "c"])
            expect(await cluster.cloud.exec(cluster.machine(member), "/usr/local/bin/etcd", "--version")).toContain(
                "3.6.14",
            );
    });

    test("a version that etcd cannot be downgraded to is refused at preview", async () => {
        cluster.change({ version: "3.5.33" });
        const { errors } = await cluster.project.preview({ mayFail: true });
        expect(errors.join("\n")).toContain("etcd cannot go back to an earlier minor version");
        cluster.change({ version: "3.6.14" });
    });

    test("a rolling reinstallation from another template", async () => {
        await planned("reinstallation from another template", async () => {
            cluster.change({ template: "Debian 13 with password" });
            await cluster.up();
        });
        expect((await cluster.fromApi("b")).templatename).toBe("Debian 13 with password");
    });

    test("a change of its size from 3 to 1, then to 3, 5, 3 and 5", async () => {
        for (const keys of ["a", "abc", "abcde", "abc", "abcde"])
            await planned(`to ${keys.length} members`, async () => {
                cluster.change({ members: addressesIn(CIDR, keys) });
                await cluster.up();
            });
        await planned("to 3 members", async () => {
            cluster.change({ members: addressesIn(CIDR, "abc") });
            await cluster.up();
        });
    });

    test("renewed certificates reach running machines without a restart", () =>
        planned("renewal of all certificates", async () => {
            const started = (member: string) =>
                cluster.cloud.exec(
                    cluster.machine(member),
                    "systemctl",
                    "show",
                    "-P",
                    "ExecMainStartTimestamp",
                    "etcd",
                );
            const before = await Promise.all(["a", "b", "c"].map(started));
            const old = await cluster.peerCertificate("a");
            cluster.change({ certificateValidityDays: 364 });
            await cluster.up();
            await waitUntil(
                "a has its new certificate",
                async () => {
                    return (await cluster.peerCertificate("a")).certificate !== old.certificate;
                },
                90,
            );
            expect(await Promise.all(["a", "b", "c"].map(started))).toEqual(before);
        }));

    test("authorities are replaced in three steps", async () => {
        const steps = [
            { generation: 2, signingGeneration: 1 },
            { generation: 2 },
            { generation: 2, oldestTrustedGeneration: 2 },
        ];
        for (const authorities of steps) {
            await planned(`authorities: ${JSON.stringify(authorities)}`, async () => {
                cluster.change({ authorities });
                await cluster.up();
                await cluster.waitForConvergence();
            });
            // Clients follow: first they trust the new authority, then they get a new certificate.
            await cluster.replaceWriter();
        }
    });

    test("while a member is down, a change that would stop another one is refused, and the error says what to do", async () => {
        await accident("b stopped, and a change refused", async () => {
            await client().done("stopVirtualMachine", { id: (await cluster.fromApi("b")).id });
            cluster.change({ serviceOffering: "Medium Instance" });
            for (const result of [
                await cluster.project.preview({ mayFail: true }),
                await cluster.up({ mayFail: true }),
            ]) {
                expect(result.code).not.toBe(0);
                expect(result.errors.join("\n")).toMatch(
                    /etcd is not healthy.*dev-db-etcd-b.*Repair that member first/s,
                );
            }
            expect((await cluster.fromApi("a")).serviceofferingname).toBe("Small Instance");
            cluster.change({ serviceOffering: "Small Instance" });
            await repaired();
        });
    });

    test("an hourly snapshot is verified, and one command restores a lost cluster from it", async () => {
        const verdict = await cluster.endWriting();
        console.log(
            `acknowledged ${verdict.acknowledged}, without an answer ${verdict.unknown}, lost ${verdict.lost.length}`,
        );
        expect(verdict.lost).toEqual([]);
        expect(verdict.wentBack).toEqual([]);
        const a = cluster.machine("a");
        await cluster.cloud.exec(a, "systemctl", "start", "etcd-snapshot.service");
        const list = await cluster.cloud.exec(a, "ls", "/var/lib/etcd/snapshots");
        const [snapshot] = list.trim().split("\n").reverse();
        expect(snapshot).toMatch(/^etcd-\d{8}T\d{6}Z\.db$/);
        const [before] = await cluster.endpointStatus();
        // Two of three members lose their data: quorum is lost permanently.
        for (const member of ["b", "c"]) {
            await cluster.cloud.exec(cluster.machine(member), "systemctl", "stop", "etcd.service");
            await cluster.cloud.exec(
                cluster.machine(member),
                "rm",
                "-rf",
                "/var/lib/etcd/data",
                "/var/lib/etcd/member-id",
            );
        }
        await cluster.cloud.exec(a, "/usr/local/sbin/etcd-restore", `/var/lib/etcd/snapshots/${snapshot}`);
        for (const member of ["b", "c"])
            await cluster.cloud.exec(cluster.machine(member), "systemctl", "start", "--no-block", "etcd.service");
        await cluster.waitForHealth();
        const [after] = await cluster.endpointStatus();
        expect(after.Status.header.cluster_id).not.toBe(before.Status.header.cluster_id);
        expect(after.Status.header.revision).toBeGreaterThan(before.Status.header.revision + 900_000_000);
        const count = await cluster.etcdctl("b", "get", "writer/0", "--prefix", "--count-only", "--write-out=fields");
        expect(Number(/"Count" : (\d+)/.exec(count)?.[1])).toBeGreaterThanOrEqual(verdict.acknowledged);
    });

    test("it cannot be deleted with its data by mistake", async () => {
        cluster.change({ allowDataLoss: false });
        await cluster.up();
        const refused = await cluster.project.destroy({ mayFail: true });
        expect(refused.code).not.toBe(0);
        expect(refused.errors.join("\n")).toContain("set allowDataLoss: true");
        await cluster.waitForHealth();
        cluster.change({ allowDataLoss: true });
        await cluster.up();
        await cluster.project.destroy();
        expect(await client().list("listVolumes")).toEqual([]);
    });

    test("no planned change made clients wait longer than an election takes", () => cluster.expectShortGaps());
});
