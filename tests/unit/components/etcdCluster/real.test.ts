import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { etcdHealth, etcdMember } from "../../../../provider/etcd/handlers";
import { TestCluster, until } from "./harness";
import { findPrograms } from "./programs";

/** The scripts of a member with a real etcd, over real TLS, on loopback addresses. */
const programs = findPrograms();
const suite = programs ? describe : describe.skip;
const missing = programs
    ? ""
    : " (skipped: no etcd, etcdctl and etcdutl of 3.5 or later; ETCD_BIN_DIR says where they are, cloudstack-local artifacts fetches them)";

suite(`an etcd cluster${missing}`, () => {
    let cluster: TestCluster;
    jest.setTimeout(120_000);

    const three = ["test-etcd-a", "test-etcd-b", "test-etcd-c"];
    const voters = (wanted: string[], asked = "a") =>
        until(
            `the voters are ${wanted.join(", ")}`,
            async () => (await cluster.voters(asked)).join() === wanted.join(),
        );
    const put = async (key: string, name: string, value: string) =>
        expect((await cluster.client(key, "put", name, value)).output).toBe("OK\n");
    const get = async (key: string, name: string) =>
        (await cluster.client(key, "get", "--print-value-only", name)).stdout.trim();
    const healthy = (key: string) =>
        until(`${key} is healthy`, async () => (await cluster.client(key, "endpoint", "health")).status === 0);

    beforeAll(async () => {
        cluster = await TestCluster.create(
            fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cloudstack-etcd-")),
            programs!,
        );
        await cluster.deliver();
    });

    afterAll(async () => {
        await cluster.stop();
        fs.rmSync(cluster.folder, { recursive: true, force: true });
    });

    test("three founders that start simultaneously form one cluster", async () => {
        for (const member of cluster.members.values()) member.start();
        await voters(three);
        await put("a", "written", "first");
        expect(await get("c", "written")).toBe("first");
        for (const member of cluster.members.values()) expect(member.log).toContain("starting, state new");
        await until("ids are noted", async () =>
            [...cluster.members.values()].every((member) => fs.existsSync(member.file("state/member-id"))),
        );
    });

    test("only certificates of the client authority are accepted", async () => {
        const pki = (name: string) => cluster.member("a").file("etc/pki", name);
        const ca = ["--cacert", pki("ca.crt")];
        expect((await cluster.ctl("a", ca, "get", "written")).status).not.toBe(0);
        expect(
            (await cluster.ctl("a", [...ca, "--cert", pki("peer.crt"), "--key", pki("peer.key")], "get", "written"))
                .status,
        ).not.toBe(0);
        expect(
            (await cluster.ctl("a", [...ca, "--cert", pki("client.crt"), "--key", pki("client.key")], "get", "written"))
                .status,
        ).toBe(0);
    });

    test("a killed member restarts with its data", async () => {
        const c = cluster.member("c");
        c.log = "";
        c.kill();
        await until("it has started again", async () => c.log.includes("starting, state existing"));
        await healthy("c");
        expect(await get("c", "written")).toBe("first");
        expect(await cluster.voters()).toEqual(three);
    });

    test("a member that has lost its disk joins as a learner and becomes a voter, also after the bootstrap window", async () => {
        await cluster.deliver({ bootstrapWindowSeconds: -1e6 });
        const b = cluster.member("b");
        await b.powerOff();
        b.loseDisk();
        b.log = "";
        b.start();
        await until("it has become a voter", async () => b.log.includes("promoted to a voting member"));
        expect(b.log).toContain("an earlier instance of this member");
        await voters(three);
        expect(await get("b", "written")).toBe("first");
    });

    test("a member without data does not bootstrap a second cluster after the bootstrap window", async () => {
        // A write that all have makes sure that all know, after a power cut too, that the member of the last test is a
        // voter.
        await put("a", "written", "first");
        for (const key of ["a", "b", "c"]) await cluster.member(key).powerOff();
        const c = cluster.member("c");
        c.loseDisk();
        c.log = "";
        const refused = await c.run("etcd-prestart", c.file("etc/node.env"));
        expect(refused).toMatchObject({ status: 1, output: expect.stringContaining("the bootstrap window closed at") });
        for (const key of ["a", "b", "c"]) cluster.member(key).start();
        // Its earlier life is a voter in the list, too.
        await until("it has become a voter", async () => c.log.includes("promoted to a voting member"));
        await voters(three);
    });

    test("members that are added later join one after another, and never bootstrap a cluster", async () => {
        await cluster.deliver({ members: cluster.addresses(["a", "b", "c", "d", "e"]), bootstrapWindowSeconds: 86400 });
        const d = cluster.member("d");
        for (const key of ["a", "b", "c"]) await cluster.member(key).powerOff();
        expect(await d.run("etcd-prestart", d.file("etc/node.env"))).toMatchObject({
            status: 1,
            output: expect.stringContaining("is not a founder: waiting"),
        });
        for (const key of ["a", "b", "c", "d", "e"]) cluster.member(key).start();
        await voters([...three, "test-etcd-d", "test-etcd-e"]);
    });

    test("a removed member does not rejoin while it runs; on a new machine its old volume does no harm", async () => {
        const e = cluster.member("e");
        const id = async () =>
            (await cluster.client("a", "member", "list")).stdout
                .split("\n")
                .find((line) => line.includes("test-etcd-e"))!
                .split(",")[0];
        e.log = "";
        const removed = await id();
        // etcd refuses while it has not been in touch with all members for five seconds.
        await until("it is removed", async () => (await cluster.client("a", "member", "remove", removed)).status === 0);
        await until("it notices", async () => e.log.includes("was removed from the cluster and does not join"));
        expect(await cluster.voters()).toEqual([...three, "test-etcd-d"]);
        await e.powerOff();
        e.start();
        await voters([...three, "test-etcd-d", "test-etcd-e"]);
        expect(e.log).toContain("the member with the local data is not in the cluster");
        expect(fs.readdirSync(e.file("state")).filter((name) => name.startsWith("removed-"))).toHaveLength(1);
    });

    const five = [...three, "test-etcd-d", "test-etcd-e"];
    const gateOf = async (keys: string, key: string) => ({
        ...(await cluster.gate(keys)),
        ...{ name: `test-etcd-${key}`, address: cluster.spec.members[key], isFounder: false },
    });

    test("a member that was removed from the program does not rejoin, whatever happens to its machine, until it is added again", async () => {
        const e = cluster.member("e");
        const gate = await gateOf("abcde", "e");
        await etcdMember.delete("id", gate);
        expect(await cluster.voters()).toEqual(five.slice(0, 4));
        // Its machine could not be deleted and starts again; then it is made anew.
        for (const lose of [() => undefined, () => e.loseDisk()]) {
            await e.powerOff();
            lose();
            e.log = "";
            e.start();
            await until("it stays out", async () => e.log.includes("this member was removed from the cluster at 2"));
        }
        expect(await cluster.voters()).toEqual(five.slice(0, 4));
        await etcdMember.create(gate);
        await voters(five);
    });

    test("a member that is not in the program is reported by a refresh, and removed by the next run", async () => {
        const gate = await cluster.gate("abcd");
        const health = Object.fromEntries(five.slice(0, 4).map((name) => [name, "healthy"]));
        const { props = {} } = await etcdHealth.read("id", { ...gate, health });
        expect(props.health).toEqual({ ...health, "test-etcd-e": expect.stringContaining("not in the program") });
        expect(await etcdHealth.diff("id", props, gate)).toMatchObject({ changes: true });
        const e = cluster.member("e");
        e.log = "";
        // One that the program has just dropped still has a gate of its own, which takes it out.
        const dropped = etcdHealth.update("id", { ...props, members: (await cluster.gate("abcde")).members }, gate);
        await dropped;
        expect(await cluster.voters()).toEqual(five);
        const { outs } = await etcdHealth.update("id", props, gate);
        expect(outs!.health).toEqual(health);
        expect(await cluster.voters()).toEqual(five.slice(0, 4));
        await until("it stays out", async () => e.log.includes("does not join"));
        await e.powerOff();
        e.start();
        await etcdMember.create(await gateOf("abcde", "e"));
        await voters(five);
    });

    test("snapshots are verified, and old ones are deleted", async () => {
        const a = cluster.member("a");
        const folder = a.file("state/snapshots");
        const result = await a.run("etcd-snapshot", a.file("etc/node.env"));
        expect(result).toMatchObject({ status: 0, output: expect.stringContaining("saved ") });
        const [saved] = fs.readdirSync(folder);
        // Two days of hourly snapshots, with 24 hourly and 7 daily ones to be kept.
        for (const day of ["01", "02"])
            for (let hour = 0; hour < 24; hour++) {
                const copy = `etcd-203001${day}T${String(hour).padStart(2, "0")}0000Z.db`;
                fs.copyFileSync(path.join(folder, saved), path.join(folder, copy));
            }
        fs.rmSync(path.join(folder, saved));
        await a.run("etcd-snapshot", a.file("etc/node.env"));
        const left = fs.readdirSync(folder).sort();
        expect(left.filter((name) => name.startsWith("etcd-20300102"))).toHaveLength(24);
        expect(left.filter((name) => name.startsWith("etcd-20300101"))).toEqual(["etcd-20300101T230000Z.db"]);
        for (const name of left.filter((name) => name.startsWith("etcd-2030"))) fs.rmSync(path.join(folder, name));
        await a.run("etcd-snapshot", a.file("etc/node.env"));
    });

    test("restarts are done one member at a time, whichever members request them", async () => {
        const logs = () => [...cluster.members.values()].map((member) => member.file("systemctl.log"));
        for (const log of logs()) fs.rmSync(log, { force: true });
        const down: number[] = [];
        let watching = true;
        const watch = (async () => {
            while (watching) {
                down.push([...cluster.members.values()].filter((member) => !fs.existsSync(member.file("pid"))).length);
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
        })();
        const results = await Promise.all(
            [...cluster.members.values()].map((member) =>
                member.run("etcd-safely", "restart", member.file("etc/node.env")),
            ),
        );
        watching = false;
        await watch;
        for (const { status, output } of results)
            expect([status, output]).toEqual([0, expect.stringContaining("restart: done")]);
        expect(logs().every((log) => fs.readFileSync(log, "utf8") === "systemctl restart etcd.service\n")).toBe(true);
        expect(Math.max(...down)).toBe(1);
    });

    test("nothing is restarted while a member is down", async () => {
        await cluster.member("e").powerOff();
        const a = cluster.member("a");
        expect(await a.run("etcd-safely", "restart", a.file("etc/node.env"))).toMatchObject({
            output: expect.stringContaining("not now: a member is not healthy"),
        });
        cluster.member("e").start();
        await healthy("e");
    });

    test("defragmentation frees space, and is skipped if there is nothing to free", async () => {
        const a = cluster.member("a");
        for (let index = 0; index < 30; index++)
            await cluster.client("a", "put", `large-${index}`, "x".repeat(100_000));
        await cluster.client("a", "del", "--prefix", "large-");
        const { stdout } = await cluster.client("a", "get", "written", "-w", "json");
        await cluster.client("a", "compact", String(JSON.parse(stdout).header.revision), "--physical");
        expect(await a.run("etcd-safely", "defragment", a.file("etc/node.env"))).toMatchObject({
            status: 0,
            output: expect.stringContaining("defragment: done"),
        });
        expect(await a.run("etcd-safely", "defragment", a.file("etc/node.env"))).toMatchObject({
            status: 0,
            output: expect.stringContaining("nothing to defragment"),
        });
    });

    test("a lost cluster is restored from a snapshot with one command on one member", async () => {
        const a = cluster.member("a");
        const [saved] = fs.readdirSync(a.file("state/snapshots")).sort().reverse();
        expect(
            (await a.run("etcd-restore", a.file("state/snapshots", saved), a.file("etc/node.env"))).output,
        ).toContain("the cluster works");
        await cluster.deliver({ bootstrapWindowSeconds: -1e6 });
        const revision = JSON.parse((await cluster.client("a", "get", "written", "-w", "json")).stdout).header.revision;
        const before = (await cluster.client("a", "member", "list", "-w", "json")).stdout;
        for (const key of ["a", "b", "c", "d", "e"]) await cluster.member(key).powerOff();
        for (const key of ["b", "c", "d"]) cluster.member(key).loseDisk();
        for (const key of ["b", "c", "d", "e"]) cluster.member(key).start();
        a.start();

        const damaged = a.file("damaged.db");
        fs.copyFileSync(a.file("state/snapshots", saved), damaged);
        const bytes = fs.readFileSync(damaged);
        bytes[9000] ^= 0xff;
        fs.writeFileSync(damaged, bytes);
        expect(await a.run("etcd-restore", damaged, a.file("etc/node.env"))).toMatchObject({
            status: 1,
            output: expect.stringContaining("could not be restored"),
        });

        expect(await a.run("etcd-restore", a.file("state/snapshots", saved), a.file("etc/node.env"))).toMatchObject({
            status: 0,
        });
        // Of those that still run without a quorum etcd has to be restarted: e has kept its data.
        await healthy("a");
        cluster.member("e").kill();
        // One learner at a time, and etcd takes the next one five seconds after the last.
        await until(
            "all are back",
            async () => (await cluster.voters()).join() === [...three, "test-etcd-d", "test-etcd-e"].join(),
            90,
        );
        expect(await get("e", "written")).toBe("first");
        const after = JSON.parse((await cluster.client("a", "get", "written", "-w", "json")).stdout).header;
        expect(after.revision).toBeGreaterThan(revision + 900_000_000);
        expect(after.cluster_id).not.toBe(JSON.parse(before).header.cluster_id);
    });
});
