import { etcdHealth, etcdMember, etcdQuorum } from "../../../components/etcdCluster/gates/handlers";
import { planChanges } from "../../../provider/virtualMachine/plan";

const members = { "c-etcd-a": "127.0.0.1" };
const gate = { cluster: "c", members, waitFor: "none", timeoutSeconds: 10, revision: "1" };
/** A port where nobody listens, over TLS that nobody answers. */
const asked = { ...gate, waitFor: "healthy", caCertificate: "", clientCertificate: "", clientKey: "" };

describe("EtcdQuorum", () => {
    const versions = (from: string, to: string) =>
        etcdQuorum.check({ ...gate, version: from }, { ...gate, version: to }).then(({ failures }) => failures);

    test.each([
        ["3.5.33", "3.5.34"],
        ["3.5.33", "3.6.14"],
        ["3.6.14", "3.6.13"],
    ])("%s to %s is a way to go", async (from, to) => expect(await versions(from, to)).toEqual([]));

    test.each([
        ["3.6.14", "3.5.33", "etcd cannot go back to an earlier minor version"],
        ["3.5.33", "3.7.0", "one minor version at a time; first to 3.6"],
    ])("%s to %s is none", async (from, to, why) => {
        expect(await versions(from, to)).toEqual([{ property: "version", reason: expect.stringContaining(why) }]);
    });

    test("a change that takes members down does not begin while one does not answer; others do", async () => {
        const olds = { ...asked, version: "3.6.14" };
        const refused = await etcdQuorum.check(olds, { ...olds, revision: "2" });
        expect(refused.failures).toEqual([
            { property: "", reason: expect.stringMatching(/etcd is not well.*c-etcd-a.*Repair that member first/s) },
        ]);
        await expect(etcdQuorum.update("id", olds, { ...olds, revision: "2" })).rejects.toThrow("does not begin");
        const allowed = { ...olds, revision: "2", allowUnhealthy: ["c-etcd-a"] };
        expect((await etcdQuorum.check(olds, allowed)).failures).toEqual([]);
        expect((await etcdQuorum.check(olds, { ...olds, timeoutSeconds: 20 })).failures).toEqual([]);
    });
});

describe("EtcdMember", () => {
    test("where nobody looks, nobody waits", async () => {
        const inputs = { ...gate, name: "c-etcd-a", address: "127.0.0.1", isFounder: false };
        const { id, outs } = await etcdMember.create(inputs);
        expect(outs).toEqual(inputs);
        await etcdMember.update(id, outs!, { ...inputs, revision: "2" });
    });

    test("a founder of a cluster that is not there yet waits for nobody", async () => {
        await etcdMember.create({ ...asked, name: "c-etcd-a", address: "127.0.0.1", isFounder: true });
    });
});

describe("EtcdHealth", () => {
    test("data is deleted only where that was allowed before", async () => {
        await expect(etcdHealth.delete("id", { ...gate, allowDataLoss: false })).rejects.toThrow("set allowDataLoss: true");
        await etcdHealth.delete("id", { ...gate, allowDataLoss: true });
    });

    test("where nobody looks, nothing is known", async () => {
        const { outs } = await etcdHealth.create({ ...gate, allowDataLoss: false });
        expect(outs!.health).toEqual({ "c-etcd-a": "unknown" });
    });

    test("a time-out names the member and its last error, and says what to do", async () => {
        const inputs = { ...asked, timeoutSeconds: 1, allowDataLoss: false };
        await expect(etcdHealth.create(inputs)).rejects.toThrow(
            /etcd cluster c is not healthy after 1 s. 0 of 1 members are well; c-etcd-a .*journalctl -u etcd.*waitForTimeoutSeconds/,
        );
    });
});

describe("a machine's reinstallTrigger", () => {
    const machine = { name: "m", reinstallTrigger: "etcd 3.5.33", running: true, deleteProtection: false, displayName: "m" };
    const effect = (olds: object, news: object) => planChanges({ ...machine, ...olds }, { name: "m", ...news }).effect;

    test("another one reinstalls, the first one is only noted, none leaves the machine in peace", () => {
        expect(effect({}, { reinstallTrigger: "etcd 3.6.14" })).toBe("reinstall");
        expect(effect({ reinstallTrigger: undefined }, { reinstallTrigger: "etcd 3.6.14" })).toBe("live");
        expect(effect({}, {})).toBeUndefined();
        expect(effect({}, { reinstallTrigger: "etcd 3.5.33" })).toBeUndefined();
    });
});
